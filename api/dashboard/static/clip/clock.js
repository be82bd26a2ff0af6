// The time that pictures, scene and curves share: a frame, and whether and how fast it goes on.

/** Tells its listeners of every new frame: `change` events. */
export class Clock extends EventTarget {
  constructor(frameCount, fps) {
    super();
    Object.assign(this, { frameCount, fps, frame: 0, speed: 1, loop: true, playing: false });
    this.isReady = () => true; // whether a frame can be shown; playing waits until it can
    this.last = 0;
    this.rest = 0;
  }

  seek(frame) {
    const wanted = Math.min(Math.max(Math.round(frame), 0), this.frameCount - 1);
    if (wanted === this.frame) return;
    this.frame = wanted;
    this.dispatchEvent(new Event("change"));
  }

  step(by) {
    this.pause();
    this.seek(this.frame + by);
  }

  play() {
    if (this.playing || this.frameCount < 2) return;
    if (this.frame === this.frameCount - 1) this.seek(0);
    this.playing = true;
    this.last = performance.now();
    this.rest = 0;
    this.dispatchEvent(new Event("state"));
    requestAnimationFrame((now) => this.tick(now));
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.dispatchEvent(new Event("state"));
  }

  tick(now) {
    if (!this.playing) return;
    const passed = Math.max(now - this.last, 0) / 1000;
    this.last = now;
    const next = (this.frame + 1) % this.frameCount;
    if (this.isReady(next)) {
      this.rest += passed * this.fps * this.speed;
      const steps = Math.min(Math.floor(this.rest), 4); // a slow machine plays slower rather than skip most frames
      this.rest -= Math.floor(this.rest);
      if (steps > 0) this.advance(steps);
    }
    requestAnimationFrame((later) => this.tick(later));
  }

  advance(steps) {
    const next = this.frame + steps;
    if (next < this.frameCount) this.seek(next);
    else if (this.loop) this.seek(next % this.frameCount);
    else {
      this.seek(this.frameCount - 1);
      this.pause();
    }
  }
}
