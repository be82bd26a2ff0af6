// The clip page: one clock for pictures, scene and curves, and the controls that people have of them.

import { figure } from "../charts.js";
import { Clock } from "./clock.js";
import { Cloud, fetchTracks } from "./cloud.js";
import { Film } from "./film.js";
import { bar, explain, turbo } from "./legends.js";
import { showMechanics } from "./mechanics.js";
import { ask } from "./packed.js";
import { HIDDEN, SEEN, instanceColour } from "./paint.js";
import { Space } from "./space.js";

const POINTS = 50_000; // of one frame
const HAS_SPACE = ["points", "depth"];

const element = (id) => document.getElementById(id);
const root = element("viewer");
const about = {
  clip: root.dataset.clip,
  frames: Number(root.dataset.frames),
  fps: Number(root.dataset.fps),
  width: Number(root.dataset.width),
  height: Number(root.dataset.height),
  modalities: root.dataset.modalities.split(" "),
};
const clock = new Clock(about.frames, about.fps);
const figures = document.querySelectorAll(".picture");
const cloud = new Cloud(about.clip, about.frames, POINTS);
let space = null;
let view = null;

const viewer = {
  clock,
  cloud,
  times: {}, // [ms] since the page was asked for
  get space() { return space; },
  get frame() { return clock.frame; },
  get shownFrame() { return space?.shown ?? -1; },
  get pointCount() { return space?.pointCount ?? 0; },
  get checksum() { return space?.checksum ?? 0; },
  seek: (frame) => clock.seek(frame),
};
window.viewer = viewer; // for tests and for curious people
viewer.ready = start();

async function start() {
  const asked = ask(`/v1/clips/${about.clip}/view`).then((answer) => answer.json());
  asked.catch(() => {}); // told below
  const isSpatial = HAS_SPACE.some((name) => about.modalities.includes(name));
  const first = isSpatial ? cloud.start() : Promise.resolve(false);
  controls();
  const film = new Film(clock, figures, about);
  viewer.film = film;
  if (isSpatial) openSpace();
  else message(`No points and no depth were recorded, so there is no scene in space. There is: ${about.modalities.join(", ")}.`);
  clock.isReady = (frame) => film.isReady(frame) && (space === null || cloud.error !== null || cloud.isReady(frame));
  try {
    view = await asked;
    explain(figures, view.ranges, view.units);
  } catch (error) {
    message(error.message);
  }
  if (await first) await inhabit();
  else if (isSpatial) message(cloud.error?.message ?? "The points could not be read.");
  viewer.times.interactive = performance.now();
  showMechanics(about.clip, clock);
  return viewer;
}

function openSpace() {
  try {
    space = new Space(element("space"), clock, cloud);
  } catch (error) {
    message(`This browser cannot draw in space: ${error.message}`);
  }
}

/** Bring the first frame into view, then what follows it. */
async function inhabit() {
  if (space === null) return;
  space.show();
  if (view?.camera) space.record(view.camera, about.width, about.height);
  legend();
  tell();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  if (!about.modalities.includes("tracks")) {
    element("show-tracks").disabled = true;
    return;
  }
  fetchTracks(about.clip).then((tracks) => tracks && space.addTracks(tracks), (error) => message(error.message));
}

function message(text) {
  element("space-message").hidden = false;
  element("space-message").textContent = text;
  element("space-status").textContent = "";
}

function tell() {
  const last = about.frames - 1;
  element("now").textContent = `frame ${clock.frame} of ${last} · ${(clock.frame / about.fps).toFixed(3)} s`;
  element("time").value = String(clock.frame);
  element("time").setAttribute("aria-valuetext", `frame ${clock.frame} of ${last}`);
  if (space !== null && cloud.error === null && viewer.pointCount) {
    const late = space.shown === clock.frame ? "" : " · loading";
    element("space-status").textContent = `${viewer.pointCount.toLocaleString("en")} points${late}`;
  }
}

function legend() {
  const target = element("space-legend");
  target.replaceChildren();
  if (space.mode === "velocity") {
    const ends = document.createElement("div");
    ends.className = "ends";
    for (const text of ["0", `${figure(cloud.fastest)} m/s`]) {
      ends.appendChild(document.createElement("span")).textContent = text;
    }
    target.append("Speed", bar((x) => turbo(0.08 + 0.92 * x), 140, 8, "speed"), ends);
  } else if (space.mode === "instance") {
    target.append(names((view?.instances ?? []).slice(0, 12).map(({ name, id }) => [name, instanceColour(id)])));
  } else if (space.mode === "visibility") {
    target.append(names([["seen by the camera", SEEN], ["hidden from it (tracks)", HIDDEN]]));
  }
}

function names(entries) {
  const list = document.createElement("div");
  list.className = "names";
  for (const [name, colour] of entries) {
    const entry = document.createElement("span");
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = `rgb(${colour.join(" ")})`;
    entry.append(swatch, name);
    list.append(entry);
  }
  return list;
}

function controls() {
  const play = element("play");
  play.addEventListener("click", () => (clock.playing ? clock.pause() : clock.play()));
  clock.addEventListener("state", () => {
    play.textContent = clock.playing ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(clock.playing));
  });
  clock.addEventListener("change", tell);
  cloud.addEventListener("loaded", () => requestAnimationFrame(tell));
  element("step-back").addEventListener("click", () => clock.step(-1));
  element("step-on").addEventListener("click", () => clock.step(1));
  element("time").addEventListener("input", (event) => {
    clock.pause();
    clock.seek(Number(event.target.value));
  });
  element("speed").addEventListener("change", (event) => (clock.speed = Number(event.target.value)));
  element("loop").addEventListener("change", (event) => (clock.loop = event.target.checked));
  element("colour-by").addEventListener("change", (event) => {
    space?.colourBy(event.target.value);
    if (space) legend();
  });
  element("point-size").addEventListener("input", (event) => space?.resizePoints(Number(event.target.value)));
  const shows = { background: "still", tracks: "trails", camera: "marks", grid: "grid" };
  for (const [name, part] of Object.entries(shows)) {
    element(`show-${name}`).addEventListener("change", (event) => {
      if (!space?.[part]) return;
      space[part].visible = event.target.checked;
      space.draw();
      tell();
    });
  }
  element("reset-view").addEventListener("click", () => space?.resetView());
  element("camera-view").addEventListener("click", () => space?.recordedView());
  element("copy")?.addEventListener("click", copy);
  document.addEventListener("keydown", keys);
  for (const swatch of document.querySelectorAll(".swatch[data-instance]")) {
    const id = Number(swatch.dataset.instance);
    if (Number.isInteger(id)) swatch.style.background = `rgb(${instanceColour(id).join(" ")})`;
  }
}

/** Arrow keys step through time wherever they mean nothing else; so does the space bar play. */
function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (event.target.closest?.("input, select, textarea, button, a, summary, pre, canvas, [contenteditable]")) return;
  if (event.key === "ArrowLeft") clock.step(-1);
  else if (event.key === "ArrowRight") clock.step(1);
  else if (event.key === "Home") clock.seek(0);
  else if (event.key === "End") clock.seek(about.frames - 1);
  else if (event.key === " ") clock.playing ? clock.pause() : clock.play();
  else return;
  event.preventDefault();
}

async function copy(event) {
  const text = element(event.target.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
    event.target.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(element(event.target.dataset.copy)); // for the person to copy
    event.target.textContent = "Selected";
  }
  setTimeout(() => (event.target.textContent = "Copy"), 2000);
}
