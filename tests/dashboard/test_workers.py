"""Workers: their slots over time, in colours and in words, and how one is drained."""

import re

import pytest
from playwright.sync_api import expect

from api.testing.factory import small_job
from tests.dashboard.pages import wait_until

# Colours of each row of a timeline, right of its labels.
ROWS = """(canvas) => {
  const context = canvas.getContext("2d");
  const ratio = canvas.width / canvas.clientWidth;
  return canvas.dataset.rows.split(",").map((row, number) => {
    const { data } = context.getImageData(70 * ratio, (number * 19 + 8) * ratio, canvas.width - 72 * ratio, 1);
    const colours = new Set();
    for (let place = 0; place < data.length; place += 4) {
      if (data[place + 3] === 255) colours.add(data.slice(place, place + 3).join());
    }
    return [row, [...colours]];
  });
}"""


@pytest.fixture
def busy(service):
    """A job that lasts longer than a test."""
    identity = service.submit(small_job(100_000, dataset="workers", frames=24))
    yield identity
    service.call(f"/v1/jobs/{identity}:cancel", {})


HAS_STAGES = f"(canvas) => ({ROWS})(canvas).some(([row, colours]) => /^\\d+$/.test(row) && colours.length > 2)"


def test_timeline_has_a_row_for_every_slot_in_the_colours_of_its_stages(browser_page, busy, service, screenshot, audit):
    audit.expected.append("willReadFrequently")  # it is this test that reads
    page = browser_page
    page.goto("/workers")
    told = service.call("/v1/workers")
    for worker in told:
        canvas = page.locator(f"[id='timeline-{worker['name']}'] canvas")
        expect(canvas).to_be_visible()
        wait_until(page, HAS_STAGES, arg=canvas.element_handle())
        rows = dict(page.evaluate(ROWS, canvas.element_handle()))
        slots = [row for row in rows if row.isdigit()]
        assert len(slots) == worker["environments"] == 2
        assert [row for row in rows if not row.isdigit()] == ["render", "encode", "commit"]
        assert len(set(map(tuple, map(sorted, rows.values())))) > 1
    screenshot(page, "workers")


def test_slots_are_told_in_words_too(browser_page, busy, service):
    page = browser_page
    page.goto("/workers")
    name = service.call("/v1/workers")[0]["name"]
    words = page.locator(f"[id='now-{name}']")
    doing = r"(idle|wait|(load|simulate|wait) free_drop \d+, frame \d+ of 24)"
    expect(words).to_have_text(re.compile(rf"^slot 0: {doing} · slot 1: {doing}$"))
    expect(words).not_to_have_text("slot 0: idle · slot 1: idle", timeout=30_000)
    canvas = page.locator(f"[id='timeline-{name}'] canvas")
    expect(canvas).to_have_attribute("aria-describedby", f"now-{name}")
    legend = page.get_by_role("list", name="Colours")
    for stage in ("load", "simulate", "wait", "idle", "render", "encode", "commit"):
        expect(legend).to_contain_text(stage)
    expect(page.get_by_role("row").filter(has_text=name)).to_contain_text(re.compile(r"\d s ago"))


def test_worker_is_drained_from_the_page_by_keyboard(browser_page, service):
    worker = service.start_worker()
    service.until(lambda: len(service.call("/v1/workers")) == 3, what="a third worker")
    (name,) = [each["name"] for each in service.call("/v1/workers") if f"-{worker.pid}-" in each["name"]]
    page = browser_page
    page.goto("/workers")
    row = page.get_by_role("row").filter(has_text=name)
    row.get_by_role("button", name="Drain").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/workers")
    assert worker.wait(30.0) == 0
    expect(row).to_have_count(0, timeout=30_000)
    expect(page.locator(f"[id='timeline-{name}']")).to_have_count(0)
    service.workers.remove(worker)
    assert len(service.call("/v1/workers")) == 2
