// Curves of a training run: one chart for each group of metrics, followed while the run goes on.

import { chart, figure } from "./charts.js";

const LOOK_MS = 3000;
const SOON_MS = 100;
const POINTS_MAX = 4000; // of a curve that grew by parts, before it is fetched thinned again
const LINES_MAX = 6; // in one chart
const SMOOTH = 0.9; // weight of what was, for each value
const COLOURS = ["accent", "violet", "warn", "info", "pink", "cyan"];

const place = document.getElementById("curves");
const note = document.getElementById("curves-note");
const isLog = document.getElementById("log-scale");
const isSmooth = document.getElementById("smooth");
const address = `/v1/training/runs/${place.dataset.run}/metrics`;
const charts = new Map(); // group → {element, plot, names}
let curves = new Map(); // metric → {steps, values, count, notFinite}
let next = "";

function groupOf(name) {
  const cut = name.indexOf("/");
  return cut > 0 ? name.slice(0, cut) : name;
}

/** Return the groups of metrics: those before a slash together, at most six in a chart. */
function groups() {
  const found = new Map();
  for (const name of curves.keys()) {
    const group = groupOf(name);
    let title = group;
    for (let part = 2; (found.get(title)?.length ?? 0) >= LINES_MAX; part += 1) title = `${group} (${part})`;
    found.set(title, [...(found.get(title) ?? []), name]);
  }
  return found;
}

function smoothed(values) {
  let mean = 0;
  let weight = 0;
  return values.map((value) => {
    mean = SMOOTH * mean + (1 - SMOOTH) * value;
    weight = SMOOTH * weight + (1 - SMOOTH);
    return mean / weight;
  });
}

/** Return the curves of some metrics over all their steps; null where one has no value. */
function aligned(names) {
  const steps = [...new Set(names.flatMap((name) => curves.get(name).steps))].sort((a, b) => a - b);
  const columns = names.map((name) => {
    const curve = curves.get(name);
    const values = isSmooth.checked ? smoothed(curve.values) : curve.values;
    const byStep = new Map(curve.steps.map((step, number) => [step, values[number]]));
    return steps.map((step) => {
      const value = byStep.get(step);
      return value === undefined || (isLog.checked && value <= 0) ? null : value;
    });
  });
  return [steps, ...columns];
}

function shown(title, names) {
  let each = charts.get(title);
  if (each === undefined) {
    const section = document.createElement("section");
    section.className = "card chart";
    const heading = document.createElement("h3");
    heading.textContent = title;
    const element = document.createElement("div");
    element.setAttribute("role", "img");
    const words = document.createElement("p");
    words.className = "muted";
    section.append(heading, element, words);
    place.append(section);
    each = { section, element, words, plot: null, drawn: "" };
    charts.set(title, each);
  }
  const data = aligned(names);
  const drawn = JSON.stringify([names, isLog.checked]);
  if (each.plot === null || each.drawn !== drawn) {
    each.plot?.destroy();
    const series = names.map((name, number) => ({ label: name, colour: COLOURS[number % COLOURS.length] }));
    each.plot = chart(each.element, data, series, {
      height: 200,
      time: false,
      xLabel: "step",
      scales: { x: { time: false }, y: isLog.checked ? { distr: 3 } : {} },
    });
    each.drawn = drawn;
  } else {
    each.plot.setData(data);
  }
  const { plot } = each;
  requestAnimationFrame(() => {
    // While nobody points at anything, the legend tells the newest values.
    if (plot === each.plot && plot.cursor.idx == null && data[0].length) plot.setLegend({ idx: data[0].length - 1 });
  });
  const told = names.map((name) => {
    const curve = curves.get(name);
    const last = curve.values.length ? `${figure(curve.values.at(-1))} at step ${curve.steps.at(-1)}` : "no value";
    return `${name} ${last}${curve.notFinite ? `, ${curve.notFinite} values that are no number` : ""}`;
  });
  each.words.textContent = told.join(" · ");
  each.element.setAttribute("aria-label", `Curves over steps: ${told.join("; ")}`);
}

function redraw() {
  const found = groups();
  for (const [title, each] of charts) {
    if (!found.has(title)) {
      each.plot?.destroy();
      each.section.remove();
      charts.delete(title);
    }
  }
  for (const [title, names] of found) shown(title, names);
}

function take(answer, isWhole) {
  if (isWhole) curves = new Map();
  let changed = isWhole;
  for (const { name, steps, values, count, not_finite: notFinite } of answer.curves) {
    const curve = curves.get(name) ?? { steps: [], values: [], count: 0, notFinite: 0 };
    while (steps.length && curve.steps.length && curve.steps.at(-1) >= steps[0]) {
      curve.steps.pop();
      curve.values.pop();
    }
    curve.steps.push(...steps);
    curve.values.push(...values);
    curve.count += count;
    curve.notFinite += notFinite;
    curves.set(name, curve);
    changed = true;
  }
  next = answer.next;
  if (isWhole) {
    const words = [];
    if (!answer.curves.length) words.push("Nothing was told yet.");
    if (answer.skipped) words.push(`${answer.skipped} lines could not be read.`);
    if (answer.left_out) words.push(`${answer.left_out} or more metrics are left out: 200 are shown.`);
    note.textContent = words.join(" ");
  }
  if (changed) redraw();
  place.setAttribute("aria-busy", String(!answer.is_complete));
}

async function look() {
  let wait = LOOK_MS;
  if (!document.hidden) {
    try {
      const isWhole = !next || [...curves.values()].some((curve) => curve.steps.length > POINTS_MAX);
      const answer = await fetch(isWhole ? address : `${address}?since=${next}`);
      if (answer.ok) {
        const told = await answer.json();
        if (told.is_reset) {
          next = "";
          wait = SOON_MS;
        } else {
          take(told, isWhole);
          if (!told.is_complete) wait = SOON_MS;
          if (isWhole && !told.is_complete) next = "";
        }
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the service is away: live.js says so
    }
  }
  setTimeout(look, wait);
}

isLog.addEventListener("change", redraw);
isSmooth.addEventListener("change", redraw);
look();
