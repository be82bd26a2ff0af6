// Tracks of material points as trails that fade into the past.

import {
  BufferAttribute, BufferGeometry, LineBasicMaterial, LineSegments, Points, PointsMaterial,
} from "../vendor/three.js";
import { HIDDEN, SEEN, instanceColour } from "./paint.js";

const LENGTH = 12; // frames that a trail reaches back
const MOST = 700; // trails
const WARM = [[255, 214, 102], [255, 138, 76]]; // now, and LENGTH frames ago

/** Trails of those tracks that move, and a dot where each is now. */
export class Trails {
  constructor(tracks) {
    this.tracks = tracks;
    const moving = [...tracks.moves.keys()].filter((track) => tracks.moves[track]);
    const every = Math.ceil(moving.length / MOST);
    this.rows = moving.filter((_, k) => k % every === 0);
    const lines = new BufferGeometry();
    lines.setAttribute("position", new BufferAttribute(new Float32Array(6 * this.rows.length * LENGTH), 3));
    lines.setAttribute("color", new BufferAttribute(new Uint8Array(8 * this.rows.length * LENGTH), 4, true));
    const style = { vertexColors: true, transparent: true, depthWrite: false, toneMapped: false };
    this.lines = new LineSegments(lines, new LineBasicMaterial(style));
    const dots = new BufferGeometry();
    dots.setAttribute("position", new BufferAttribute(new Float32Array(3 * tracks.count), 3));
    dots.setAttribute("color", new BufferAttribute(new Uint8Array(3 * tracks.count), 3, true));
    this.dots = new Points(dots, new PointsMaterial({ vertexColors: true, size: 3.5, sizeAttenuation: false }));
    for (const each of [this.lines, this.dots]) each.frustumCulled = false;
  }

  /** Move to a frame; by visibility all tracks have a dot, else none. */
  show(frame, mode) {
    const { places, count, frames, isVisible, instance } = this.tracks;
    const { position, color } = this.lines.geometry.attributes;
    let vertex = 0;
    for (const track of this.rows) {
      const own = mode === "instance" ? instanceColour(instance[track]) : null;
      for (let back = 0; back < LENGTH && frame - back >= 1; back++) {
        for (const age of [back, back + 1]) {
          const at = 3 * ((frame - age) * count + track);
          position.array.set(places.subarray(at, at + 3), 3 * vertex);
          const share = age / LENGTH;
          const seen = mode === "visibility" && (isVisible(frame - age, track) ? SEEN : HIDDEN);
          const base = seen || own || WARM[0].map((value, k) => value + (WARM[1][k] - value) * share);
          color.array.set(base, 4 * vertex);
          color.array[4 * vertex + 3] = 230 * (1 - share) ** 1.5;
          vertex++;
        }
      }
    }
    this.lines.geometry.setDrawRange(0, vertex);
    position.needsUpdate = color.needsUpdate = true;
    const dots = this.dots.geometry;
    dots.setDrawRange(0, mode === "visibility" ? count : 0);
    if (mode !== "visibility" || frame >= frames) return;
    dots.attributes.position.array.set(places.subarray(3 * frame * count, 3 * (frame + 1) * count));
    for (let track = 0; track < count; track++) {
      dots.attributes.color.array.set(isVisible(frame, track) ? SEEN : HIDDEN, 3 * track);
    }
    dots.attributes.position.needsUpdate = dots.attributes.color.needsUpdate = true;
  }

  set visible(value) {
    this.lines.visible = this.dots.visible = value;
  }
}
