"""The gallery of base scenes: all of them, found by words, and a job of each from its page."""

import re

import pytest
from playwright.sync_api import expect

from scenes.listing import catalogue, categories, find_category
from tests.dashboard.pages import wait_until


def test_every_scene_is_there_with_its_picture(browser_page, screenshot):
    page = browser_page
    page.goto("/scenes")
    links = page.locator(".strips a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert sorted(links) == sorted(f"/scenes/{entry.name}" for entry in catalogue())
    assert page.locator(".strips img").count() == len(links)
    wait_until(page, "document.querySelector('.strips img').naturalWidth === 384")
    screenshot(page, "scenes", full_page=False)


def words_of(entry):
    text = f"{entry.name} {entry.description} {' '.join(entry.phenomena)}".lower()
    return {word for word in ("robot", "cloth") if word in text}


def test_words_find_scenes_and_hide_empty_categories(browser_page):
    page = browser_page
    page.goto("/scenes")
    page.get_by_label("Words").press_sequentially("robot cloth")
    wanted = [entry.name for entry in catalogue() if {"robot", "cloth"} <= words_of(entry)]
    assert 0 < len(wanted) < 20
    visible = page.locator(".strips li:visible a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert visible == [f"/scenes/{name}" for name in wanted]
    expect(page.locator("#shown")).to_have_text(f"{len(wanted)} of {len(catalogue())} scenes")
    expect(page.locator("[data-category=granular]")).to_be_hidden()


@pytest.mark.parametrize("category", ["rope", "thermal"])
def test_a_category_is_shown_alone(browser_page, category):
    page = browser_page
    page.goto("/scenes")
    page.get_by_role("navigation", name="Categories").get_by_role("link", name=category).click()
    page.wait_for_url(f"**/scenes?category={category}")
    links = page.locator(".strips a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert links == [f"/scenes/{row.name}" for row in find_category(category).scenes]


def test_a_scene_tells_what_it_is_and_makes_a_job_of_itself(browser_page, service, screenshot):
    page = browser_page
    page.goto("/scenes/bounce")
    entry = next(entry for entry in catalogue() if entry.name == "bounce")
    content = page.locator("#content")
    for text in (entry.description, "free fall", "gravity", categories()["rigid"].description):
        expect(content).to_contain_text(text)
    assert page.locator("#content img").evaluate("each => each.naturalWidth") == 384
    screenshot(page, "scene")
    expect(page.locator("#f-items-0-category")).to_have_value("rigid")
    expect(page.locator("#f-items-0-scene")).to_have_value("bounce")
    page.locator("#f-dataset").fill("from-scene")
    page.locator("#f-items-0-clips").fill("2")
    page.locator("#f-frames").fill("2")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#estimate-card")).to_contain_text("rigid")
    page.locator("#f-backend").select_option("mock")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url(re.compile(r"/jobs/j\w+$"))
    identity = page.url.rpartition("/")[2]
    assert service.job(identity)["request"]["items"][0]["scene"] == "bounce"
    service.until_done(identity)


def test_scenes_beside_are_a_step_away(browser_page):
    names = [row.name for row in find_category("rope").scenes]
    browser_page.goto(f"/scenes/{names[0]}")
    expect(browser_page.locator("[rel=prev]")).to_have_count(0)
    browser_page.locator("[rel=next]").click()
    browser_page.wait_for_url(f"**/scenes/{names[1]}")


def test_an_unknown_scene_is_a_page_that_says_so(browser_page, audit):
    audit.expected.append("404")
    browser_page.goto("/scenes/no_such_scene")
    expect(browser_page.locator("#content")).to_contain_text("no_such_scene")
