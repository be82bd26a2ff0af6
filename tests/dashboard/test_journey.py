"""What a newcomer does, by keyboard alone: submit a job, watch it run, open a clip, walk through it, download it."""

import io
import re
import tarfile

import pytest
from playwright.sync_api import Page, expect

from simfactory.store import validate

STOPS_MAX = 120  # of the tabulator on any page
NAME_OF_FOCUS = """() => {
  const { activeElement: at } = document;
  if (!at.matches("a, button, input, select, summary")) return ""; // all of a page has all of its words
  const text = at.matches("a, button, summary") ? at.textContent.trim().replace(/\\s+/g, " ") : "";
  return at.getAttribute("aria-label") || text || at.id;
}"""

SHOWN = """(frame) => new Promise((done) => {
  const look = () => (viewer.shownFrame === frame ? done() : requestAnimationFrame(look));
  look();
})"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus has an id or text that matches."""
    for _ in range(STOPS_MAX):
        if re.search(name, page.evaluate(NAME_OF_FOCUS)):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {name!r}")


@pytest.mark.parametrize(
    ("scheme", "size"),
    [("light", {"width": 1280, "height": 800}), ("dark", {"width": 375, "height": 760})],
    ids=["light", "dark-phone"],
)
def test_from_a_form_to_a_clip_on_the_disk(new_context, service, screenshot, tmp_path, scheme, size):
    page = new_context(color_scheme=scheme, viewport=size).new_page()
    dataset = f"journey-{scheme}"
    page.goto("/")
    tab_to(page, "^New job$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/new")
    for field, typed in {
        "f-dataset": dataset,
        "f-items-0-category": "rigid",
        "f-items-0-scene": "free_drop",
        "f-items-0-clips": "2",
        "f-frames": "12",
        "Size, 1 of 2": "64",
        "Size, 2 of 2": "64",
    }.items():
        tab_to(page, f"^{field}$")
        page.keyboard.type(typed)
    tab_to(page, "^Submit$")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/jobs/j\w+$"))

    page.evaluate("window.here = true")  # a reload would forget it
    expect(page.get_by_text("completed", exact=True).first).to_be_visible(timeout=120_000)
    expect(page.locator("a[href^='/clips/']").first).to_be_visible()
    assert page.evaluate("window.here")
    screenshot(page, f"journey_job_{scheme}")

    tab_to(page, "free_drop.*12 frames")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/clips/\w{32}$"))
    page.evaluate("viewer.ready")
    assert page.evaluate("viewer.pointCount") > 100

    tab_to(page, "^Download clip$")
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    with tarfile.open(fileobj=io.BytesIO(started.value.path().read_bytes())) as archive:
        archive.extractall(tmp_path, filter="data")
    assert validate(tmp_path) == []

    before = page.evaluate("viewer.checksum")
    tab_to(page, "^Frame$")
    page.keyboard.press("End")
    expect(page.locator("#now")).to_contain_text("frame 11 of")
    page.evaluate(SHOWN, 11)
    assert page.evaluate("viewer.checksum") != before
    screenshot(page, f"journey_clip_{scheme}")
