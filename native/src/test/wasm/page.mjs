// Runs what the page is asked for, shows what it prints, and tells the server that has sent it.
import { run } from "./run.mjs";

const name = new URL(location).searchParams.get("run");
const output = document.getElementById("output");
const print = (text) => (output.textContent += text + "\n");
const tell = (status) => fetch("/done", { method: "POST", body: JSON.stringify({ status, output: output.textContent }) });

addEventListener("error", (event) => { print(event.message); tell(1); });
addEventListener("unhandledrejection", (event) => { print(`${event.reason}`); tell(1); });

if (name.endsWith(".wasm")) {
  const { ok, text } = await run(await (await fetch(name)).arrayBuffer());
  print(text);
  await tell(ok ? 0 : 1);
} else {
  globalThis.Module = { print, printErr: print, onExit: tell, mainScriptUrlOrBlob: name };
  const script = document.createElement("script");
  script.src = name;
  script.onerror = () => { print(`there is no ${name}`); tell(1); };
  document.body.append(script);
}
