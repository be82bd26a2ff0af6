"""What the clip viewer costs in a browser without a GPU: bytes, first paint, the first whole frame, turning, playing.

`python benchmarks/viewer.py` writes benchmarks/results/viewer.json. Two clips: one that newton simulated, and one in
which all 50,000 points of all 48 frames move, the worst that the viewer is made for. Chromium draws by SwiftShader.
"""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from api.testing.clips import make_clips
from simfactory.annotations.camera import ANNOTATION as CAMERA
from simfactory.annotations.depth import ANNOTATION as DEPTH
from simfactory.annotations.points import ANNOTATION as POINTS
from simfactory.annotations.rgb import ANNOTATION as RGB
from simfactory.annotations.tracks import ANNOTATION as TRACKS
from simfactory.dataset import Clip, open_dataset
from simfactory.store import ClipWriter, clip_id, create_dataset
from simfactory.transforms import look_at, pixel_centers, transform_points, unproject

RESULT = Path(__file__).with_name("results") / "viewer.json"
CHROMIUM = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
POINT_COUNT, FRAME_COUNT, SIZE, FPS = 50_000, 48, 256, 24.0
TURNS = 40
ORBIT = """async (turns) => {
  const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const gl = viewer.space.renderer.getContext();
  const times = [];
  await drawn();
  for (let k = 0; k < turns; k++) {
    const begin = performance.now();
    viewer.space.turn(1, 0);
    await new Promise((done) => requestAnimationFrame(done));
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // waits until all is drawn
    times.push(performance.now() - begin);
  }
  return times;
}"""
PLAY = """async () => {
  const begin = performance.now();
  for (let frame = 1; frame < viewer.clock.frameCount; frame++) {
    viewer.seek(frame);
    while (viewer.shownFrame !== frame) await new Promise((done) => setTimeout(done, 2));
    await new Promise((done) => requestAnimationFrame(done));
  }
  return performance.now() - begin;
}"""
BYTES = """() => performance.getEntriesByType("resource").map(
  (each) => [each.name, each.encodedBodySize, each.decodedBodySize])"""
PAINT = (
    """() => performance.getEntriesByType("paint").find((each) => each.name === "first-contentful-paint").startTime"""
)


def moving_clip(folder: Path) -> Path:
    """Write a clip of a surface that waves: each of its points moves at every frame."""
    dataset = create_dataset(folder)
    pose = look_at([0.0, -2.5, 2.0], [0.0, 0.0, 0.0])
    focal = 1.1 * SIZE
    lens = np.array([[focal, 0.0, SIZE / 2], [0.0, focal, SIZE / 2], [0.0, 0.0, 1.0]])
    signals = [signal for each in (RGB, DEPTH, POINTS, CAMERA, TRACKS) for signal in each.signals]
    writer = ClipWriter(
        dataset, clip_id({"benchmark": "viewer"}), signals=signals, frame_count=FRAME_COUNT, height=SIZE, width=SIZE,
        attributes={"fps": FPS, "caption": "A surface waves.", "instances": {"sheet": 3}},
    )  # fmt: skip
    grid = pixel_centers(SIZE, SIZE)
    chosen = np.linspace(0, SIZE * SIZE - 1, POINT_COUNT).astype(int)
    tracks = np.empty((3, 2000, FRAME_COUNT), np.float32)
    rng = np.random.default_rng(0)
    for frame in range(FRAME_COUNT):
        u, v = (grid[..., 0] / SIZE, grid[..., 1] / SIZE)
        wave = 0.2 * np.sin(9.0 * u + 0.35 * frame) * np.cos(7.0 * v)
        depth = (3.2 - 1.2 * v + wave).astype(np.float32)
        world = transform_points(pose, unproject(grid, depth, lens)).reshape(-1, 3)
        position = np.concatenate([world[chosen], np.full((POINT_COUNT, 1), frame / FPS)], axis=1)
        colour = np.stack([255 * u, 255 * v, 128 + 400 * wave], axis=-1).clip(0, 255)
        colour = (colour + rng.integers(-12, 13, colour.shape)).clip(0, 255).astype(np.uint8)  # as a texture has
        velocity = np.zeros((POINT_COUNT, 3), np.float32)
        velocity[:, 2] = FPS * 0.35 * np.cos(9.0 * u + 0.35 * frame).ravel()[chosen] * 0.2
        tracks[:, :, frame] = world[:: SIZE * SIZE // 2000][:2000].T
        writer.append({
            "rgb": colour, "depth": depth, "points/position": position.astype(np.float32),
            "points/instance": np.full(POINT_COUNT, 3, np.uint16), "points/velocity": velocity,
        })  # fmt: skip
    count = tracks.shape[1]
    writer.commit(
        arrays={
            "camera/K": np.tile(lens, (FRAME_COUNT, 1, 1)),
            "camera/camera_to_world": np.tile(pose, (FRAME_COUNT, 1, 1)),
            "tracks/position": tracks, "tracks/visible": np.ones((count, FRAME_COUNT), bool),
            "tracks/instance": np.full(count, 3, np.uint16), "tracks/frame": np.zeros(count, np.int32),
            "tracks/triangle": np.zeros(count, np.int32), "tracks/bary": np.full((count, 3), 1 / 3, np.float32),
        },
        attributes={},
        row={"frame_count": FRAME_COUNT, "fps": FPS},
    )  # fmt: skip
    return folder


def measured(browser: Browser, dataset: Path, clip: Clip) -> dict[str, object]:
    """Return the figures of one visit, by a browser that has seen nothing before."""
    command = [sys.executable, "-m", "simfactory", "view", str(dataset), "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        page.goto(address.replace("/login?next=", "/login?next=/static/0/icon.svg&"))  # logs in; the clip comes after
        page.goto(re.sub(r"next=/clips/\w+", f"next=/clips/{clip.id}", address))
        page.wait_for_url("**/clips/*")
        page.evaluate("viewer.ready.then(() => null)")
        return visit(page)
    finally:
        context.close()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20.0)


def visit(page: Page) -> dict[str, object]:
    """Return the figures of a page that has just opened."""
    first = page.evaluate("({points: viewer.pointCount, ms: viewer.times.interactive})")
    paint = page.evaluate(PAINT)
    early = page.evaluate(BYTES)
    times = sorted(page.evaluate(ORBIT, TURNS))
    played = page.evaluate(PLAY)
    resources = page.evaluate(BYTES)
    kinds = {"cloud": "/cloud?", "tracks": "/tracks?", "pictures": "/strip/", "program": "/static/"}
    sizes = {
        kind: {
            "sent_bytes": sum(sent for name, sent, _ in resources if part in name),
            "raw_bytes": sum(raw for name, _, raw in resources if part in name),
        }
        for kind, part in kinds.items()
    }
    return {
        "points_of_first_frame": first["points"],
        "first_paint_ms": round(paint),
        "interactive_ms": round(first["ms"]),
        "bytes_before_interactive": sum(sent for _, sent, _ in early),
        "orbit_frame_ms": {
            "median": round(statistics.median(times), 1),
            "p95": round(times[int(0.95 * len(times))], 1),
        },
        "all_frames_shown_ms": round(played),
        "sizes": sizes,
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=3, help="Visits of each clip; the median counts.")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sf-"))
    simulated = make_clips(folder / "bowling", scene="bowling", clips=5, views=5, frames=48, size=256, seed=7)
    clips = {"newton": (simulated, open_dataset(simulated)[0])}
    moving = moving_clip(folder / "moving")
    clips["all points move"] = (moving, open_dataset(moving)[0])
    found: dict[str, object] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        for name, (dataset, clip) in clips.items():
            visits = [measured(browser, dataset, clip) for _ in range(options.visits)]
            found[name] = sorted(visits, key=lambda each: float(str(each["interactive_ms"])))[len(visits) // 2]
            print(name, json.dumps(found[name]))
        version = browser.version
        browser.close()
    shutil.rmtree(folder)
    report = {
        "measured": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": {"cores": os.cpu_count(), "processor": platform.processor() or platform.machine()},
        "load_before": round(os.getloadavg()[0], 1),
        "browser": f"Chromium {version}, SwiftShader",
        "frames": FRAME_COUNT,
        "visits": options.visits,
        "clips": found,
    }
    options.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
