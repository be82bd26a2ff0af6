// The pictures of a clip: strips of frames fetched ahead of time, drawn onto one canvas for each modality.

import { ask } from "./packed.js";

const CHUNK = 16; // frames of a strip
const HIGHEST = 16383; // px that a WebP picture can be high
const KEPT_PIXELS = 48e6; // of all strips together that stay decoded
const AT_A_TIME = 3;

/** Shows the frame of a clock on the canvases of figures with `data-modality`. */
export class Film {
  constructor(clock, figures, { clip, width, height, frames }) {
    Object.assign(this, { clock, clip, width, height, frames });
    this.chunk = Math.max(1, Math.min(CHUNK, Math.floor(HIGHEST / height)));
    this.strips = new Map(); // "modality/chunk" → {bitmap, used} or {loading} or {failed}
    this.waiting = [];
    this.running = 0;
    this.panels = [...figures].map((figure) => {
      const canvas = figure.querySelector("canvas");
      return { figure, canvas, pen: canvas.getContext("2d"), modality: figure.dataset.modality, shown: -1 };
    });
    clock.addEventListener("change", () => this.draw());
    this.draw();
  }

  /** Whether all pictures of a frame are there, or never will be. */
  isReady(frame) {
    const chunk = Math.floor(frame / this.chunk);
    return this.panels.every(({ modality }) => {
      const strip = this.strips.get(`${modality}/${chunk}`);
      return strip !== undefined && !strip.loading;
    });
  }

  draw() {
    const frame = this.clock.frame;
    const chunk = Math.floor(frame / this.chunk);
    for (const panel of this.panels) {
      const strip = this.strips.get(`${panel.modality}/${chunk}`);
      if (strip?.bitmap) {
        strip.used = performance.now();
        const top = (frame - chunk * this.chunk) * this.height;
        panel.pen.drawImage(strip.bitmap, 0, top, this.width, this.height, 0, 0, this.width, this.height);
        panel.shown = frame;
      }
    }
    this.want(chunk);
  }

  /** Fetch the strips of a chunk and, after them, of the next. */
  want(chunk) {
    const last = Math.floor((this.frames - 1) / this.chunk);
    const chunks = [chunk, chunk < last ? chunk + 1 : 0];
    this.waiting = [];
    for (const each of chunks) {
      for (const panel of this.panels) {
        if (!this.strips.has(`${panel.modality}/${each}`)) this.waiting.push([panel, each]);
      }
    }
    this.next();
  }

  next() {
    while (this.running < AT_A_TIME && this.waiting.length) {
      const [panel, chunk] = this.waiting.shift();
      if (!this.strips.has(`${panel.modality}/${chunk}`)) this.load(panel, chunk);
    }
  }

  async load(panel, chunk) {
    const name = `${panel.modality}/${chunk}`;
    this.strips.set(name, { loading: true });
    this.running++;
    try {
      const address = `/v1/clips/${this.clip}/strip/${panel.modality}?start=${chunk * this.chunk}&count=${this.chunk}`;
      const answer = await ask(address);
      const bitmap = await createImageBitmap(await answer.blob());
      this.strips.set(name, { bitmap, used: performance.now() });
      this.forget();
    } catch (error) {
      this.strips.set(name, { failed: true });
      this.fail(panel, error);
    }
    this.running--;
    this.draw();
  }

  fail(panel, error) {
    if (panel.figure.dataset.state === "failed") return;
    panel.figure.dataset.state = "failed";
    const note = document.createElement("span");
    note.className = "failed";
    note.setAttribute("role", "alert");
    note.textContent = error.message;
    panel.figure.querySelector("figcaption").append(note);
  }

  /** Let go of the strips that were not looked at for longest. */
  forget() {
    const decoded = [...this.strips].filter(([, strip]) => strip.bitmap).sort(([, a], [, b]) => a.used - b.used);
    let pixels = decoded.reduce((sum, [, { bitmap }]) => sum + bitmap.width * bitmap.height, 0);
    const needed = 2 * this.panels.length; // this chunk's and the next one's
    while (pixels > KEPT_PIXELS && decoded.length > needed) {
      const [name, { bitmap }] = decoded.shift();
      pixels -= bitmap.width * bitmap.height;
      bitmap.close();
      this.strips.delete(name);
    }
  }
}
