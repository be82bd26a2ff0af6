// What slots and stages do: names, colours, and bars drawn with them.

import { colour } from "./charts.js";

/** Stage → what it means, its colour (a name of app.css), and whether it is a slot's. */
export const STAGES = {
  load: { text: "load: a scene is built", colour: "info", slot: true },
  simulate: { text: "simulate", colour: "accent", slot: true },
  wait: { text: "wait: no room after it", colour: "warn", slot: true },
  idle: { text: "idle", colour: "line", slot: true },
  render: { text: "render", colour: "violet" },
  encode: { text: "encode", colour: "pink" },
  commit: { text: "commit", colour: "good" },
};

/** Make a canvas as sharp as the screen and return its context, scaled to CSS pixels. */
export function sharp(canvas, height) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height };
}

/** Draw how many slots are in each state as one bar. */
export function drawShares(canvas, counts) {
  const { context, width, height } = sharp(canvas, 14);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  context.fillStyle = colour("line");
  context.fillRect(0, 0, width, height);
  let x = 0;
  for (const stage of ["simulate", "load", "wait"]) {
    const share = total ? ((counts[stage] ?? 0) / total) * width : 0;
    context.fillStyle = colour(STAGES[stage].colour);
    context.fillRect(x, 0, share, height);
    x += share;
  }
}
