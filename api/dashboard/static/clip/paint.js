// Colours of points by what is asked for: as seen, by velocity, by instance, or by what the camera sees.

import { hsv, turbo } from "./legends.js";

const GOLDEN = 0.618033988749895;
const UNKNOWN = [96, 104, 112];
export const SEEN = [86, 214, 140];
export const HIDDEN = [236, 84, 160];

/** Return the colour in which the service paints an instance. */
export function instanceColour(id) {
  if (id === 0) return [60, 66, 74];
  return hsv(((id * GOLDEN) % 1) * 360, 0.65, 0.95);
}

function fill(target, colours, ids) {
  const known = new Map();
  for (let k = 0; k < ids.length; k++) {
    let each = known.get(ids[k]);
    if (each === undefined) known.set(ids[k], (each = colours(ids[k])));
    target[3 * k] = each[0];
    target[3 * k + 1] = each[1];
    target[3 * k + 2] = each[2];
  }
}

/** Paint the moving points `begin` to `end` of a part into an array of bytes. */
export function paintMoving(target, mode, part, begin, end, fastest) {
  const colours = part.colour.subarray(3 * begin, 3 * end);
  const ids = part.instance.subarray(begin, end);
  if (mode === "rgb") target.set(colours);
  else if (mode === "instance") fill(target, instanceColour, ids);
  else if (mode === "visibility") fill(target, () => SEEN, ids);
  else {
    const velocity = part.velocity;
    const scale = part.speedStep / Math.max(fastest, 1e-9);
    for (let k = 0, at = 3 * begin; at < 3 * end; k += 3, at += 3) {
      const isKnown = velocity[at] !== part.unknown;
      const speed = Math.hypot(velocity[at], velocity[at + 1], velocity[at + 2]) * scale;
      const colour = isKnown ? turbo(0.08 + 0.92 * Math.min(speed, 1)) : UNKNOWN;
      target[k] = colour[0];
      target[k + 1] = colour[1];
      target[k + 2] = colour[2];
    }
  }
}

/** Paint what stands still: by velocity and visibility it steps back, so that the rest shows. */
export function paintStill(target, mode, background) {
  if (mode === "instance") fill(target, instanceColour, background.instance);
  else if (mode === "rgb") target.set(background.colour);
  else {
    const { colour } = background;
    for (let k = 0; k < colour.length; k += 3) {
      const grey = 0.32 * (0.3 * colour[k] + 0.59 * colour[k + 1] + 0.11 * colour[k + 2]) + 14;
      target[k] = 0.9 * grey;
      target[k + 1] = grey;
      target[k + 2] = 1.12 * grey;
    }
  }
}
