"""Takes the pictures of docs/dashboard.md: a real service, a real job, a real training, a real browser.

make screenshots    # a few minutes; needs Debian's chromium, as the tests do
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from api.testing.factory import TOKEN, Factory
from simfactory import open_dataset
from simfactory.protocol import DatasetReference
from simfactory.runs import RunLog

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "images" / "dashboard"
CHROMIUM = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 375, "height": 740}
QUALITY = 82  # of WebP
MADE_SECONDS = 1800.0
SCENES = ("domino_row", "soft_tower_struck", "cloth_covers_body")
CATEGORIES = ("rigid", "soft_body", "cloth")


@dataclass(frozen=True)
class Shot:
    """A picture: of which page, how the browser is, and what has to be there first."""

    name: str
    path: str
    is_dark: bool = False
    on_phone: bool = False
    wait: str = "main"
    below: str = ""  # what is to be at the top, of a long page
    frame: int | None = None  # of a clip
    colour: str = "rgb"  # of a clip's points


def main() -> None:
    """Make clips and a training, and go through all pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=PICTURES, help="folder of the pictures")
    parser.add_argument("--only", default="", help="only pictures whose name has this in it")
    parser.add_argument("--keep", type=Path, help="folder of the service, kept to be used again")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="sf-"))  # short: a socket's path has at most 100 bytes
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with Factory(folder, lease=20.0) as service:
            for _ in range(max((os.cpu_count() or 2) // 2, 2)):
                service.start_worker(environments=4)
            _take(service, options.out, options.only)
    finally:
        if options.keep is None:
            shutil.rmtree(folder)


def _take(service: Factory, out: Path, only: str) -> None:
    job, clip = _make(service)
    _train(service, service.folder / "runs")
    shots = [shot for shot in _shots(job, clip) if only in shot.name]
    busy = service.submit(
        {
            **_request(40, "tour"),
            "name": "More of the same",
            "seeds": [2],
            "modalities": ["rgb", "depth", "flow_forward", "instance"],
        }
    )
    with _browser() as browser:
        address = f"http://127.0.0.1:{service.port}"
        live = browser.new_context(base_url=address, viewport=DESK)
        live.request.post("/v1/session", data={"token": TOKEN}, headers={"origin": address})
        wall = live.new_page()  # while somebody looks at it, workers show pictures
        wall.goto("/wall")
        service.until(
            lambda: any(len(each["pictures"]) > 3 for each in service.call("/v1/workers/live")),
            what="workers to show pictures",
            seconds=MADE_SECONDS,
        )
        service.until(lambda: service.job(busy)["progress"]["clips_done"] > 2, what="clips", seconds=MADE_SECONDS)
        for shot in shots:
            _shoot(browser, address, shot, out)
    service.call(f"/v1/jobs/{busy}:cancel", {}, method="POST")


def _request(clips: int, dataset: str) -> dict[str, object]:
    items = [
        {"category": category, "scene": scene, "clips": clips}
        for category, scene in zip(CATEGORIES, SCENES, strict=True)
    ]
    return {"dataset": dataset, "items": items, "frames": 36, "size": [256, 256], "views": 2, "backend": "newton"}


def _make(service: Factory) -> tuple[str, str]:
    """Have clips made; return the job and one of its clips."""
    done = service.call("/v1/jobs?state=completed")["items"]
    job = done[0]["id"] if done else ""
    if not job:
        request = {
            **_request(4, "tour"),
            "name": "Dominoes, a soft tower, cloth",
            "preset": "standard",
            "tags": ["tour"],
        }
        # The first answer takes the imports of all that samples and simulates.
        service.until(lambda: bool(service.call("/v1/jobs?dry_run=true", request)), what="an estimate")
        job = service.submit(request)
        service.until_done(job, seconds=MADE_SECONDS)
        service.call("/v1/datasets/tour/versions", {}, method="POST")
    tour = open_dataset(service.data / "tour")
    rigid = [clip["id"] for clip in service.clips(job) if clip["category"] == "rigid"]
    return job, max(sorted(rigid), key=lambda clip: float(tour[clip].read("rgb").mean()))  # the brightest


def _train(service: Factory, runs: Path) -> None:
    """Train a model that is as small as can be: a pixel's log depth from where it is and its colour."""
    if (runs / "depth-from-colour").exists():
        return
    clips = list(open_dataset(service.data / "tour"))
    inputs, targets = zip(*(_pixels(clip.read("rgb"), clip.read("depth")) for clip in clips), strict=True)
    picture, truth = inputs[0][:1], targets[0][:1]
    x, y = (
        np.concatenate([each.reshape(-1, each.shape[-1]) for each in inputs]),
        np.concatenate([each.reshape(-1) for each in targets]),
    )
    random = np.random.default_rng(0)
    weights, steps, batch = np.zeros(x.shape[1]), 3000, 256
    data = DatasetReference(dataset="tour", version=1, clips=len(clips))
    config = {"model": "linear in position, its squares, and colour", "rate": 0.05, "batch": batch, "steps": steps}
    with RunLog(runs / "depth-from-colour", name="Depth from colour, linear", kind="pretrain", config=config,
                datasets=[data], steps=steps) as log:  # fmt: skip
        for step in range(1, steps + 1):
            chosen = random.integers(0, len(y), batch)
            error = x[chosen] @ weights - y[chosen]
            gradient = x[chosen].T @ error / batch
            weights -= config["rate"] * gradient
            if step % 5 == 0:
                relative = np.abs(np.exp(error) - 1.0).mean()
                values = {"loss": float((error**2).mean()), "depth/absolute relative error": float(relative)}
                log.write(step, {**values, "gradient norm": float(np.linalg.norm(gradient))})
            if step in (20, 100, 500, steps):
                log.picture("depth", step, _compared(picture[0] @ weights, truth[0]), caption="guessed, and true")


def _pixels(rgb: np.ndarray, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and log depth of every sixth frame, a quarter of the size."""
    rgb, depth = rgb[::6, ::4, ::4].astype(float) / 255.0, depth[::6, ::4, ::4].astype(float)
    frames, height, width = depth.shape
    v, u = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    place = np.stack([np.ones_like(u), u, v, u * u, v * v, u * v], axis=-1)
    inputs = np.concatenate([np.broadcast_to(place, (frames, height, width, 6)), rgb - 0.5], axis=-1)
    return inputs, np.log(np.clip(np.nan_to_num(depth, posinf=50.0), 0.1, 50.0))


def _compared(guessed: np.ndarray, true: np.ndarray) -> bytes:
    """Draw a guess beside the truth."""
    both = np.concatenate([guessed, true], axis=1)
    low, high = np.percentile(true, [1, 99])
    shade = (255 * np.clip((both - low) / max(high - low, 1e-6), 0, 1)).astype(np.uint8)
    image = cv2.applyColorMap(cv2.resize(shade, None, fx=2, fy=2), cv2.COLORMAP_VIRIDIS)
    return cv2.imencode(".png", image)[1].tobytes()


def _shots(job: str, clip: str) -> list[Shot]:
    return [
        Shot("overview", "/", wait="#charts[aria-busy=false] canvas"),
        Shot("overview-dark", "/", is_dark=True, wait="#charts[aria-busy=false] canvas"),
        Shot("overview-phone", "/", on_phone=True, wait="#charts[aria-busy=false] canvas"),
        Shot("jobs", "/jobs"),
        Shot("job-form", "/jobs/new"),
        Shot("job", f"/jobs/{job}"),
        Shot("job-parameters", f"/jobs/{job}", below="#parameters"),
        Shot("workers", "/workers", wait=".timeline canvas"),
        Shot("wall", "/wall", wait=".pictures canvas"),
        Shot("clips", "/clips"),
        Shot("clip", f"/clips/{clip}", wait="canvas", frame=22),
        Shot("clip-dark", f"/clips/{clip}", is_dark=True, wait="canvas", frame=22, colour="velocity"),
        Shot("clip-phone", f"/clips/{clip}", on_phone=True, wait="canvas", frame=22),
        Shot("datasets", "/datasets"),
        Shot("dataset", "/datasets/tour"),
        Shot("scenes", "/scenes"),
        Shot("scene", "/scenes/domino_row"),
        Shot("training", "/training"),
        Shot("training-run", "/training/depth-from-colour", wait="#curves[aria-busy=false] canvas"),
        Shot("jobs-phone", "/jobs", on_phone=True),
    ]


def _shoot(browser: Browser, address: str, shot: Shot, out: Path) -> None:
    context = browser.new_context(
        base_url=address,
        viewport=PHONE if shot.on_phone else DESK,
        color_scheme="dark" if shot.is_dark else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(120_000)
    context.request.post("/v1/session", data={"token": TOKEN}, headers={"origin": address})
    page = context.new_page()
    page.goto(shot.path)
    _settle(page, shot)
    picture = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    path = out / f"{shot.name}.webp"
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    print(f"{path.name}: {path.stat().st_size >> 10} KiB", flush=True)
    context.close()


def _settle(page: Page, shot: Shot) -> None:
    """Wait until a page has all that it shows."""
    page.locator(shot.wait).first.wait_for()
    page.wait_for_function("document.querySelectorAll('[aria-busy=true]').length === 0")
    if shot.frame is not None:
        page.locator("#space-status", has_text="points").wait_for()
        page.wait_for_function("!document.getElementById('space-status').textContent.includes('loading')")
        page.locator("#colour-by").select_option(shot.colour)
        before = page.locator(".picture canvas").first.evaluate("canvas => canvas.toDataURL()")
        page.locator("#time").fill(str(shot.frame))
        page.wait_for_function("before => document.querySelector('.picture canvas').toDataURL() !== before", arg=before)
        page.locator("#time").blur()
    if shot.below:
        page.locator(shot.below).evaluate("element => element.scrollIntoView()")
    page.wait_for_function("[...document.images].every(image => image.complete || image.loading === 'lazy')")
    page.wait_for_timeout(2500)  # charts of live figures have drawn, pictures that come into sight are there


@contextmanager
def _browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("pictures need the command `chromium`: make setup-test installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*CHROMIUM, "--no-sandbox"])
        yield browser
        browser.close()


if __name__ == "__main__":
    main()
