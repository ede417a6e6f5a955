"use strict";
const graphs = [
  { title: "Memory", unit: "B", lines: [["resident_bytes", "resident", "--dim"], ["committed_bytes", "committed", "--waits"], ["pages_bytes", "in pages", "--c2"], ["live_bytes", "live", "--live"]] },
  { title: "Allocations", unit: "/s", rate: true, lines: [["mallocs_total", "mallocs", "--live"], ["frees_total", "frees", "--waits"]] },
  { title: "Bytes allocated, given back", unit: "B/s", rate: true, lines: [["allocated_bytes_total", "allocated", "--live"], ["purged_bytes_total", "given back", "--waits"]] },
  { title: "Pages", unit: "", lines: [["pages", "pages", "--live"], ["abandoned_pages", "abandoned", "--waits"]] },
  { title: "Threads and heaps", unit: "", lines: [["threads", "threads", "--live"], ["heaps", "heaps", "--c2"]] },
  { title: "Processor time", unit: "s/s", rate: true, lines: [["cpu_seconds_total", "of the process", "--live"]] },
];

function number(value, unit) {
  const bytes = unit.startsWith("B"), step = bytes ? 1024 : 1000, names = bytes ? ["B", "KiB", "MiB", "GiB", "TiB"] : ["", "k", "M", "G", "T"];
  let power = 0;
  while (Math.abs(value) >= step && power < 4) { value /= step; power++; }
  const digits = value >= 100 || value === Math.round(value) ? 0 : value >= 1 ? 1 : 2;
  return `${value.toFixed(digits)} ${names[power]}${unit.slice(bytes ? 1 : 0)}`.trim();
}

function values(moments, name, rate) {
  if (!rate) return moments.map((moment) => [moment.time, moment.values[name]]);
  return moments.slice(1).map((moment, i) => {
    const before = moments[i];
    return [moment.time, Math.max(0, moment.values[name] - before.values[name]) * 1000 / Math.max(1, moment.time - before.time)];
  });
}

// A scale that ends with a number that people read easily.
function ceiling(most, unit) {
  if (most <= 0) return 1;
  const base = unit.startsWith("B") ? 1024 : 1000, power = base ** Math.floor(Math.log(most) / Math.log(base));
  for (const nice of [1, 2, 4, 5, 8, 10, 16, 20, 40, 50, 80, 100, 160, 200, 250, 320, 400, 500, 640, 800]) if (nice * power >= most) return nice * power;
  return power * base;
}

function draw(graph, moments) {
  const all = graph.lines.map((line) => values(moments, line[0], graph.rate));
  const end = ceiling(Math.max(0, ...all.flat().map((point) => point[1])), graph.unit), last = moments.at(-1).time, from = Math.min(moments[0].time, last - 30000);
  const x = (time) => 46 + (time - from) / (last - from) * 350, y = (value) => 122 - value / end * 112;
  let text = "";
  for (const part of [0, 0.5, 1]) {
    text += `<line class="grid" x1="46" x2="396" y1="${y(part * end)}" y2="${y(part * end)}"/><text class="scale" x="42" y="${y(part * end) + 3}" text-anchor="end">${number(part * end, graph.unit)}</text>`;
  }
  graph.lines.forEach((line, i) => {
    const path = all[i].map((point, k) => `${k === 0 ? "M" : "L"}${x(point[0]).toFixed(1)} ${y(point[1]).toFixed(1)}`).join("");
    text += `<path d="${path}" style="stroke: var(${line[2]})"/>`;
  });
  const legend = graph.lines.map((line, i) => `<span><i style="background: var(${line[2]})"></i>${line[1]} ${all[i].length === 0 ? "" : number(all[i].at(-1)[1], graph.unit)}</span>`).join(" ");
  return `<div class="graph"><b>${graph.title}</b><svg viewBox="0 0 400 130" role="img" aria-label="${graph.title}">${text}</svg><div class="legend">${legend}</div></div>`;
}

function sizes(now) {
  const largest = Object.entries(now).sort((a, b) => b[1] - a[1]).slice(0, 12).sort((a, b) => (a[0] === "0") - (b[0] === "0") || a[0] - b[0]), most = Math.max(...largest.map((size) => size[1]));
  return largest.map(([size, bytes]) => `<span>${size === "0" ? "larger" : number(Number(size), "B")}</span><div style="width: ${Math.max(0.3, 100 * bytes / most)}%"></div><span>${number(bytes, "B")}</span>`).join("");
}

function escaped(text) { return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`); }

function show(data) {
  document.getElementById("state").textContent = Object.keys(data).length === 0 ? "Nobody runs, or has said anything yet." : "";
  let text = "";
  for (const [process, now] of Object.entries(data)) {
    const moments = now.moments.map((moment) => ({ time: moment[0], values: Object.fromEntries(now.names.map((name, i) => [name, moment[i + 1]])) }));
    text += `<h2>${escaped(now.program)}, process ${process}</h2><div class="graphs">${graphs.map((graph) => draw(graph, moments)).join("")}</div>`
      + `<h2>Live blocks by size</h2><div class="sizes">${sizes(now.sizes)}</div>`;
  }
  if (text !== "") document.getElementById("processes").innerHTML = text;
}

async function round() {
  try {
    show(await (await fetch("/data")).json());
  } catch {
    document.getElementById("state").textContent = "No answer: the server has ended.";
  }
}
show(first);
setInterval(round, 1000);
