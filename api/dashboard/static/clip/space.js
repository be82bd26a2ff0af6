// The 4D scene: points, trails, the recording camera and a grid, drawn only when something changed.

import {
  AxesHelper, BufferAttribute, BufferGeometry, Color, GridHelper, Group, Line, LineBasicMaterial, LineSegments, Matrix4,
  OrbitControls, PerspectiveCamera, Scene, Spherical, Vector3, WebGLRenderer,
} from "../vendor/three.js";
import { paintMoving, paintStill } from "./paint.js";
import { changed, cloudOf, place, sharedUniforms } from "./shaders.js";
import { Trails } from "./trails.js";

const NIGHT = "#0d1217";
const PIXEL_RATIO_MAX = 1.5;
const TURN = Math.PI / 36; // of one key press

/** Draws the frame of a clock. `cloud`: what was fetched of the points. */
export class Space {
  constructor(canvas, clock, cloud) {
    Object.assign(this, { canvas, clock, cloud, mode: "rgb", size: 1, trails: null, recorder: null });
    this.renderer = new WebGLRenderer({ canvas, antialias: false, preserveDrawingBuffer: true });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, PIXEL_RATIO_MAX));
    this.scene = new Scene();
    this.scene.background = new Color(NIGHT);
    this.camera = new PerspectiveCamera(50, 1, 0.01, 1000);
    this.camera.up.set(0, 0, 1);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.zoomToCursor = true;
    this.controls.addEventListener("change", () => this.draw());
    this.uniforms = sharedUniforms();
    this.uniforms.recorder.value = new Vector3();
    this.moving = cloudOf(cloud.points, this.uniforms);
    this.still = cloudOf(cloud.points, this.uniforms);
    this.marks = new Group(); // the camera's frustum and path
    this.grid = new Group();
    this.scene.add(this.still, this.moving, this.marks, this.grid);
    this.shown = -1;
    this.frames = 0; // drawn so far
    this.keys();
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    clock.addEventListener("change", () => this.show());
    cloud.addEventListener("loaded", () => this.show());
    this.resize();
  }

  get pointCount() {
    return this.moving.geometry.drawRange.count + (this.still.visible ? this.still.geometry.drawRange.count : 0);
  }

  /** A sum over the places that are shown at this frame [m]: another frame has another. */
  get checksum() {
    const { array } = this.moving.geometry.attributes.position;
    const { count } = this.moving.geometry.drawRange;
    const [low, step] = [this.moving.position.toArray(), this.moving.scale.toArray()];
    let sum = count;
    for (let k = 0; k < 3 * count; k++) sum += (1 + (k % 7)) * (low[k % 3] + step[k % 3] * array[k]);
    return sum;
  }

  /** Put the current frame into the graphics' buffers. */
  show() {
    const frame = this.clock.frame;
    this.cloud.want(frame);
    if (this.cloud.background && !this.still.geometry.drawRange.count) this.showStill();
    const found = this.cloud.at(frame);
    if (found !== null) {
      const { part, begin, end } = found;
      place(this.moving, part.steps.subarray(3 * begin, 3 * end), part.low, part.step);
      this.paint(found);
      this.shown = frame;
      if (this.recorder === null) this.guessView();
    }
    this.trails?.show(frame, this.mode);
    this.moveMarks(frame);
    this.draw();
  }

  showStill() {
    const { steps, low, step } = this.cloud.background;
    place(this.still, steps, low, step);
    this.paintBackground();
  }

  paint({ part, begin, end }) {
    const { paint } = this.moving.geometry.attributes;
    paintMoving(paint.array, this.mode, part, begin, end, this.cloud.fastest);
    changed(paint, 3 * (end - begin));
  }

  paintBackground() {
    if (!this.cloud.background) return;
    const { paint } = this.still.geometry.attributes;
    paintStill(paint.array, this.mode, this.cloud.background);
    changed(paint, 3 * this.cloud.background.count);
  }

  colourBy(mode) {
    this.mode = mode;
    this.paintBackground();
    this.show();
  }

  resizePoints(size) {
    this.size = size;
    this.uniforms.spread.value = size * (this.recorder?.spread ?? 0.004);
    this.draw();
  }

  addTracks(tracks) {
    this.trails = new Trails(tracks);
    this.scene.add(this.trails.lines, this.trails.dots);
    this.show();
  }

  /** Take over the recording camera: {K, camera_to_world, step, moves} and the picture's size [px]. */
  record(camera, width, height) {
    const focal = camera.K[0][0];
    const poses = camera.camera_to_world.map((rows) => new Matrix4().set(...rows));
    const pixels = width * height;
    const shown = Math.max(this.cloud.background?.count ?? 0, 1) + this.moving.geometry.drawRange.count;
    const spread = (1.6 * Math.sqrt(Math.min(Math.max(pixels / shown, 1), 30))) / focal;
    this.recorder = { poses, step: camera.step, width, height, K: camera.K, spread };
    this.uniforms.recorder.value = new Vector3().setFromMatrixPosition(poses[0]);
    this.addMarks();
    this.resizePoints(this.size);
    this.resetView();
    this.show();
  }

  /** Without a camera: look at the points from outside. */
  guessView() {
    const { part } = this.cloud.at(this.clock.frame);
    const low = new Vector3(...part.low);
    const high = new Vector3(...part.step).multiplyScalar(65535).add(low);
    const middle = low.clone().add(high).multiplyScalar(0.5);
    const reach = Math.max(low.distanceTo(high), 0.1);
    this.uniforms.recorder.value = middle.clone().add(new Vector3(0, 0, reach));
    this.look(middle.clone().add(new Vector3(0.7 * reach, -1.2 * reach, 0.8 * reach)), middle, 45, reach);
  }

  /** Stand a little behind, beside and above the camera that recorded. */
  resetView() {
    if (this.recorder === null) return this.cloud.at(this.clock.frame) && this.guessView();
    const { eye, target, angle } = this.ownView(0);
    const offset = eye.clone().sub(target);
    offset.applyAxisAngle(this.camera.up, 0.16).multiplyScalar(1.06);
    offset.z += 0.1 * offset.length();
    return this.look(target.clone().add(offset), target, angle, offset.length());
  }

  /** Stand where the recording camera is at this frame. */
  recordedView() {
    if (this.recorder === null) return;
    const { eye, target, angle } = this.ownView(this.clock.frame);
    this.look(eye, target, angle, eye.distanceTo(target));
  }

  ownView(frame) {
    const { poses, step, width, height, K } = this.recorder;
    const pose = poses[Math.min(Math.floor(frame / step), poses.length - 1)];
    const eye = new Vector3().setFromMatrixPosition(pose);
    const ahead = new Vector3().setFromMatrixColumn(pose, 2);
    const target = eye.clone().addScaledVector(ahead, this.distanceAhead(eye, ahead));
    const tall = (2 * Math.atan(height / 2 / K[1][1]) * 180) / Math.PI;
    const wide = this.camera.aspect * Math.tan((tall * Math.PI) / 360);
    const needed = width / 2 / K[0][0]; // the whole picture has to fit into a narrower canvas
    const angle = wide >= needed ? tall : (2 * Math.atan(needed / this.camera.aspect) * 180) / Math.PI;
    return { eye, target, angle };
  }

  /** How far ahead of the camera the moving points are in the mean [m]. */
  distanceAhead(eye, ahead) {
    const found = this.cloud.at(this.clock.frame) ?? this.cloud.at(0);
    let [sum, count] = [0, 0];
    if (found !== null) {
      const { part, begin, end } = found;
      for (let k = begin; k < end; k += 1 + Math.floor((end - begin) / 500), count++) {
        for (let axis = 0; axis < 3; axis++) {
          const value = part.low[axis] + part.step[axis] * part.steps[3 * k + axis];
          sum += (value - eye.getComponent(axis)) * ahead.getComponent(axis);
        }
      }
    }
    return count && sum > 0 ? sum / count : 2;
  }

  look(eye, target, angle, distance) {
    this.camera.fov = Math.min(angle, 100);
    this.camera.near = Math.max(distance / 500, 1e-3);
    this.camera.far = distance * 400;
    this.camera.position.copy(eye);
    this.controls.target.copy(target);
    this.camera.updateProjectionMatrix();
    this.resize();
    this.controls.update();
    this.addGrid(target, distance);
    this.draw();
  }

  addGrid(target, distance) {
    this.grid.clear();
    const cell = 10 ** Math.round(Math.log10(Math.max(distance, 1e-3) / 4));
    const lines = new GridHelper(20 * cell, 20, "#5b6b7a", "#2b3742");
    lines.rotation.x = Math.PI / 2; // three's grid lies across y; up is z here
    lines.position.set(Math.round(target.x / cell) * cell, Math.round(target.y / cell) * cell, 0);
    lines.material.transparent = true;
    lines.material.opacity = 0.55;
    this.grid.add(lines, new AxesHelper(cell / 2));
  }

  addMarks() {
    const { poses, width, height, K } = this.recorder;
    const path = new BufferGeometry().setFromPoints(poses.map((pose) => new Vector3().setFromMatrixPosition(pose)));
    const reach = 0.12 * this.distanceAhead(new Vector3().setFromMatrixPosition(poses[0]),
      new Vector3().setFromMatrixColumn(poses[0], 2));
    const corner = (x, y) => [((x - K[0][2]) / K[0][0]) * reach, ((y - K[1][2]) / K[1][1]) * reach, reach];
    const corners = [corner(0, 0), corner(width, 0), corner(width, height), corner(0, height)];
    const ends = [];
    corners.forEach((each, k) => ends.push([0, 0, 0], each, each, corners[(k + 1) % 4]));
    const frustum = new BufferGeometry();
    frustum.setAttribute("position", new BufferAttribute(new Float32Array(ends.flat()), 3));
    const gold = new LineBasicMaterial({ color: "#ffd166" });
    this.frustum = new LineSegments(frustum, gold);
    this.frustum.matrixAutoUpdate = false;
    this.marks.add(new Line(path, gold), this.frustum);
  }

  moveMarks(frame) {
    if (this.recorder === null) return;
    const { poses, step } = this.recorder;
    this.frustum.matrix.copy(poses[Math.min(Math.floor(frame / step), poses.length - 1)]);
    this.frustum.matrixWorldNeedsUpdate = true;
  }

  keys() {
    this.canvas.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (by && event.shiftKey) this.move(by[0], by[1]);
      else if (by) this.turn(by[0], by[1]);
      else if (event.key === "+" || event.key === "=") this.near(1 / 1.12);
      else if (event.key === "-") this.near(1.12);
      else if (event.key === "r" || event.key === "R") this.resetView();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  turn(across, up) {
    const offset = this.camera.position.clone().sub(this.controls.target);
    const turned = new Spherical().setFromCartesianCoords(offset.y, offset.z, offset.x); // three counts from y
    turned.theta += across * TURN;
    turned.phi = Math.min(Math.max(turned.phi + up * TURN, 0.02), Math.PI - 0.02);
    const { x, y, z } = new Vector3().setFromSpherical(turned);
    this.camera.position.copy(this.controls.target).add(new Vector3(z, x, y));
    this.controls.update();
    this.draw();
  }

  move(across, down) {
    const reach = 0.05 * this.camera.position.distanceTo(this.controls.target);
    const way = new Vector3().setFromMatrixColumn(this.camera.matrix, 0).multiplyScalar(across * reach);
    way.addScaledVector(new Vector3().setFromMatrixColumn(this.camera.matrix, 1), -down * reach);
    this.camera.position.add(way);
    this.controls.target.add(way);
    this.controls.update();
    this.draw();
  }

  near(factor) {
    this.camera.position.sub(this.controls.target).multiplyScalar(factor).add(this.controls.target);
    this.controls.update();
    this.draw();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement;
    if (!width || !height) return;
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    const tall = height * this.renderer.getPixelRatio();
    this.uniforms.focal.value = tall / 2 / Math.tan((this.camera.fov * Math.PI) / 360);
    this.draw();
  }

  /** Draw once before the next repaint, however much has changed. */
  draw() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      this.renderer.render(this.scene, this.camera);
      this.frames++;
    });
  }
}
