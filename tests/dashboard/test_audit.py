"""Every page, found from the routes: accessible, on a phone, by keyboard, within the policy, only for who may."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from api.security import COOKIE
from api.testing.factory import TOKEN
from tests.dashboard.pages import PARAMETER, templates

PAGES = [path for path in templates() if path != "/login"]
FORMS = [path for path in templates("POST") if path not in ("/login", "/logout")]
PHONE = {"width": 375, "height": 740}
ACTIONS = {"{action}": "pause"}  # further words of forms' addresses

INTERACTIVE = """() => {
  const selector = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  const radios = new Set();
  window.keyOf = (element) => [element.tagName, element.id || element.getAttribute("href") || element.name ||
    element.getAttribute("aria-label") || element.textContent.trim().slice(0, 60)].join(" ");
  window.reached = new Set();
  window.unseen = new Set();
  document.addEventListener("focusin", ({ target }) => {
    window.reached.add(window.keyOf(target));
    const style = getComputedStyle(target);
    const box = target.getBoundingClientRect();
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1 || !box.width || !box.height) {
      window.unseen.add(window.keyOf(target));
    }
  });
  return [...document.querySelectorAll(selector)].filter((element) => {
    if (element.disabled || element.tabIndex < 0) return false;
    if (!element.checkVisibility({ visibilityProperty: true })) return false;
    if (element.type !== "radio") return true;
    const isFirst = !radios.has(element.name);
    radios.add(element.name);
    return isFirst; // arrows go to the others
  }).map(window.keyOf);
}"""
# What sticks out of the page to the right, of what does not scroll within a frame of its own.
WIDE = """() => [...document.querySelectorAll("main *, header *")].filter((element) => {
  if (element.getBoundingClientRect().right <= innerWidth + 1 || element.closest(".sr")) return false;
  for (let parent = element.parentElement; parent !== null; parent = parent.parentElement) {
    if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(parent).overflowX)) return false;
  }
  return true;
}).map((element) => `${element.tagName}#${element.id}.${element.className}`).slice(0, 10)"""


def name_of(template, kind):
    """Return the name of a picture of a page."""
    return f"audit{re.sub(r'[^a-z]+', '-', template).rstrip('-') or '-overview'}-{kind}"


def show(page, path):
    """Go to a page and wait until it has all that it fetches; return its answer."""
    answer = page.goto(path)
    page.wait_for_load_state("load")
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=30_000)
    return answer


def faults(page):
    """Return what axe-core finds serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: "
        + " | ".join(node["html"][:200] for node in each["nodes"][:4])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def test_the_pages_are_found():
    assert {"/", "/jobs", "/jobs/{identity}", "/clips/{identity}", "/workers", "/training"} <= set(PAGES)
    assert "/jobs/new" in FORMS


@pytest.mark.parametrize("template", PAGES)
def test_axe_finds_nothing_serious_in_light_and_dark(browser_page, filled, screenshot, template):
    page = browser_page
    answer = show(page, filled.path(template))
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        screenshot(page, name_of(template, scheme), full_page=template != "/scenes")
        found[scheme] = faults(page)
    assert found == {"light": [], "dark": []}


@pytest.mark.parametrize("template", PAGES)
def test_a_phone_scrolls_down_alone(new_context, filled, screenshot, template):
    page = new_context(viewport=PHONE, device_scale_factor=2, has_touch=True, is_mobile=True).new_page()
    show(page, filled.path(template))
    screenshot(page, name_of(template, "phone"), full_page=False)
    assert page.evaluate(WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("template", PAGES)
def test_everything_is_reached_by_tab_and_seen_to_be(browser_page, filled, template):
    page = browser_page
    show(page, filled.path(template))
    wanted = page.evaluate(INTERACTIVE)
    assert len(wanted) > 8
    for _ in range(len(wanted) + 20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
    missing = set(wanted) - set(page.evaluate("[...window.reached]"))
    still = set(page.evaluate(INTERACTIVE))
    assert missing & still == set(), "not reached by Tab"
    page.keyboard.press("Tab")
    assert page.evaluate("[...window.unseen]") == [], "without an outline while focused"


def test_the_login_is_accessible_and_fits_a_phone(new_context, screenshot):
    page = new_context(token=None, viewport=PHONE).new_page()
    page.goto("/login")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.emulate_media(color_scheme="dark")
    assert faults(page) == []


@pytest.mark.parametrize("template", PAGES)
def test_strangers_are_led_to_the_login_and_back(new_context, filled, template):
    context = new_context(token=None)
    path = filled.path(template)
    answer = context.request.get(path, headers={"accept": "text/html"}, max_redirects=0)
    assert answer.status == 303
    assert answer.headers["location"].startswith("/login")
    assert answer.headers["content-security-policy"].startswith("default-src 'self';")


def test_an_expired_session_logs_in_again_and_is_back_where_it_was(new_context, filled, address):
    context = new_context(token=None)
    context.add_cookies([{"name": COOKIE, "value": "of-yesterday-and-known-no-more", "url": address}])
    page = context.new_page()
    page.goto("/jobs?state=paused&dataset=audit")
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs?state=paused&dataset=audit")
    expect(page.get_by_role("link", name="A long one")).to_be_visible()


@pytest.mark.parametrize("template", PAGES)
def test_who_may_only_read_sees_no_form_that_changes_anything(new_context, filled, reader_token, audit, template):
    audit.expected.append("403")  # of a page that is a form
    page = new_context(token=reader_token).new_page()
    answer = page.goto(filled.path(template))
    assert answer.status in (200, 403)
    actions = page.locator("form[method=post]").evaluate_all("all => all.map(form => form.getAttribute('action'))")
    assert [each for each in actions if each != "/logout"] == []


@pytest.mark.parametrize("template", FORMS)
def test_who_may_only_read_is_refused_whatever_he_sends(new_context, filled, reader_token, address, template):
    path = filled.path(template)
    for word, value in ACTIONS.items():
        path = path.replace(word, value)
    assert not re.search(r"[{}]", path), f"say in Filled.examples or ACTIONS what {PARAMETER.pattern} is"
    answer = new_context(token=reader_token).request.post(path, form={}, headers={"origin": address})
    assert answer.status == 403
    jobs = filled.service.call("/v1/jobs?state=paused")["items"]
    assert "A long one" in [job["request"]["name"] for job in jobs]


@pytest.mark.parametrize("template", FORMS)
def test_no_other_site_sends_a_form(new_context, filled, template):
    path = filled.path(template)
    for word, value in ACTIONS.items():
        path = path.replace(word, value)
    answer = new_context().request.post(path, form={}, headers={"origin": "https://evil.example"})
    assert answer.status == 403
