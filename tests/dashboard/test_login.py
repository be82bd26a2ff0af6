"""A session for a browser: by the form, by a link, and the way back to what was asked for."""

import pytest
from playwright.sync_api import expect

from api.dashboard.access import local_address
from api.testing.factory import TOKEN


def test_a_stranger_logs_in_and_gets_the_page_he_asked_for(new_context, screenshot):
    page = new_context(token=None).new_page()
    page.goto("/login?next=/login%3Fagain")
    expect(page.get_by_role("navigation")).to_have_count(0)
    screenshot(page, "login")
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/login?again")
    expect(page.get_by_role("navigation")).to_be_visible()


def test_a_wrong_token_is_refused_with_a_word(new_context, audit):
    audit.expected.append("401")
    page = new_context(token=None).new_page()
    page.goto("/login")
    page.get_by_label("Token").fill("not-a-token-of-ours")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("not known")
    expect(page.get_by_label("Token")).to_have_attribute("aria-invalid", "true")


def test_a_link_with_the_token_logs_in_and_leaves_it_nowhere(new_context):
    page = new_context(token=None).new_page()
    page.goto(f"/login?next=/login#token={TOKEN}")
    expect(page.get_by_role("navigation")).to_be_visible()
    assert TOKEN not in page.url
    assert page.evaluate("document.cookie") == ""


def test_whoever_logs_out_is_a_stranger(browser_page):
    browser_page.goto("/login")
    browser_page.get_by_role("button", name="Log out").click()
    browser_page.wait_for_url("**/login")
    expect(browser_page.get_by_role("navigation")).to_have_count(0)


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", ""],
)
def test_nobody_is_led_away_after_the_login(address):
    assert local_address(address) == "/"


def test_an_address_of_our_own_is_kept():
    assert local_address("/jobs?state=running") == "/jobs?state=running"
