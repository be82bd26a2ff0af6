"""The 4D viewer in a real browser, as `simfactory view` serves it: without a queue, a database or workers."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from api.testing.clips import make_clips
from simfactory.dataset import Clip, open_dataset

# Of the scene's canvas: mean and variance of all pixels, and a sum that hardly two pictures share.
PIXELS = """() => {
  const source = document.getElementById("space");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [source.width, source.height];
  const pen = canvas.getContext("2d");
  pen.drawImage(source, 0, 0);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  let [sum, squares, check, count] = [0, 0, 0, 0];
  for (let k = 0; k < data.length; k += 4, count++) {
    const value = (data[k] + data[k + 1] + data[k + 2]) / 3;
    sum += value;
    squares += value * value;
    check = (check * 31 + data[k] + 7 * data[k + 1] + 13 * data[k + 2]) % 1000000007;
  }
  return { mean: sum / count, variance: squares / count - (sum / count) ** 2, check };
}"""
PICTURE = """(name) => {
  const source = document.querySelector(`[data-modality="${name}"] canvas`);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [source.width, source.height];
  const pen = canvas.getContext("2d");
  pen.drawImage(source, 0, 0);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  return data.reduce((check, value) => (check * 31 + value) % 1000000007, 0);
}"""
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(viewer.space.frames))))"


@contextmanager
def viewing(path: Path, *options: str) -> Iterator[str]:
    """Run `simfactory view` and give the address that it prints."""
    command = [sys.executable, "-m", "simfactory", "view", str(path), "--no-browser", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stderr is not None
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:"), process.stderr.read()
    try:
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20.0)
    assert process.returncode == 0, err
    assert "Traceback" not in err, err


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    return make_clips(tmp_path_factory.mktemp("viewer") / "rigid", scene="ramp_stick")


@pytest.fixture(scope="module")
def clips(dataset) -> list[Clip]:
    """A clip of a fixed camera, and one of a camera that moves."""
    found = list(open_dataset(dataset))
    return sorted(found, key=lambda clip: np.ptp(clip.read("camera/camera_to_world")[:, :3, 3], axis=0).max())


@pytest.fixture(scope="module")
def local(dataset) -> Iterator[str]:
    with viewing(dataset) as address:
        yield address


@pytest.fixture
def open_viewer(new_context, local):
    """Opens the page of a clip and waits until its first frame is there."""

    def show(clip: Clip, **options) -> Page:
        return ready(new_context(token=None, **options).new_page(), local, clip)

    return show


def ready(page: Page, address: str, clip: Clip) -> Page:
    page.goto(re.sub(r"next=[^#]*", f"next=/clips/{clip.id}", address))
    page.wait_for_url(f"**/clips/{clip.id}")
    until(page, "window.viewer !== undefined")
    page.evaluate("viewer.ready.then(() => null)")
    return page


def until(page: Page, condition: str) -> None:
    """Wait until something holds; Playwright's own way to wait needs `eval`, which the pages forbid."""
    page.evaluate(f"""() => new Promise((done, fail) => {{
      const end = performance.now() + 20000;
      const look = () => {{
        if ({condition}) done(null);
        else if (performance.now() > end) fail(new Error({condition!r} + " has not come true"));
        else setTimeout(look, 10);
      }};
      look();
    }})""")


def seen_at(page: Page, frame: int) -> dict:
    """Wait until a frame is drawn, and return its pixels."""
    until(page, f"viewer.frame === {frame} && viewer.shownFrame === {frame}")
    return at_rest(page)


def at_rest(page: Page) -> dict:
    """Wait until nothing that was still on its way changes the picture any more, and return its pixels."""
    deadline, pixels = time.monotonic() + 20.0, None
    while time.monotonic() < deadline:
        page.evaluate(DRAWN)
        before, pixels = pixels, page.evaluate(PIXELS)
        if before == pixels:
            return pixels
        time.sleep(0.2)
    raise AssertionError("the picture does not come to rest")


def test_the_scene_shows_the_points_of_the_clip(open_viewer, clips, screenshot):
    clip = clips[0]
    page = open_viewer(clip)
    pixels = seen_at(page, 0)
    count = page.evaluate("viewer.pointCount")
    assert count == np.isfinite(clip.window(0, 1, modalities=["depth"])["depth"]).sum()
    assert pixels["variance"] > 100.0
    expect(page.locator("#space-status")).to_contain_text(f"{count:,} points")
    screenshot(page, "clip-viewer")


def test_places_in_the_graphics_are_those_of_the_store(open_viewer, clips):
    clip = clips[0]
    page = open_viewer(clip)
    page.evaluate("viewer.seek(6)")
    seen_at(page, 6)
    places = page.evaluate("""() => {
      const { moving } = viewer.space;
      const { array } = moving.geometry.attributes.position;
      const [low, step] = [moving.position.toArray(), moving.scale.toArray()];
      return Array.from(array.slice(0, 3 * moving.geometry.drawRange.count), (v, k) => low[k % 3] + step[k % 3] * v);
    }""")
    stored = clip.window(6, 1, modalities=["points"])["points/position"][:, :3]
    np.testing.assert_allclose(np.reshape(places, (-1, 3))[: len(stored)], stored, atol=1e-4)


def test_time_moves_points_and_pictures_together(open_viewer, clips):
    page = open_viewer(clips[0])
    before = seen_at(page, 0), page.evaluate("viewer.checksum"), page.evaluate(PICTURE, "rgb")
    page.locator("#time").focus()
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    after = seen_at(page, 9), page.evaluate("viewer.checksum"), page.evaluate(PICTURE, "rgb")
    assert before[0]["check"] != after[0]["check"]
    assert before[1] != after[1]
    assert before[2] != after[2]
    expect(page.locator("#now")).to_contain_text("frame 9 of 15 · 0.375 s")
    page.keyboard.press("Home")
    assert seen_at(page, 0)["check"] == before[0]["check"]
    assert page.evaluate("viewer.checksum") == before[1]


def test_arrow_keys_step_and_the_space_bar_plays(open_viewer, clips):
    page = open_viewer(clips[0])
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    seen_at(page, 1)
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    until(page, "viewer.frame > 3")
    page.keyboard.press(" ")
    frame = page.evaluate("viewer.frame")
    page.evaluate(DRAWN)
    assert page.evaluate("viewer.frame") == frame
    page.get_by_role("button", name="One frame on").press("Enter")
    seen_at(page, (frame + 1) % 16 if frame < 15 else 15)


def test_playing_ends_at_the_last_frame_unless_it_loops(open_viewer, clips):
    page = open_viewer(clips[0])
    page.locator("#loop").uncheck()
    page.locator("#speed").select_option("2")
    page.get_by_role("button", name="Play").click()
    until(page, "!viewer.clock.playing")
    seen_at(page, 15)


@pytest.mark.parametrize("mode", ["velocity", "instance", "visibility"])
def test_colours_follow_what_is_asked_for(open_viewer, clips, mode, screenshot):
    page = open_viewer(clips[0])
    page.evaluate("viewer.seek(5)")
    before = seen_at(page, 5)
    page.locator("#colour-by").select_option(mode)
    page.evaluate(DRAWN)
    after = page.evaluate(PIXELS)
    assert after["check"] != before["check"]
    assert after["variance"] > 20.0
    expect(page.locator("#space-legend")).not_to_be_empty()
    screenshot(page, f"clip-viewer-{mode}", full_page=False)
    page.locator("#colour-by").select_option("rgb")
    assert at_rest(page)["check"] == before["check"]


def test_dragging_turns_the_scene_and_reset_brings_it_back(open_viewer, clips):
    page = open_viewer(clips[0])
    before = seen_at(page, 0)
    box = page.locator("#space").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 320, box["y"] + 190, steps=5)
    page.mouse.up()
    page.evaluate(DRAWN)
    assert page.evaluate(PIXELS)["check"] != before["check"]
    page.get_by_role("button", name="Reset view").click()
    page.evaluate(DRAWN)
    assert page.evaluate(PIXELS)["check"] == before["check"]


def test_the_scene_is_turned_moved_and_neared_by_keys(open_viewer, clips):
    page = open_viewer(clips[0])
    checks = [seen_at(page, 0)["check"]]
    page.locator("#space").focus()
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight", "+"):
        page.keyboard.press(key)
        page.evaluate(DRAWN)
        checks.append(page.evaluate(PIXELS)["check"])
    assert len(set(checks)) == len(checks)
    assert page.evaluate("viewer.frame") == 0  # arrows on the scene are not time's
    page.keyboard.press("r")
    page.evaluate(DRAWN)
    assert page.evaluate(PIXELS)["check"] == checks[0]


def test_what_is_shown_can_be_chosen(open_viewer, clips):
    page = open_viewer(clips[0])
    until(page, "viewer.space.trails !== null")
    page.evaluate("viewer.seek(8)")
    checks = [seen_at(page, 8)["check"]]
    count = page.evaluate("viewer.pointCount")
    for name in ("background", "tracks", "grid"):
        page.locator(f"#show-{name}").uncheck()
        page.evaluate(DRAWN)
        checks.append(page.evaluate(PIXELS)["check"])
    page.locator("#point-size").fill("3")
    page.evaluate(DRAWN)
    checks.append(page.evaluate(PIXELS)["check"])
    assert len(set(checks)) == len(checks)
    assert 0 < page.evaluate("viewer.pointCount") < count


def test_seen_from_the_recording_camera_the_scene_looks_as_recorded(open_viewer, clips):
    """Means of the picture's quarters agree: the same things are in the same places."""
    page = open_viewer(clips[0])
    for name in ("tracks", "camera", "grid"):
        page.locator(f"#show-{name}").uncheck()
    page.locator("#point-size").fill("1.6")
    page.get_by_role("button", name="As recorded").click()
    page.evaluate(DRAWN)
    found = page.evaluate("""() => {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 96;
      const pen = canvas.getContext("2d", { willReadFrequently: true });
      const source = document.getElementById("space");
      const side = Math.min(source.width, source.height);
      pen.drawImage(source, (source.width - side) / 2, (source.height - side) / 2, side, side, 0, 0, 96, 96);
      return Array.from(pen.getImageData(0, 0, 96, 96).data);
    }""")
    seen = np.reshape(found, (96, 96, 4))[..., :3].astype(float)
    window = clips[0].window(0, 1, modalities=["rgb", "depth"])
    hit = np.isfinite(window["depth"][0])
    recorded = window["rgb"][0].astype(float)
    # Points are squares and blur edges: what is compared are means over blocks that are hit all over.
    blocks = [np.s_[row : row + 16, column : column + 16] for row in range(0, 96, 16) for column in range(0, 96, 16)]
    whole = [block for block in blocks if hit[block].all()]
    assert len(whole) > 15
    error = [np.abs(seen[block].mean(axis=(0, 1)) - recorded[block].mean(axis=(0, 1))).max() for block in whole]
    assert np.median(error) < 12.0


def test_nothing_is_drawn_while_nothing_changes(open_viewer, clips):
    page = open_viewer(clips[0])
    until(page, "viewer.space.trails !== null && viewer.cloud.parts.size === 2")
    page.evaluate(DRAWN)
    before = page.evaluate("viewer.space.frames")
    page.evaluate("new Promise((done) => setTimeout(done, 300))")  # the time in which nothing may happen
    assert page.evaluate("viewer.space.frames") == before


def test_a_moving_camera_moves_its_frustum(open_viewer, clips, screenshot):
    page = open_viewer(clips[1])
    poses = clips[1].read("camera/camera_to_world")
    for frame in (0, 10):
        page.evaluate(f"viewer.seek({frame})")
        seen_at(page, frame)
        matrix = page.evaluate("viewer.space.frustum.matrix.elements")
        np.testing.assert_allclose(np.reshape(matrix, (4, 4)).T, poses[frame], atol=1e-5)
    assert page.evaluate("viewer.space.recorder.poses.length") == 16
    screenshot(page, "clip-viewer-moving-camera")


def test_legends_carry_numbers_and_units(open_viewer, clips):
    clip = clips[0]
    page = open_viewer(clip)
    depth = clip.read("depth")
    legend = page.locator('[data-modality="depth"] .legend')
    numbers = [float(each) for each in re.findall(r"([\d.]+) m", legend.inner_text())]
    assert numbers == pytest.approx([depth.min(), depth[np.isfinite(depth)].max()], rel=0.01)
    expect(page.locator('[data-modality="flow_forward"] .legend')).to_have_text(re.compile(r"rim [\d.]+ px"))
    expect(page.locator('[data-modality="flow_forward"] .legend canvas.wheel')).to_be_visible()


def test_curves_carry_a_cursor_and_lead_through_time(open_viewer, clips):
    page = open_viewer(clips[0])
    plot = page.locator("#energy .u-over")
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    plot.click(position={"x": box["width"] * 0.6, "y": box["height"] / 2})
    until(page, "viewer.frame > 5")
    expect(page.locator("#energy .u-legend")).to_contain_text("J")
    expect(page.locator("#plots-note")).to_contain_text("the solver cannot tell them")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_without_scrolling_sideways(open_viewer, clips, scheme, screenshot):
    page = open_viewer(clips[0], viewport={"width": 375, "height": 740}, color_scheme=scheme, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert seen_at(page, 0)["variance"] > 50.0
    screenshot(page, f"clip-viewer-phone-{scheme}")


def test_a_stranger_on_this_machine_is_not_answered(new_context, local, clips, audit):
    audit.expected.append("401")
    page = new_context(token=None).new_page()
    base = local.partition("/login")[0]
    answer = page.goto(f"{base}/clips/{clips[0].id}")
    assert answer is not None
    assert answer.status == 401
    expect(page.get_by_text("it holds the token")).to_be_visible()
    assert page.request.get(f"{base}/v1/clips/{clips[0].id}/cloud").status == 401


def test_the_list_leads_to_all_clips(open_viewer, local, clips):
    page = open_viewer(clips[0])
    page.goto(local.partition("/login")[0] + "/")
    page.get_by_role("link").filter(has_text=clips[1].id[:8]).click()
    page.wait_for_url(f"**/clips/{clips[1].id}")


def test_only_the_loopback_listens(local):
    port = int(re.search(r":(\d+)/", local)[1])
    assert listeners(port) == ["0100007F"]
    with urlopen(f"http://127.0.0.1:{port}/login", timeout=10.0) as answer:  # a page for everybody, without data
        assert answer.status == 200


def listeners(port: int) -> list[str]:
    """Return the addresses, as the kernel writes them, at which a port of this machine is open."""
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return [
        line[1].partition(":")[0] for line in lines if line[3] == "0A" and int(line[1].rpartition(":")[2], 16) == port
    ]
