"""Pages of training runs, in a browser, on a training that goes on meanwhile."""

import json
import shutil

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from simfactory.protocol import DatasetReference
from simfactory.runs import RunLog
from tests.runs.descent import new_descent


@pytest.fixture
def runs(service):
    folder = service.folder / "runs"
    folder.mkdir(exist_ok=True)
    yield folder
    shutil.rmtree(folder)


def picture_of(descent):
    """Draw the points, coloured by what the training takes them for."""
    picture = np.full((96, 96, 3), 255, dtype=np.uint8)
    for point, guess in zip(descent.points, descent.points @ descent.weights, strict=True):
        at = (48 + point[:2] * 12).astype(int).tolist()
        cv2.circle(picture, at, 2, (30, 110, 240) if guess > 0 else (200, 120, 20), -1)
    return cv2.imencode(".png", picture)[1].tobytes()


def test_a_training_is_watched_while_it_runs(runs, browser_page, screenshot):
    page, descent = browser_page, new_descent(rate=0.1)
    data = DatasetReference(dataset="rigid", version=1, split="train", clips=40)
    with RunLog(runs / "first", name="First try", kind="sft", steps=400, config={"rate": 0.1}, datasets=[data]) as log:
        for step in range(1, 201):
            log.write(step, descent.step())
            if step % 50 == 0:
                log.picture("points", step, picture_of(descent), caption=f"after {step} steps")
        page.goto("/training")
        expect(page.get_by_role("row", name="First try")).to_contain_text("running")
        screenshot(page, "training")
        page.get_by_role("link", name="First try").click()
        expect(page.locator("#curves")).to_have_attribute("aria-busy", "false")
        titles = page.locator("#curves h3")
        expect(titles).to_have_text(["loss", "accuracy", "gradient"])
        loss = page.locator("#curves section").first
        expect(loss).to_contain_text("at step 200")
        assert loss.locator("canvas").evaluate(COLOURS) > 2, "nothing is drawn"
        pictures = page.locator("#pictures img")
        expect(pictures).to_have_count(4)
        assert pictures.first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 96
        for step in range(201, 301):
            log.write(step, descent.step())
        expect(loss).to_contain_text("at step 300")
        page.get_by_label("logarithmic").press("Space")
        page.get_by_label("smoothed").press("Space")
        expect(page.get_by_label("logarithmic")).to_be_checked()
        expect(titles).to_have_count(3)
        assert loss.locator("canvas").evaluate(COLOURS) > 2
        screenshot(page, "training-run")
    page.reload()
    expect(page.locator("#state")).to_have_text("completed")
    expect(page.get_by_label("Configuration as JSON")).to_contain_text('"rate": 0.1')


COLOURS = """
canvas => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(new Uint32Array(pixels.buffer)).size;
}
"""


def test_a_run_without_a_sign_of_life_is_shown_as_silent(runs, browser_page):
    log = RunLog(runs / "dead", kind="rl", silence_limit=1e-3)
    log.write(1, {"reward": 0.5})
    browser_page.goto("/training/dead")
    expect(browser_page.locator("#state")).to_have_text("silent")
    expect(browser_page.locator("#progress")).to_contain_text("said nothing for more than")
    log.close("failed", detail="<b>out of memory</b>")
    browser_page.reload()
    expect(browser_page.locator("#progress")).to_contain_text("Failed: <b>out of memory</b>")


def test_a_hostile_run_is_shown_as_text(runs, browser_page, screenshot):
    page, nasty = browser_page, "<img src=x onerror=window.hacked=1>"
    page.goto("/training")
    expect(page.locator("#runs")).to_contain_text("RunLog")
    with RunLog(runs / "odd", name=nasty, kind="eval", config={nasty: [nasty, "\u202e" + "x" * 5000]}) as log:
        log.write(1, {nasty: 1.0, "loss": float("nan")})
        log.write(2, {nasty: 2.0, "loss": float("inf")})
        log.picture("a", 1, picture_of(new_descent()), caption=nasty)
    with (runs / "odd" / "metrics.jsonl").open("ab") as file:
        file.write(b"x" * 10_000_000 + b"\n" + json.dumps({"step": 3, "values": {nasty: 3.0}}).encode() + b"\n")
    (runs / "broken").mkdir()
    (runs / "broken" / "run.json").write_text('{"name": "' + nasty)
    page.reload()
    expect(page.get_by_role("link", name=nasty)).to_be_visible()
    expect(page.get_by_role("row", name="broken")).to_contain_text("unreadable")
    page.get_by_role("link", name=nasty).click()
    expect(page.locator("#curves")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#curves-note")).to_contain_text("1 lines could not be read")
    expect(page.locator("#curves")).to_contain_text("2 values that are no number")
    expect(page.locator("#curves h3").first).to_have_text("<img src=x onerror=window.hacked=1>")
    expect(page.locator("#pictures")).to_contain_text(nasty)
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto("/training/broken")
    expect(page.locator("#progress")).to_contain_text("run.json")
