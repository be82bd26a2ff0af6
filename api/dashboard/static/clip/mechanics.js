// Energy, momentum and contacts over time, with a cursor at the frame that is shown.

import { chart, colour } from "../charts.js";
import { ask } from "./packed.js";

const COLOURS = ["accent", "info", "warn", "violet", "pink", "cyan", "good", "bad"];
const CURVES = 7; // of single bodies in one chart

/** Marks the time of a clock in a chart. */
function cursor(clock) {
  return {
    hooks: {
      draw: (plot) => {
        const x = plot.valToPos(clock.frame / clock.fps, "x", true);
        const { left, top, width, height } = plot.bbox;
        if (x < left - 1 || x > left + width + 1) return;
        plot.ctx.save();
        plot.ctx.strokeStyle = colour("text");
        plot.ctx.lineWidth = devicePixelRatio;
        plot.ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
        plot.ctx.beginPath();
        plot.ctx.moveTo(x, top);
        plot.ctx.lineTo(x, top + height);
        plot.ctx.stroke();
        plot.ctx.restore();
      },
    },
  };
}

function say(id, text) {
  const note = document.createElement("p");
  note.className = "empty";
  note.textContent = text;
  document.getElementById(id).replaceChildren(note);
}

/** Fetch the curves of a clip and draw them; clicks and drags in a chart move the clock. */
export async function showMechanics(clip, clock) {
  let found;
  try {
    found = await (await ask(`/v1/clips/${clip}/mechanics`)).json();
  } catch (error) {
    for (const id of ["energy", "momentum", "contacts"]) say(id, error.message);
    return [];
  }
  const plots = [];
  const draw = (id, series, curves, unit) => {
    const element = document.getElementById(id);
    element.replaceChildren();
    const more = { time: false, unit, xLabel: "s", height: 150, plugins: [cursor(clock)] };
    const plot = chart(element, [found.time, ...curves], series, more);
    plot.over.addEventListener("pointerdown", (event) => seek(plot, event));
    plot.over.addEventListener("pointermove", (event) => event.buttons === 1 && seek(plot, event));
    plots.push(plot);
  };
  const seek = (plot, event) => {
    clock.pause();
    clock.seek(plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x") * clock.fps);
  };
  const bodies = found.bodies.filter((body) => body.mass !== null);
  if (bodies.length === 0) {
    const why = found.bodies.length ? "No body here reacts to forces." : "The bodies' states were not recorded.";
    say("energy", why);
    say("momentum", why);
  } else {
    drawEnergy(draw, found);
    const strongest = bodies.slice(0, CURVES);
    draw("momentum", strongest.map((body, k) => ({ label: body.name.slice(0, 24), colour: COLOURS[k % COLOURS.length] })),
      strongest.map((body) => body.momentum), "kg m/s");
  }
  drawContacts(draw, found.contacts);
  const mark = () => {
    const idx = Math.round(clock.frame / (found.frame.length > 1 ? found.frame[1] : 1));
    for (const plot of plots) {
      plot.redraw(false);
      plot.setLegend({ idx }, false);
    }
  };
  clock.addEventListener("change", mark);
  mark();
  const remarks = [...found.unknown, ...bodies.filter((body) => body.note).map((body) => `${body.name}: ${body.note}`)];
  document.getElementById("plots-note").textContent = remarks.length ? `Not known: ${remarks.slice(0, 8).join("; ")}.` : "";
  return plots;
}

function drawEnergy(draw, found) {
  const { kinetic, potential } = found.total;
  if (potential === null) {
    draw("energy", [{ label: "kinetic", colour: "info" }], [kinetic], "J");
    return;
  }
  const lowest = Math.min(...potential); // potentials have no zero of their own
  const above = potential.map((value) => value - lowest);
  draw("energy", [
    { label: "kinetic", colour: "info" },
    { label: "potential", colour: "warn" },
    { label: "sum", colour: "text" },
  ], [kinetic, above, kinetic.map((value, k) => value + above[k])], "J");
}

function drawContacts(draw, contacts) {
  if (contacts === null) say("contacts", "Contacts were not recorded.");
  else if (contacts.impulse.every((value) => value === null || value === 0)) {
    draw("contacts", [{ label: "contact points", colour: "violet" }], [contacts.count], "");
  } else draw("contacts", [{ label: "impulse", colour: "violet", fill: true }], [contacts.impulse], "N s");
}
