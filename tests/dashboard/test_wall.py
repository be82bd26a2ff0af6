"""The live wall: pictures of what is really simulated, asked for only while somebody looks."""

import pytest
from playwright.sync_api import expect

SPREADS = """(screen) => [...screen.querySelectorAll("canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const values = data.filter((_, place) => place % 4 !== 3);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
})"""
JOB = {
    "dataset": "wall",
    "items": [{"category": "rigid", "scene": "bounce", "clips": 4000}],
    "backend": "newton",
    "frames": 24,
    "size": [128, 96],
    "modalities": ["rgb", "depth", "flow_forward", "instance"],
}


@pytest.fixture
def bouncing(service):
    """A job of the real simulator that lasts longer than a test."""
    identity = service.submit(JOB)
    yield identity
    service.call(f"/v1/jobs/{identity}:cancel", {})


def test_wall_shows_pictures_of_a_running_simulation(browser_page, bouncing, service, screenshot):
    page = browser_page
    page.goto("/wall")
    expect(page.locator(".screen")).to_have_count(2)
    screen = page.locator(".screen[data-drawn]").filter(has_text="bounce").first
    expect(screen).to_be_visible(timeout=120_000)  # kernels may have to be compiled first
    spreads = page.evaluate(SPREADS, screen.element_handle())
    assert len(spreads) == 4
    assert all(spread > 5.0 for spread in spreads), spreads
    expect(screen.locator(".about")).to_contain_text("of 24")
    expect(screen.get_by_role("img", name="depth of")).to_be_visible()
    screenshot(page, "wall")
    drawn = screen.get_attribute("data-drawn")
    expect(screen).not_to_have_attribute("data-drawn", drawn, timeout=30_000)


def test_paused_wall_asks_for_nothing(browser_page, bouncing):
    page = browser_page
    page.goto("/wall")
    expect(page.locator(".screen")).to_have_count(2)
    with page.expect_response("**/v1/workers/live"):
        pass
    page.get_by_role("button", name="Pause").press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(1000)  # what was under way
    asked = []
    page.on("request", lambda request: "/v1/workers" in request.url and asked.append(request.url))
    page.wait_for_timeout(4500)
    assert asked == []
    with page.expect_response("**/v1/workers/live"):
        page.get_by_role("button", name="Pause").press("Enter")
