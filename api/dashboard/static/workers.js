// The timeline of every worker: one row for each slot and for each stage after the slots, coloured by what it did.

import { colour } from "./charts.js";
import { STAGES, sharp } from "./stages.js";

const LOOK_MS = 1000;
const WINDOW_S = 90;
const ROW = 16; // px
const GAP = 3;
const AXIS = 20;
const LABEL = 62;
const STAGE_ROWS = ["render", "encode", "commit"];
const FONT = "11px system-ui, sans-serif";

const place = document.getElementById("timelines");
const blocks = new Map(); // worker → its elements
let workers = [];
let etag = "";

/** Slots first, then the stages after them, of which a worker may have several threads: `encode 0`, `encode 1`. */
function rowsOf(worker) {
  const slots = Array.from({ length: Math.min(worker.environments, 64) }, (_, number) => String(number));
  const told = [...new Set(worker.spans.map((span) => span.row))];
  const stages = STAGE_ROWS.flatMap((stage) => {
    const threads = told.filter((row) => row.startsWith(`${stage} `)).sort();
    return threads.length ? threads : [stage];
  });
  return [...slots, ...stages];
}

function draw(worker, canvas) {
  const rows = rowsOf(worker);
  const { context, width, height } = sharp(canvas, rows.length * (ROW + GAP) + AXIS);
  canvas.dataset.rows = rows.join(",");
  const end = worker.clock;
  const x = (time) => LABEL + ((time - end + WINDOW_S) / WINDOW_S) * (width - LABEL);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  rows.forEach((row, number) => {
    const y = number * (ROW + GAP);
    context.fillStyle = colour(STAGES.idle.colour);
    context.fillRect(LABEL, y, width - LABEL, ROW);
    context.fillStyle = colour("muted");
    context.textAlign = "right";
    context.fillText(/^\d+$/.test(row) ? `slot ${row}` : row, LABEL - 8, y + ROW / 2);
  });
  for (const span of worker.spans) {
    const number = rows.indexOf(span.row);
    const stage = STAGES[span.stage];
    if (number < 0 || stage === undefined) continue;
    const left = Math.max(x(span.begin), LABEL);
    context.fillStyle = colour(stage.colour);
    // Two episodes that follow each other are told apart by a hair.
    const length = Math.max(x(span.end) - left, 1);
    context.fillRect(left, number * (ROW + GAP), length > 3 ? length - 0.75 : length, ROW);
  }
  axis(context, width, height, x, end);
}

function axis(context, width, height, x, end) {
  context.fillStyle = colour("muted");
  context.strokeStyle = colour("line");
  const step = width < 500 ? 30 : 15;
  for (let back = 0; back <= WINDOW_S; back += step) {
    const at = x(end - back);
    context.textAlign = back === 0 ? "right" : back === WINDOW_S ? "left" : "center";
    context.fillText(back === 0 ? "now" : `−${back} s`, at, height - AXIS / 2 + 3);
  }
}

function wordsOf(worker) {
  const used = new Map(worker.slots.map((slot) => [slot.slot, slot]));
  const words = [];
  for (let number = 0; number < Math.min(worker.environments, 64); number += 1) {
    const slot = used.get(number);
    if (slot === undefined) words.push(`slot ${number}: idle`);
    else if (!slot.scene) words.push(`slot ${number}: ${slot.stage}`);
    else words.push(`slot ${number}: ${slot.stage} ${slot.scene} ${slot.episode}, frame ${slot.frame} of ${slot.frames}`);
  }
  return words;
}

function blockOf(worker) {
  let block = blocks.get(worker.name);
  if (block !== undefined) return block;
  const section = document.createElement("section");
  section.className = "timeline";
  section.id = `timeline-${worker.name}`;
  const title = document.createElement("h3");
  title.textContent = worker.name;
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  const text = document.createElement("p");
  text.className = "muted slot-words";
  text.id = `now-${worker.name}`;
  canvas.setAttribute("aria-label", `Timeline of the slots of ${worker.name} over the last ${WINDOW_S} seconds`);
  canvas.setAttribute("aria-describedby", text.id);
  section.append(title, canvas, text);
  block = { section, canvas, text };
  blocks.set(worker.name, block);
  new ResizeObserver(() => redraw(worker.name)).observe(section);
  return block;
}

function redraw(name) {
  const worker = workers.find((each) => each.name === name);
  if (worker !== undefined) draw(worker, blocks.get(name).canvas);
}

function show() {
  const names = new Set(workers.map((worker) => worker.name));
  for (const [name, block] of blocks) {
    if (!names.has(name)) {
      block.section.remove();
      blocks.delete(name);
    }
  }
  workers.forEach((worker, number) => {
    const { section, canvas, text } = blockOf(worker);
    if (place.children[number] !== section) place.insertBefore(section, place.children[number] ?? null);
    text.textContent = wordsOf(worker).join(" · ");
    draw(worker, canvas);
  });
  place.setAttribute("aria-busy", "false");
}

async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch("/v1/workers?spans=true", { headers: etag ? { "if-none-match": etag } : {} });
      if (answer.status === 200) {
        etag = answer.headers.get("etag") ?? "";
        workers = await answer.json();
        show();
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the service is away: live.js says so
    }
  }
  setTimeout(look, LOOK_MS);
}

for (const [stage, { text, colour: name }] of Object.entries(STAGES)) {
  const item = document.createElement("li");
  const swatch = document.createElement("span");
  swatch.className = "swatch";
  swatch.style.background = `var(--${name})`;
  item.append(swatch, text ?? stage);
  document.getElementById("legend").append(item);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
look();
