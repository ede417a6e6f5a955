// Runs a test in a real browser without a window: node browser.mjs PROGRAM.js|MODULE.wasm [BROWSER]
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join, resolve } from "node:path";

const [program, browser = "chromium"] = process.argv.slice(2);
const here = import.meta.dirname ?? dirname(new URL(import.meta.url).pathname);
const folders = [here, dirname(resolve(program))];
const types = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const home = mkdtempSync(join(tmpdir(), "mimalloc-browser-"));
let running;

function end(status, output) {
  process.stdout.write(output);
  running?.removeAllListeners("exit");
  running?.kill();
  // The browser may still write there.
  setTimeout(() => { rmSync(home, { recursive: true, force: true, maxRetries: 10 }); process.exit(status); }, 500);
}

async function find(name) {
  for (const folder of folders) {
    try {
      return await readFile(join(folder, name));
    } catch {
      // in the next one, perhaps
    }
  }
  return null;
}

const server = createServer(async (request, response) => {
  if (request.method === "POST") {
    let body = "";
    for await (const piece of request) body += piece;
    response.end();
    const { status, output } = JSON.parse(body);
    end(status, output);
    return;
  }
  const name = basename(new URL(request.url, "http://localhost").pathname);
  const content = await find(name);
  // Pages with both of the latter have shared memory, and so threads.
  response.writeHead(content === null ? 404 : 200, {
    "Content-Type": types[extname(name)] ?? "text/plain",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
  });
  response.end(content ?? "");
});

server.listen(0, "127.0.0.1", () => {
  const page = `http://127.0.0.1:${server.address().port}/page.html?run=${basename(program)}`;
  const options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", `--user-data-dir=${home}`, page];
  running = spawn(browser, options, { stdio: "ignore" });
  running.on("error", (error) => end(1, `${error.message}\n`));
  running.on("exit", (code) => end(1, `the browser has ended with ${code}, and the page has told nothing\n`));
  setTimeout(() => end(1, "the page has told nothing for two minutes\n"), 120_000);
});
