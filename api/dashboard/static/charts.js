// Line charts over time by uPlot, in the page's colours and as wide as the element that holds them.

import uPlot from "./vendor/uplot.js";

const HEIGHT = 140; // px

/** Return the value of a colour of app.css, e.g. `colour("accent")`. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Return a number as people read it: three digits that count, and k, M, G for thousands. */
export function figure(value) {
  if (value === null || value === undefined) return "–";
  let scaled = value;
  for (const unit of ["", " k", " M", " G", " T"]) {
    if (Math.abs(scaled) < 1000) return Number(scaled.toPrecision(3)).toString() + unit;
    scaled /= 1000;
  }
  return scaled.toExponential(2);
}

function withUnit(value, unit) {
  const text = figure(value);
  return !unit || text === "–" ? text : /[kMGT]$/.test(text) ? text + unit : `${text} ${unit}`;
}

function timeOf(value) {
  return value === null ? "–" : new Date(value * 1000).toLocaleTimeString("en-GB");
}

/** Write the times of an axis in one line, with seconds where these differ. */
function clock(_, ticks, axis, space, step) {
  const format = { hour: "2-digit", minute: "2-digit", ...(step < 60 && { second: "2-digit" }) };
  return ticks.map((tick) => new Date(tick * 1000).toLocaleTimeString("en-GB", format));
}

/**
 * Draw a chart into an element and return it; `setData([xs, ys, …])` changes it.
 *
 * series: [{label, colour (a name of app.css), fill}]; options: {height, time (false: x is a plain number), unit, ...uPlot's}.
 */
export function chart(element, data, series, { height = HEIGHT, time = true, unit = "", ...more } = {}) {
  const axis = () => ({
    stroke: () => colour("muted"),
    grid: { stroke: () => colour("line"), width: 1 },
    ticks: { stroke: () => colour("line"), width: 1, size: 4 },
    font: "11px system-ui, sans-serif",
    size: 44,
  });
  const lines = series.map((each) => ({
    label: each.label,
    stroke: () => colour(each.colour ?? "accent"),
    fill: each.fill ? () => colour("accent-soft") : undefined,
    width: 1.5,
    points: { show: false },
    value: (_, value) => withUnit(value, unit),
  }));
  const plot = new uPlot(
    {
      width: Math.max(element.clientWidth, 100),
      height,
      scales: { x: { time } },
      series: [time ? { label: "time", value: (_, value) => timeOf(value) } : { label: more.xLabel ?? "x" }, ...lines],
      axes: [{ ...axis(), size: 28, ...(time && { values: clock, space: 64 }) }, { ...axis(), values: (_, ticks) => ticks.map(figure) }],
      cursor: { y: false, points: { size: 6 } },
      legend: { live: true },
      ...more,
    },
    data,
    element,
  );
  new ResizeObserver(() => plot.setSize({ width: Math.max(element.clientWidth, 100), height })).observe(element);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw());
  return plot;
}
