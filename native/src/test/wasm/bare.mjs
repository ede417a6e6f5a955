// Runs what is exported by a module that has nothing else: node bare.mjs MODULE
import { readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { run } from "./run.mjs";

setFlagsFromString("--no-incremental-marking"); // see wasi.mjs
const { ok, text } = await run(await readFile(process.argv[2]));
console.log(text);
process.exitCode = ok ? 0 : 1;
