// Opens a profile with speedscope in a real browser without a window, and prints the functions that its table lists:
//   node speedscope.mjs RELEASE_FOLDER PROFILE [BROWSER]
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";

const [release, profile, browser = "chromium"] = process.argv.slice(2);
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };
const home = mkdtempSync(join(tmpdir(), "mimalloc-speedscope-"));
let running;

// The table is there some time after the page; an error is there as text, too.
const page = `<iframe id=f width=1200 height=800 src="index.html#profileURL=profile&title=heap&view=sandwich"></iframe><script>
setInterval(() => {
  const body = document.getElementById("f").contentDocument.body;
  const rows = [...body.querySelectorAll("tr")].map((row) => row.innerText);
  if (rows.length > 1 || /error|unrecogni/i.test(body.innerText)) fetch("answer", { method: "POST", body: rows.join("\\n") || body.innerText });
}, 200);
</script>`;

function end(status, output) {
  process.stdout.write(output + "\n");
  running?.removeAllListeners("exit");
  running?.kill();
  // The browser may still write there.
  setTimeout(() => { rmSync(home, { recursive: true, force: true, maxRetries: 10 }); process.exit(status); }, 300);
}

const server = createServer(async (request, response) => {
  const name = basename(new URL(request.url, "http://localhost").pathname);
  if (request.method === "POST") {
    let body = "";
    for await (const piece of request) body += piece;
    response.end();
    end(0, body);
    return;
  }
  response.setHeader("Content-Type", types[extname(name)] ?? "application/octet-stream");
  try {
    response.end(name === "page" ? page : await readFile(name === "profile" ? profile : join(release, name)));
  } catch {
    response.writeHead(404).end();
  }
});

server.listen(0, "127.0.0.1", () => {
  types[""] = "text/html";
  const url = `http://127.0.0.1:${server.address().port}/page`;
  // It draws with WebGL, which takes a software renderer where there is no screen.
  const options = ["--headless=new", "--no-sandbox", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage", `--user-data-dir=${home}`, url];
  running = spawn(browser, options, { stdio: "ignore" });
  running.on("error", (error) => end(1, error.message));
  running.on("exit", (code) => end(1, `the browser has ended with ${code}, and the page has told nothing`));
  setTimeout(() => end(1, "the page has told nothing for 25 seconds"), 25_000);
});
