"""Data that nobody should have: markup in every name, endless words, what is missing or deleted, and far too much."""

import hashlib
import json
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import event

from api.clips import clip_page
from api.database import Database, note
from api.jobs import job_page
from api.tables import FailureRow
from api.testing.crowd import crowd_clips, crowd_jobs, pretending_workers
from api.testing.factory import Factory, small_job
from simfactory.store import read_record

MARKUP = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">'
QUOTES = "\"' onmouseover='window.hacked=1' --> ]]> </title></textarea>"
RIGHT_TO_LEFT = "\u202egpj.exe\u202c \u2067\u05e2\u05d1\u05e8\u05d9\u05ea\u2069"
ZALGO = "Z" + "".join(chr(0x0300 + number) for number in range(100)) + "algo"
LONG = "W" * 190
TEMPLATE = "{{ 7 * 7 }} {% raw %} ${7*7} %s %(name)s {0}"
NAMES = [MARKUP, QUOTES, RIGHT_TO_LEFT, ZALGO, LONG, TEMPLATE, "\u0007\u200b\ufeff"]
JOBS, CLIPS, WORKERS = 100_000, 10_000, 200
TEN_MB = "A ball <b>falls</b>. " * 500_000
WIDTHS = (1280, 375)


@pytest.fixture(scope="module")
def crowd():
    """A folder whose database has seen much, and the ids of the jobs with odd names."""
    folder = Path(tempfile.mkdtemp(prefix="sf-"))  # short: a socket's path has at most 100 bytes
    database = Database(f"sqlite:///{folder / 'simfactory.db'}")
    odd = crowd_jobs(
        database, JOBS, names=NAMES, tags=NAMES, state="failed", reason=MARKUP, failed=3, replaced=2,
        reasons={MARKUP: 1, LONG: 1},
    )  # fmt: skip
    crowd_clips(database, odd[0], CLIPS, caption=TEN_MB)
    with database.writing() as session:
        for number, text in enumerate([*NAMES, TEN_MB]):
            session.add(
                FailureRow(job=odd[0], part=0, index=number, attempt=0, reason=MARKUP[:64], detail=text, at=time.time())
            )
        for text in NAMES:
            note(session, "given_up", odd[0], reason=text, detail=text)
            note(session, "worker_lost", worker=text)
    database.close()
    yield folder, odd
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def service(crowd):
    """A service on it, with many workers of odd names that do nothing, and one that works."""
    folder, _ = crowd
    with Factory(folder, lease=60.0) as factory:
        names = [*NAMES, *(f"worker-{number}" for number in range(WORKERS - len(NAMES)))]
        with pretending_workers(factory.environment["REDIS_URL"], names):
            factory.start_worker()
            factory.until(lambda: len(factory.call("/v1/workers")) > WORKERS, what="all workers")
            yield factory


@pytest.fixture(scope="module")
def address(service):
    return f"http://127.0.0.1:{service.port}"


@pytest.fixture(scope="module")
def clips(service):
    """Ids of real clips, which have depth alone."""
    job = service.submit(small_job(4, dataset="real", name="real"))
    service.until_done(job)
    return sorted(clip["id"] for clip in service.clips(job))


def check(page, path):
    """Go to a page and find it whole: nothing ran, nothing sticks out, nothing became an element."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        answer = page.goto(path)
        assert answer.status == 200
        expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=30_000)
        assert page.evaluate("window.hacked") is None
        assert page.locator("main script, main img[src=x], main b").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is too wide for {width} px"
        assert len(page.content()) < 2_000_000


@pytest.mark.parametrize("path", ["/", "/jobs", "/workers", "/clips", "/datasets", "/wall", "/datasets/crowd"])
def test_lists_show_what_people_typed_as_text(service, browser_page, audit, screenshot, path):
    audit.expected += ["404", "409"]  # pictures of clips that no dataset has
    check(browser_page, path)
    screenshot(browser_page, f"hostile{path.replace('/', '-')}", full_page=False)


def test_a_job_of_an_odd_name_is_shown_as_text(service, crowd, browser_page, audit, screenshot):
    audit.expected += ["404", "409"]
    page = browser_page
    for identity, name in zip(crowd[1], NAMES, strict=True):
        check(page, f"/jobs/{identity}")
        if name == MARKUP:
            expect(page.locator("h1")).to_have_text(MARKUP)
            expect(page.locator("#failures")).to_contain_text("A ball <b>falls</b>")
            screenshot(page, "hostile-job", full_page=False)
        if name == TEMPLATE:
            expect(page.locator("h1")).to_have_text(TEMPLATE)


def test_a_worker_of_an_odd_name_can_be_looked_at(service, browser_page):
    page = browser_page
    page.goto("/workers")
    expect(page.get_by_role("link", name="<script>").first).to_be_visible()
    expect(page.locator("#list tbody tr")).to_have_count(WORKERS + 1)


@pytest.mark.parametrize(
    "path", ["/scenes/<script>", "/datasets/<b>", "/jobs/%00", "/clips/..%2f..%2ftoken", "/training/<i>"]
)
def test_odd_addresses_are_answered_with_a_page(service, new_context, path):
    answer = new_context().request.get(path, headers={"accept": "text/html"})
    assert answer.status in (404, 422)
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script>" not in answer.text()
    assert "<i>" not in answer.text()


def test_a_clip_without_most_modalities_is_shown_with_what_it_has(service, clips, browser_page, screenshot):
    check(browser_page, f"/clips/{clips[0]}")
    expect(browser_page.locator("main")).to_contain_text("Depth")
    screenshot(browser_page, "hostile-clip-depth-alone", full_page=False)


def test_a_caption_of_ten_megabytes_is_cut(service, clips, browser_page):
    root = service.data / "real"
    record = read_record(root, clips[1])
    folder = next(root.glob(f"clips/*/{clips[1]}.*.zarr"))
    attributes = json.loads((folder / "zarr.json").read_text())
    attributes["attributes"]["caption"] = TEN_MB
    text = json.dumps(attributes).encode()
    (folder / "zarr.json").write_bytes(text)
    record["files"]["zarr.json"] = {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
    next(root.glob(f"commits/*/{clips[1]}.json")).write_text(json.dumps(record))
    check(browser_page, f"/clips/{clips[1]}")
    expect(browser_page.locator("h1")).to_contain_text("A ball <b>falls</b>")


def test_a_clip_whose_folder_was_deleted_says_so(service, clips, browser_page, audit):
    audit.expected += ["404", "409"]
    (folder,) = (service.data / "real").glob(f"clips/*/{clips[2]}.*.zarr")
    shutil.rmtree(folder)
    answer = browser_page.goto(f"/clips/{clips[2]}")
    assert answer.status in (404, 409)
    expect(browser_page.get_by_role("main")).to_contain_text(clips[2])
    assert "Traceback" not in browser_page.content()
    check(browser_page, "/clips?dataset=real")


def steps_of(database, call):
    """Return how much SQLite did for a call [thousands of its instructions], and its plans."""
    with database.reading() as session:
        raw = session.connection().connection.dbapi_connection
        statements, steps = [], 0

        def step():
            nonlocal steps
            steps += 1

        def remember(connection, cursor, statement, parameters, context, executemany):
            statements.append((statement, parameters))

        event.listen(database.engine, "before_cursor_execute", remember)
        raw.set_progress_handler(step, 1000)
        try:
            call(session)
        finally:
            raw.set_progress_handler(None, 0)
            event.remove(database.engine, "before_cursor_execute", remember)
        plans = [line[3] for each in statements for line in raw.execute(f"EXPLAIN QUERY PLAN {each[0]}", each[1])]
    return steps, plans


@pytest.mark.parametrize("wanted", [{}, {"state": "completed"}, {"state": "paused"}, {"dataset": "crowd3"}])
@pytest.mark.parametrize("is_deep", [False, True])
def test_a_page_of_jobs_costs_the_same_among_a_hundred_thousand(crowd, wanted, is_deep):
    database = Database(f"sqlite:///{crowd[0] / 'simfactory.db'}")
    from api.paging import encode_cursor

    secret = database.secret()
    cursor = encode_cursor(secret, "jobs", [1.7e9 + JOBS / 3, "j"]) if is_deep else None
    steps, plans = steps_of(database, lambda session: job_page(session, secret, limit=50, cursor=cursor, **wanted))
    database.close()
    assert not [plan for plan in plans if "TEMP B-TREE FOR ORDER BY" in plan], plans
    assert steps < 50, "thousands of SQLite's instructions, for 50 jobs"


def test_a_page_of_clips_costs_the_same_among_ten_thousand(crowd):
    database = Database(f"sqlite:///{crowd[0] / 'simfactory.db'}")
    secret = database.secret()
    for wanted in ({}, {"dataset": "crowd"}, {"scene": "free_drop"}, {"category": "nothing"}):
        steps, _ = steps_of(database, lambda session, wanted=wanted: clip_page(session, secret, wanted, None, 48))
        assert steps < 200, wanted
    database.close()
