// The 4D points of a clip, fetched some frames at a time, the first frame and what stands still before all others.

import { ask, positions, unpack } from "./packed.js";

const CHUNK = 8; // frames of a message
const KEPT_BYTES = 160e6; // of decoded frames; the longest unused go first

/** Holds what was fetched; `loaded` events tell of more. */
export class Cloud extends EventTarget {
  constructor(clip, frames, points) {
    super();
    Object.assign(this, { clip, frames, points, background: null, error: null });
    this.parts = new Map(); // first frame → {start, count, low, step, …} or {loading}
    this.bytes = 0;
    this.fastest = 0; // [m/s] of all that came so far
  }

  /** Fetch the first frame alone, so that it shows early. */
  async start() {
    await this.load(0, 1, true);
    return this.error === null;
  }

  /** Return the points of a frame, or null if they are not here. */
  at(frame) {
    const part = this.parts.get(this.first(frame));
    if (!part?.offsets || frame - part.start >= part.count) return null;
    part.used = performance.now();
    const [begin, end] = [part.offsets[frame - part.start], part.offsets[frame - part.start + 1]];
    return { part, begin, end };
  }

  isReady(frame) {
    const part = this.parts.get(this.first(frame));
    return part !== undefined && !part.loading;
  }

  /** Fetch what is missing around a frame: its own part and the next. */
  want(frame) {
    if (this.error !== null) return;
    for (const start of [this.first(frame), this.first((frame + CHUNK) % this.frames)]) {
      if (!this.parts.has(start)) this.load(start, start === 0 ? 1 : CHUNK, false);
    }
  }

  /** Frame 0 is a part of its own; from 1 on they have CHUNK frames each. */
  first(frame) {
    return frame === 0 ? 0 : 1 + CHUNK * Math.floor((frame - 1) / CHUNK);
  }

  async load(start, count, background) {
    this.parts.set(start, { loading: true });
    try {
      const query = `start=${start}&count=${count}&points=${this.points}&background=${background ? "yes" : "no"}`;
      const message = unpack(await (await ask(`/v1/clips/${this.clip}/cloud?${query}`)).arrayBuffer());
      this.parts.set(start, this.decoded(message));
      if (message.background) this.keepBackground(message);
      this.forget(start);
    } catch (error) {
      this.parts.set(start, { failed: true });
      if (background) this.error = error;
      this.failure = error;
    }
    this.dispatchEvent(new Event("loaded"));
  }

  decoded({ start, count, position, velocity, arrays, stored }) {
    const bytes = Object.values(arrays).reduce((sum, each) => sum + each.byteLength, 0);
    this.bytes += bytes;
    const part = { start, count, bytes, stored, ...arrays, ...position, steps: positions(arrays.position) };
    part.speedStep = velocity.step;
    part.unknown = velocity.unknown;
    part.used = performance.now();
    for (const each of arrays.velocity) {
      if (each !== velocity.unknown) this.fastest = Math.max(this.fastest, Math.abs(each) * velocity.step);
    }
    return part;
  }

  keepBackground({ background, arrays, sources }) {
    this.sources = sources;
    this.background = {
      ...background,
      steps: positions(arrays.background_position),
      colour: arrays.background_colour,
      instance: arrays.background_instance,
      count: arrays.background_instance.length,
    };
  }

  forget(newest) {
    const old = [...this.parts].filter(([start, part]) => part.bytes && start !== 0 && start !== newest);
    old.sort(([, a], [, b]) => a.used - b.used);
    while (this.bytes > KEPT_BYTES && old.length > 1) {
      const [start, part] = old.shift();
      this.bytes -= part.bytes;
      this.parts.delete(start);
    }
  }
}

/** Fetch the tracks of a clip; null if it has none. */
export async function fetchTracks(clip) {
  let answer;
  try {
    answer = await ask(`/v1/clips/${clip}/tracks?limit=2000`);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
  const { frame_count: frames, count, moving, position, arrays } = unpack(await answer.arrayBuffer());
  const steps = positions(arrays.position);
  const places = new Float32Array(steps.length);
  for (let k = 0; k < steps.length; k++) places[k] = position.low[k % 3] + position.step[k % 3] * steps[k];
  const row = Math.ceil(count / 8);
  const isVisible = (frame, track) => (arrays.visible[frame * row + (track >> 3)] >> (7 - (track & 7))) & 1;
  return { frames, count, moving, places, moves: arrays.moves, instance: arrays.instance, isVisible };
}
