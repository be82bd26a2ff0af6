"""Jobs in the browser: the list, one from its start to its end, what can be done with it, and what came of it."""

import json
import re
import sqlite3
import time

import pytest
from playwright.sync_api import expect

from api.testing.factory import small_job
from tests.dashboard.pages import wait_until

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"' & {{ 7 * 7 }}"
PICTURES = {"modalities": ["rgb", "depth"], "size": [32, 32]}


@pytest.fixture
def long_job(service):
    """A job that runs until somebody stops it."""
    identity = service.submit(small_job(5000, dataset="long", name="A long one"))
    yield identity
    service.call(f"/v1/jobs/{identity}:cancel", method="POST")


@pytest.fixture(scope="module")
def done(service):
    """A job that has ended."""
    identity = service.submit(small_job(12, dataset="done", name="Done", **PICTURES))
    service.until_done(identity)
    return identity


def test_a_job_is_watched_to_its_end_without_a_reload(browser_page, service, screenshot):
    page = browser_page
    identity = service.submit(small_job(40, dataset="watched", name="Watched", **PICTURES))
    page.goto(f"/jobs/{identity}")
    page.evaluate("window.mark = 'never loaded anew'")
    expect(page.locator("#head .badge")).to_have_text("completed", timeout=90_000)
    expect(page.locator("#progress")).to_contain_text("of 40, 100 %")
    expect(page.locator("#clips img").first).to_be_visible()
    assert page.evaluate("window.mark") == "never loaded anew"
    screenshot(page, "job")


def test_a_job_is_paused_resumed_and_cancelled_from_its_page(browser_page, service, long_job):
    page = browser_page
    page.goto(f"/jobs/{long_job}")
    badge = page.locator("#head .badge")
    for action, state in (("Pause", "paused"), ("Resume", "running"), ("Cancel", "cancelled")):
        page.locator("#head").get_by_role("button", name=action).click()
        expect(badge).to_have_text(state)
        assert service.job(long_job)["state"] == state
    expect(page.locator("#head button")).to_have_count(0)


def test_a_job_is_paused_from_the_list_which_stays_where_it_was(browser_page, service, long_job):
    page = browser_page
    page.goto("/jobs?state=running")
    row = page.get_by_role("row").filter(has=page.locator(f"#open-{long_job}"))
    row.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs?state=running")
    expect(page.locator(f"#open-{long_job}")).to_have_count(0)
    page.get_by_role("navigation", name="Jobs by state").get_by_role("link", name="paused").click()
    expect(page.locator(f"#open-{long_job}")).to_be_visible()
    assert service.job(long_job)["state"] == "paused"


def test_what_was_given_up_is_retried_from_the_page(browser_page, service, done):
    with sqlite3.connect(
        service.folder / "simfactory.db"
    ) as connection:  # as though its last episode had been given up
        connection.execute(
            'INSERT INTO failures (job, part, "index", attempt, reason, detail, at) VALUES (?, 0, 0, 0, ?, ?, ?)',
            (done, "no_attempt_passed", "diverged <b>again</b>", time.time()),
        )
        connection.execute("UPDATE jobs SET failed = 1, version = version + 1 WHERE id = ?", (done,))
    page = browser_page
    page.goto(f"/jobs/{done}")
    expect(page.locator("#failures")).to_contain_text("diverged <b>again</b>")
    page.locator("#head").get_by_role("button", name="Retry").click()
    expect(page.locator("#failures")).to_contain_text("Nothing was refused or given up.")
    service.until_done(done)


def test_markup_in_a_name_is_text(browser_page, service):
    page = browser_page
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    identity = service.submit(small_job(1, dataset="hostile", name=HOSTILE))
    for path in (f"/jobs/{identity}", "/jobs"):
        page.goto(path)
        expect(page.get_by_text(HOSTILE).first).to_be_visible()
        assert page.locator("img[src=x]").count() == 0
    service.until_done(identity)


def test_the_matrix_and_the_histograms_are_those_of_the_service(browser_page, service, done):
    page = browser_page
    page.goto(f"/jobs/{done}")
    told = service.call(f"/v1/jobs/{done}/distribution")
    (cell,) = told["cells"]
    expect(page.locator("#matrix td")).to_have_text(f"{cell['delivered']} / {cell['wanted']}")
    assert page.locator("#parameters svg").count() == len(told["parameters"]) > 5
    gravity = next(each for each in told["parameters"] if each["name"] == "gravity")
    table = page.locator("#numbers-gravity")
    table.locator("summary").click()
    cells = [int(text) for text in table.locator("td").all_inner_texts()]
    expected = [[each["below"], *each["bins"], each["above"]] for each in (gravity["requested"], gravity["delivered"])]
    assert [cells[0::2], cells[1::2]] == expected


def test_the_request_is_there_as_a_command_that_makes_the_same_job(browser_page, service, done):
    page = browser_page
    page.goto(f"/jobs/{done}")
    written = page.get_by_label("Command").inner_text()
    command, _, rest = written.partition("\n")
    assert command == "simfactory submit --request - <<'END'"
    again = service.submit(json.loads(rest.removesuffix("END")))
    assert service.job(again)["request"] == service.job(done)["request"]
    service.until_done(again)


def test_clips_of_the_job_are_shown_and_lead_to_their_pages(browser_page, service, done):
    page = browser_page
    page.goto(f"/jobs/{done}")
    newest = [clip["id"] for clip in service.clips(done)][::-1]
    links = page.locator("#clips .gallery a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert links == [f"/clips/{clip}" for clip in newest[:12]]
    page.locator("#clips img").first.scroll_into_view_if_needed()
    wait_until(page, "[...document.querySelectorAll('#clips img')].some(each => each.naturalWidth === 32)")


def test_an_unknown_job_is_a_page_not_a_trace(browser_page, audit):
    audit.expected.append("404")
    browser_page.goto("/jobs/j0123")
    expect(browser_page.get_by_role("heading", level=1)).to_have_text("Not found")


def test_who_may_only_read_gets_no_buttons_and_is_refused(new_context, service, long_job, address, reader_token):
    context = new_context(token=reader_token)
    page = context.new_page()
    page.goto(f"/jobs/{long_job}")
    expect(page.locator("#head .badge")).to_have_text("running")
    expect(page.locator("#head button")).to_have_count(0)
    answer = context.request.post(f"/jobs/{long_job}/cancel", headers={"origin": address}, max_redirects=0)
    assert answer.status == 403
    assert service.job(long_job)["state"] == "running"


def test_an_action_of_another_site_is_refused(new_context, service, long_job):
    context = new_context()
    for headers in ({"origin": "http://evil.example"}, {}):
        answer = context.request.post(f"/jobs/{long_job}/cancel", headers=headers, max_redirects=0)
        assert answer.status == 403
    assert service.job(long_job)["state"] == "running"


def test_nobody_is_led_away_by_an_action(new_context, long_job, address):
    form = {"back": "https://evil.example/"}
    answer = new_context().request.post(
        f"/jobs/{long_job}/pause", form=form, headers={"origin": address}, max_redirects=0
    )
    assert (answer.status, answer.headers["location"]) == (303, "/")


def test_a_list_of_many_jobs_is_paged(browser_page, service):
    with sqlite3.connect(service.folder / "simfactory.db") as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(jobs)")]
        changed = {"id": "'jm' || n", "created": "1000.0 + n", "state": "'cancelled'", "dataset": "'many'"}
        names = ", ".join(f'"{name}"' for name in columns)
        values = ", ".join(changed.get(name, f'"{name}"') for name in columns)
        connection.execute(
            f"WITH RECURSIVE numbers(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM numbers WHERE n < 219) "
            f"INSERT INTO jobs ({names}) SELECT {values} FROM numbers, (SELECT * FROM jobs LIMIT 1)"
        )
    page = browser_page
    page.goto("/jobs?dataset=many")
    seen = []
    while True:
        seen += page.locator("th.what a").evaluate_all("all => all.map(each => each.id)")
        if page.get_by_role("link", name="Older").count() == 0:
            break
        page.get_by_role("link", name="Older").click()
        page.wait_for_url(re.compile("cursor="))
        wait_until(page, "last => document.querySelector('th.what a').id !== last", arg=seen[-50])
    assert seen == [f"open-jm{number}" for number in range(219, 99, -1)]
    with sqlite3.connect(service.folder / "simfactory.db") as connection:
        connection.execute("DELETE FROM jobs WHERE dataset = 'many'")
