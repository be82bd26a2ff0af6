// How points are drawn: as squares as large as the pixel that the recording camera saw them in, or a multiple of it.

import { BufferAttribute, BufferGeometry, Points, ShaderMaterial } from "../vendor/three.js";

const VERTEX = `
attribute vec3 paint;
uniform vec3 recorder;
uniform float spread;
uniform float focal;
varying vec3 shade;
void main() {
  shade = paint;
  vec4 world = modelMatrix * vec4(position, 1.0);
  vec4 seen = viewMatrix * world;
  gl_Position = projectionMatrix * seen;
  float width = spread * distance(world.xyz, recorder);
  gl_PointSize = clamp(focal * width / max(-seen.z, 1e-3), 1.5, 40.0);
}`;

const FRAGMENT = `
varying vec3 shade;
void main() {
  gl_FragColor = vec4(shade, 1.0);
}`;

/** Uniforms shared by all clouds of a scene. */
export function sharedUniforms() {
  return { recorder: { value: null }, spread: { value: 0.01 }, focal: { value: 500 } };
}

/** Return points with room for `capacity`: `steps` (uint16, three each) and `paint` (uint8, three each) are theirs. */
export function cloudOf(capacity, uniforms) {
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(new Uint16Array(3 * capacity), 3));
  geometry.setAttribute("paint", new BufferAttribute(new Uint8Array(3 * capacity), 3, true));
  geometry.setDrawRange(0, 0);
  const points = new Points(geometry, new ShaderMaterial({ vertexShader: VERTEX, fragmentShader: FRAGMENT, uniforms }));
  points.frustumCulled = false; // its places change every frame
  return points;
}

/** Put steps into points; value = low + step * integer is left to the graphics. */
export function place(points, steps, low, step) {
  const { position } = points.geometry.attributes;
  position.array.set(steps);
  changed(position, steps.length);
  points.position.set(...low);
  points.scale.set(...step);
  points.geometry.setDrawRange(0, steps.length / 3);
}

/** Have the first `length` numbers of an attribute sent to the graphics. */
export function changed(attribute, length) {
  attribute.clearUpdateRanges();
  attribute.addUpdateRange(0, length);
  attribute.needsUpdate = true;
}
