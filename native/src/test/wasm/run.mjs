// The tests of a module that has nothing but its memory, for node and for a page.

/** Whether all went well, and a text that says so, or what did not. */
export async function run(bytes) {
  const module = await WebAssembly.compile(bytes);
  const imports = WebAssembly.Module.imports(module);
  if (imports.length > 0) return { ok: false, text: `the module wants ${imports.map((i) => i.name)}` };
  const { memory, run, allocate, release } = (await WebAssembly.instantiate(module)).exports;
  const line = run();
  if (line !== 0) return { ok: false, text: `memory.c:${line}: not so` };
  // What JavaScript writes into blocks stays there, however the memory grows.
  const blocks = [];
  for (let i = 0; i < 1000; i++) {
    const size = 1 + ((i * 7919) % 50000);
    const p = allocate(size);
    if (p === 0) return { ok: false, text: `no block of ${size} bytes` };
    new Uint8Array(memory.buffer, p, size).fill(i);
    blocks.push({ p, size, value: i & 255 });
  }
  for (const { p, size, value } of blocks) {
    if (!new Uint8Array(memory.buffer, p, size).every((byte) => byte === value)) return { ok: false, text: `block ${p} has changed` };
    release(p);
  }
  return { ok: true, text: "memory: ok" };
}
