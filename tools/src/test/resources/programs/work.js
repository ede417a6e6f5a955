// Node: objects, buffers outside V8's heap, compression, hashes, and worker threads that do the same.
'use strict';
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const zlib = require('node:zlib');

function work(seed) {
  let random = seed + 1;
  const next = n => (random = (random * 16807) % 2147483647) % n;
  const hash = createHash('sha256');
  let kept = [];
  for (let round = 0; round < 150; round++) {
    const records = Array.from({ length: 300 }, (_, i) => ({ id: i, name: `name ${next(1000)}`, values: [next(9), next(99)] }));
    const text = Buffer.from(JSON.stringify(records));
    const packed = zlib.deflateSync(text, { level: 1 });
    if (!zlib.inflateSync(packed).equals(text)) throw new Error('unpacked text differs');
    kept.push(Buffer.alloc(next(200000) + 1, round));
    kept.push(Buffer.concat([text, packed.subarray(0, 100)]));
    if (kept.length > 50) kept = kept.slice(25);
    for (const one of kept.slice(-4)) hash.update(one.subarray(0, 5000));
    hash.update(text);
  }
  return hash.digest('hex');
}

if (isMainThread) {
  const threads = [1, 2, 3, 1].map(seed => new Promise((resolve, reject) =>
    new Worker(__filename, { workerData: seed }).once('message', resolve).once('error', reject)));
  Promise.all(threads).then(results => {
    results.push(work(2));
    if (results[0] !== results[3] || results[1] !== results[4] || results[0] === results[1]) throw new Error(results.join());
    console.log('workers agree');
  });
} else {
  parentPort.postMessage(work(workerData));
}
