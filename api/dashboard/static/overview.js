// The first page: figures of now, as samples come, and charts of the last hour.

import { chart, colour } from "./charts.js";
import { STAGES, drawShares } from "./stages.js";

const POINTS = 450;
const RETRY_MS = 3000;
const HOUR_S = 3600;

/** What each series of /v1/telemetry is called, its colour, and what its values are multiplied with. */
const SERIES = {
  clips_per_hour: { label: "clips/h", colour: "accent", fill: true },
  frames_per_second: { label: "frames/s", colour: "accent" },
  steps_per_second: { label: "steps/s", colour: "violet" },
  bytes_per_second: { label: "written", colour: "info", fill: true, unit: "B/s" },
  cpu_percent: { label: "cores", colour: "accent", fill: true, scale: 0.01 },
  gpu_percent: { label: "GPU", colour: "violet", fill: true, unit: "%" },
  memory_bytes: { label: "memory", colour: "info", unit: "B" },
  gpu_memory_bytes: { label: "GPU memory", colour: "violet", unit: "B" },
  disk_free: { label: "free", colour: "accent", fill: true, unit: "B" },
  queue_shards: { label: "waiting", colour: "warn" },
  open_shards: { label: "handed out", colour: "info" },
  slots_simulate: { label: "simulate", colour: STAGES.simulate.colour },
  slots_load: { label: "load", colour: STAGES.load.colour },
  slots_wait: { label: "wait", colour: STAGES.wait.colour },
  slots_idle: { label: "idle", colour: "muted" },
};

const charts = [];
let history = { at: [], series: {} };
let shares = null;

function size(value) {
  let scaled = value;
  for (const unit of ["B", "KB", "MB", "GB", "TB"]) {
    if (Math.abs(scaled) < 1000) return `${unit === "B" ? scaled.toFixed(0) : Number(scaled.toPrecision(3))} ${unit}`;
    scaled /= 1000;
  }
  return `${scaled.toFixed(0)} PB`;
}

function duration(seconds) {
  for (const [limit, unit, name] of [[120, 1, "s"], [7200, 60, "min"], [172800, 3600, "h"]]) {
    if (seconds < limit) return `${(seconds / unit).toFixed(0)} ${name}`;
  }
  return `${Math.round(seconds / 86400).toLocaleString("en")} days`;
}

function plain(value) {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}

const WRITTEN = {
  figure: plain,
  count: (value) => Math.round(value).toLocaleString("en"),
  cores: (value) => plain(value / 100),
  per_cent: (value) => `${value.toFixed(0)} %`,
  size,
  duration,
};

function show(sample) {
  for (const element of document.querySelectorAll("[data-value]")) {
    const value = sample[element.dataset.value];
    element.textContent = value === null || value === undefined ? "–" : WRITTEN[element.dataset.kind](value);
  }
  shares = sample.slots;
  document.getElementById("slots-text").textContent = Object.keys(STAGES)
    .filter((stage) => STAGES[stage].slot)
    .map((stage) => `${shares[stage] ?? 0} ${stage}`)
    .join(" · ");
  drawShares(document.getElementById("slots-now"), shares);
}

function flat(sample) {
  const values = { ...sample };
  for (const [state, count] of Object.entries(sample.slots)) values[`slots_${state}`] = count;
  return values;
}

function append(sample) {
  const { at, series } = history;
  if (at.length && sample.at <= at.at(-1)) return;
  const values = flat(sample);
  const names = new Set([...Object.keys(series), ...Object.keys(SERIES).filter((name) => values[name] != null)]);
  at.push(sample.at);
  for (const name of names) {
    series[name] ??= new Array(at.length - 1).fill(null);
    series[name].push(values[name] ?? null);
  }
  const late = at.findIndex((time) => time > sample.at - HOUR_S);
  if (late > 0) {
    at.splice(0, late);
    for (const name of names) series[name].splice(0, late);
  }
}

function dataOf(names) {
  return [
    history.at,
    ...names.map((name) => {
      const scale = SERIES[name].scale ?? 1;
      const values = history.series[name] ?? new Array(history.at.length).fill(null);
      return scale === 1 ? values : values.map((value) => (value === null ? null : value * scale));
    }),
  ];
}

function redraw() {
  for (const each of charts) {
    const there = each.names.filter((name) => name in history.series);
    if (each.optional) each.element.closest("section").hidden = there.length === 0;
    if (there.length === 0) continue;
    if (each.plot !== null && each.drawn !== there.join(" ")) {
      each.plot.destroy(); // a figure has come that nobody told before
      each.plot = null;
    }
    if (each.plot === null) {
      const series = there.map((name) => SERIES[name]);
      const scales = { x: { time: true }, y: { range: fromZero } };
      each.drawn = there.join(" ");
      each.plot = chart(each.element, dataOf(there), series, { unit: series[0].unit ?? "", scales });
    } else {
      each.plot.setData(dataOf(there));
    }
    // While nobody points at anything, the legend tells what is now.
    if (each.plot.cursor.idx == null) each.plot.setLegend({ idx: history.at.length - 1 });
  }
}

function fromZero(_, low, high) {
  return [0, high > 0 ? high * 1.08 : 1];
}

async function load() {
  try {
    const answer = await fetch(`/v1/telemetry?points=${POINTS}`);
    if (!answer.ok) throw new TypeError(`status ${answer.status}`);
    history = await answer.json();
    redraw();
    document.getElementById("charts").setAttribute("aria-busy", "false");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // the service is away: live.js says so
    setTimeout(load, RETRY_MS);
  }
}

for (const element of document.querySelectorAll("[data-chart]")) {
  const names = element.dataset.chart.split(" ");
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", `${element.previousElementSibling.textContent}, last hour`);
  charts.push({ element, names, optional: element.closest("section").hidden, plot: null, drawn: "" });
}
document.addEventListener("telemetry", (event) => {
  show(event.detail);
  append(event.detail);
  redraw();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (shares !== null) drawShares(document.getElementById("slots-now"), shares);
});
new ResizeObserver(() => shares !== null && drawShares(document.getElementById("slots-now"), shares)).observe(
  document.getElementById("slots-now"),
);
colour("accent"); // styles are there before anything is drawn
load();
