"""The first page: figures and charts that follow the factory, without a reload and across a restart of the service."""

import re

import pytest
from playwright.sync_api import expect

from api.testing.factory import small_job
from tests.dashboard.pages import wait_until

# Pixels of a chart that have about the colour of a variable of app.css.
COLOURED = """(element, name) => {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  const canvas = element.matches("canvas") ? element : element.querySelector("canvas");
  if (canvas === null) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let place = 0; place < data.length; place += 4) {
    const far = Math.abs(data[place] - red) + Math.abs(data[place + 1] - green) + Math.abs(data[place + 2] - blue);
    if (far < 24 && data[place + 3] > 200) count += 1;
  }
  return count;
}"""
DRAWN = {
    "clips_per_hour": "accent",
    "frames_per_second steps_per_second": "violet",
    "bytes_per_second": "info",
    "cpu_percent": "accent",
    "memory_bytes gpu_memory_bytes": "info",
    "queue_shards open_shards": "info",
}


@pytest.fixture
def busy(service):
    """A job that lasts longer than a test."""
    identity = service.submit(small_job(100_000, dataset="overview", name="Busy"))
    yield identity
    service.call(f"/v1/jobs/{identity}:cancel", {})


def test_charts_show_lines_of_the_last_hour(browser_page, busy, screenshot, audit):
    audit.expected.append("willReadFrequently")  # it is this test that reads
    page = browser_page
    page.goto("/")
    expect(page.locator("#charts")).to_have_attribute("aria-busy", "false")
    for names, colour in DRAWN.items():
        chart = page.locator(f"[data-chart='{names}']")
        expect(chart).to_have_attribute("role", "img")
        wait_until(page, f"([element, name]) => ({COLOURED})(element, name) > 40", arg=[chart.element_handle(), colour])
    expect(page.locator("[data-chart='gpu_percent']")).to_be_hidden()  # no driver here: absent, no line at zero
    expect(page.get_by_text("GPU memory")).to_have_count(0)
    screenshot(page, "overview")


def test_figures_change_without_a_reload(browser_page, busy, service):
    page = browser_page
    page.goto("/")
    page.evaluate("window.kept = true")
    times = page.evaluate_handle("""() => {
      const times = [];
      document.addEventListener("telemetry", (event) => times.push(event.detail.at));
      return times;
    }""")
    expect(page.locator("#now-clips_per_hour")).to_have_text(re.compile("[1-9]"), timeout=40_000)
    wait_until(page, "(times) => times.length >= 3", arg=times)
    assert page.evaluate("window.kept") is True
    shown = page.locator("#now-memory_bytes")
    expect(shown).to_have_text(re.compile(r"^[\d.]+ [MG]B$"))
    expect(page.locator("#running")).to_contain_text("Busy")
    before = page.locator("#running progress").first.get_attribute("value")
    expect(page.locator("#running progress").first).not_to_have_attribute("value", before)
    assert sum(int(count) for count in re.findall(r"\d+", page.locator("#slots-text").inner_text())) == 4


def test_events_go_on_where_they_were_after_the_service_restarts(browser_page, busy, service, audit):
    audit.expected += ["ERR_", "503"]
    page = browser_page
    page.goto("/")
    expect(page.locator("#connection")).to_have_text("live")
    ids = page.evaluate_handle("""() => {
      const ids = [];
      document.addEventListener("happened", (event) => ids.push(event.detail.id));
      return ids;
    }""")
    wait_until(page, "(ids) => ids.length > 3", arg=ids)
    page.evaluate("window.kept = true")
    service.kill(service.api)
    expect(page.locator("#connection")).to_have_text("reconnecting")
    seen = page.evaluate("(ids) => ids.length", ids)
    service.start_api()
    expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
    wait_until(page, "([ids, seen]) => ids.length > seen + 3", arg=[ids, seen], timeout=30_000)
    found = page.evaluate("(ids) => [...ids]", ids)
    assert found == list(range(found[0], found[0] + len(found))), "none is missing, none comes twice"
    assert page.evaluate("window.kept") is True


def test_events_are_told_as_sentences(browser_page, busy):
    page = browser_page
    page.goto("/")
    expect(page.locator("#happenings")).to_contain_text(re.compile(r"\d+ clips? committed by"))


@pytest.mark.parametrize("path", ["/", "/workers", "/wall"])
def test_pages_fit_a_phone(new_context, path, busy, screenshot):
    page = new_context(viewport={"width": 375, "height": 800}, color_scheme="dark").new_page()
    page.goto(path)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    screenshot(page, f"phone-{path.strip('/') or 'overview'}")
