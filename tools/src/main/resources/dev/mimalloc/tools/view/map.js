"use strict";
const map = document.getElementById("map"), tip = document.getElementById("tip");
const whole = map.viewBox.baseVal, full = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
let box = { ...full };

// Titles are for pictures that stand alone: here they would cover what is told at once.
const stories = new Map();
for (const title of map.querySelectorAll("title")) {
  stories.set(title.parentNode, title.textContent);
  title.remove();
}

function show() { map.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`); }

// Zooms around a place of the window, and never out of the picture.
function zoom(factor, clientX, clientY) {
  const shape = map.getBoundingClientRect();
  const rx = clientX === undefined ? 0.5 : (clientX - shape.left) / shape.width, ry = clientY === undefined ? 0.5 : (clientY - shape.top) / shape.height;
  const width = Math.min(full.width, Math.max(full.width / 60, box.width * factor)), height = width * full.height / full.width;
  box = { x: box.x + (box.width - width) * rx, y: box.y + (box.height - height) * ry, width, height };
  keep();
}

function keep() {
  box.x = Math.min(Math.max(box.x, 0), full.width - box.width);
  box.y = Math.min(Math.max(box.y, 0), full.height - box.height);
  show();
}

map.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.shiftKey && box.width === full.width && event.deltaY > 0) return;  // the page scrolls
  event.preventDefault();
  zoom(Math.exp((event.deltaY || event.deltaX) / 400), event.clientX, event.clientY);
}, { passive: false });
document.getElementById("in").onclick = () => zoom(0.6);
document.getElementById("out").onclick = () => zoom(1 / 0.6);
document.getElementById("all").onclick = () => { box = { ...full }; show(); };

let grip = null;
map.addEventListener("pointerdown", (event) => { grip = { x: event.clientX, y: event.clientY, box: { ...box } }; map.setPointerCapture(event.pointerId); });
map.addEventListener("pointerup", () => { grip = null; });
map.addEventListener("pointermove", (event) => {
  if (grip !== null) {
    const scale = box.width / map.getBoundingClientRect().width;
    box.x = grip.box.x - (event.clientX - grip.x) * scale;
    box.y = grip.box.y - (event.clientY - grip.y) * scale;
    keep();
  }
  const story = stories.get(document.elementFromPoint(event.clientX, event.clientY)?.closest("g"));
  tip.style.display = story === undefined ? "none" : "block";
  if (story === undefined) return;
  tip.textContent = story;
  tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
});
map.addEventListener("pointerleave", () => { tip.style.display = "none"; });

function pick(row) {
  const was = row.classList.contains("on");
  for (const other of document.querySelectorAll(".on")) other.classList.remove("on");
  map.classList.toggle("picked", !was);
  if (was) return;
  row.classList.add("on");
  for (const page of map.querySelectorAll(`.p[data-size="${row.dataset.size}"]`)) page.classList.add("on");
}
for (const row of document.querySelectorAll("tr[data-size]")) {
  row.onclick = () => pick(row);
  row.onkeydown = (event) => { if (event.key === "Enter") pick(row); };
}

const keys = {
  size: [["c0", "to 64 B"], ["c1", "to 256 B"], ["c2", "to 1 KiB"], ["c3", "to 8 KiB"], ["c4", "to 80 KiB"], ["c5", "larger"], ["waits", "waiting"]],
  owner: [["idle", "of no thread"], ["c0", "each thread"], ["c5", "has a"], ["c2", "colour"]],
  state: [["c0", "with room"], ["c2", "full"], ["c4", "empty"], ["c5", "abandoned"], ["idle", "a block alone"]],
};
function paint() {
  const by = document.getElementById("by").value;
  document.body.className = `by-${by}`;
  document.getElementById("key").innerHTML = keys[by].map(([style, name]) => `<i class="k ${style}" style="margin-left:10px"></i>${name}`).join("");
}
document.getElementById("by").onchange = paint;
paint();
