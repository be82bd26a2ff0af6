"""The form of a job: what it offers, what it says to wrong values, and that it makes one job."""

import re

import pytest
from playwright.sync_api import expect

from api.dashboard.fields import Choices, entered_of, fields_of, read_request
from layouts.cameras import rigs
from scenes.listing import categories
from simfactory.annotations import annotations
from simfactory.parameters import PARAMETERS
from simfactory.protocol import JobRequest, ProblemItem
from simfactory.rendering import preset_names
from simfactory.simulators import backend_names

NOTHING = Choices(allowed={}, suggested={})


def options_of(page, path):
    values = page.locator(f"[name='{path}'] option").evaluate_all("all => all.map(option => option.value)")
    return [value for value in values if value]


# ── in the browser ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_job_is_submitted_by_keyboard_alone(browser_page, service, screenshot):
    page = browser_page
    page.goto("/jobs/new")
    press_until(page, "f-dataset")
    page.keyboard.type("keyboard")
    press_until(page, "f-name")
    page.keyboard.type("By keyboard alone")
    press_until(page, "f-items-0-category")
    page.keyboard.type("rigid")
    press_until(page, "f-items-0-scene")
    page.keyboard.type("free_drop")
    press_until(page, "f-items-0-clips")
    page.keyboard.type("2")
    press_until(page, "f-frames")
    page.keyboard.type("4")
    press_until(page, "f-backend")
    page.keyboard.type("mock")
    screenshot(page, "job_form")
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Submit":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/jobs/j\w+$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("By keyboard alone")
    identity = page.url.rpartition("/")[2]
    request = service.job(identity)["request"]
    assert request["items"] == [{"category": "rigid", "scene": "free_drop", "tier": None, "clips": 2}]
    assert (request["dataset"], request["frames"], request["backend"]) == ("keyboard", 4, "mock")
    service.until_done(identity)


def press_until(page, identity):
    for _ in range(60):
        if page.evaluate("document.activeElement.id") == identity:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tabulator does not lead to {identity}")


def test_wrong_values_stand_beside_their_fields_with_what_was_typed(browser_page, audit, screenshot):
    audit.expected.append("422")
    page = browser_page
    page.goto("/jobs/new?category=rigid&ranges/0/name=friction&ranges/0/values=0.1,%2099")
    page.locator("#f-dataset").fill("wrong")
    page.locator("#f-items-0-scene").fill("<i>no such scene</i>")
    page.locator("#f-items-0-clips").fill("many")
    page.get_by_role("button", name="Submit", exact=True).click()
    clips = page.locator("#f-items-0-clips")
    expect(clips).to_have_attribute("aria-invalid", "true")
    expect(clips).to_have_value("many")
    expect(page.locator("#f-items-0-scene")).to_have_value("<i>no such scene</i>")
    clips.fill("3")
    page.locator("#f-items-0-scene").fill("no_such_scene")
    page.get_by_role("button", name="Submit", exact=True).click()
    scene = page.locator("#f-items-0-scene")
    expect(scene).to_be_focused()  # the first that is wrong
    expect(scene).to_have_attribute("aria-invalid", "true")
    described = scene.get_attribute("aria-describedby").split()
    assert "unknown in category" in " ".join(page.locator(f"#{each}").inner_text() for each in described)
    expect(page.locator("#f-ranges-0-name")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#f-ranges-0-name-wrong")).to_contain_text("outside 0:2")
    expect(page.get_by_role("alert")).to_contain_text("Scene")
    screenshot(page, "job_form_wrong")


def test_a_check_says_what_the_job_would_take_and_makes_none(browser_page, service, screenshot):
    page = browser_page
    page.goto("/jobs/new?category=rope&scene=rope_drop&clips=30&dataset=checked")
    page.get_by_role("button", name="Check").click()
    card = page.locator("#estimate-card")
    expect(card).to_contain_text("30")
    expect(card).to_contain_text("rope")
    expect(page.locator("#f-items-0-scene")).to_have_value("rope_drop")
    screenshot(page, "job_form_checked")
    assert "checked" not in [each["name"] for each in service.call("/v1/datasets")]


def test_rows_are_added_and_removed(browser_page, service):
    page = browser_page
    page.goto("/jobs/new?dataset=rows&backend=mock")
    items = page.locator("#f-items")
    for number in range(3):
        if number == 2:
            items.get_by_role("button", name="Add a row").click()
            expect(page.locator("#f-items-2-category")).to_be_focused()
        page.locator(f"#f-items-{number}-category").select_option("rigid")
        page.locator(f"#f-items-{number}-scene").fill("free_drop")
        page.locator(f"#f-items-{number}-clips").fill(f"{number + 1}")
    items.get_by_role("button", name="Remove").nth(1).click()
    expect(page.locator("#f-items-1-clips")).to_have_value("3")
    page.locator("#f-frames").fill("4")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url(re.compile(r"/jobs/j\w+$"))
    identity = page.url.rpartition("/")[2]
    assert [item["clips"] for item in service.job(identity)["request"]["items"]] == [1, 3]
    service.call(f"/v1/jobs/{identity}:cancel", method="POST")


def test_it_works_without_scripts(new_context, service):
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/jobs/new")
    fill = {"dataset": "plain", "items-1-scene": "free_drop", "items-1-clips": "1", "frames": "4"}
    for name, value in fill.items():
        page.locator(f"#f-{name}").fill(value)
    page.locator("#f-items-1-category").select_option("rigid")
    page.locator("#f-backend").select_option("mock")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url(re.compile(r"/jobs/j\w+$"))
    assert len(service.job(page.url.rpartition("/")[2])["request"]["items"]) == 1


def test_a_form_that_is_sent_twice_makes_one_job(new_context, address, service):
    context = new_context()
    form = {
        "key": "sent-twice-by-one-click", "action": "submit", "dataset": "twice", "items/0/category": "rigid",
        "items/0/clips": "1", "frames": "4", "backend": "mock",
    }  # fmt: skip
    answers = [
        context.request.post("/jobs/new", form=form, headers={"origin": address}, max_redirects=0) for _ in range(2)
    ]
    assert [answer.status for answer in answers] == [303, 303]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert len(service.call("/v1/jobs?dataset=twice")["items"]) == 1


def test_choices_come_from_the_code(browser_page):
    page = browser_page
    page.goto("/jobs/new")
    assert options_of(page, "backend") == [*backend_names()]
    assert options_of(page, "preset") == [*preset_names()]
    assert options_of(page, "items/0/category") == [*categories()]
    assert {each.get_attribute("value") for each in page.locator("[name=cameras]").all()} == {*rigs()}
    assert {each.get_attribute("value") for each in page.locator("[name=modalities]").all()} == {
        one.name for one in annotations()
    }
    names = page.locator("#known-ranges option").evaluate_all("all => all.map(o => o.value)")
    assert names == [*PARAMETERS]


def test_every_field_of_the_schema_has_a_control_with_words(browser_page):
    page = browser_page
    page.goto("/jobs/new")
    for name in JobRequest.model_fields:
        assert page.locator(f"[name='{name}'], [name^='{name}/']").count() > 0, name
    for control in page.locator("#job-form").locator("input, select, textarea").all():
        if control.get_attribute("type") != "hidden":
            labelled = control.evaluate("each => each.labels.length > 0 || each.hasAttribute('aria-label')")
            assert labelled, control.get_attribute("name")


def test_who_may_only_read_is_told_so(new_context, reader_token, audit):
    audit.expected.append("403")
    page = new_context(token=reader_token).new_page()
    page.goto("/jobs/new")
    expect(page.locator("#content")).to_contain_text("to submit jobs takes one with the scope")
    expect(page.locator("#job-form")).to_have_count(0)


def test_a_form_of_another_site_is_refused(new_context):
    form = {"dataset": "x", "action": "submit"}
    answer = new_context().request.post("/jobs/new", form=form, headers={"origin": "http://evil.example"})
    assert answer.status == 403


# ── what was typed ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_left_blank_is_left_out():
    entered = entered_of(JobRequest, {"dataset": ["d"], "frames": [""], "items/0/category": [""], "size": ["", ""]})
    assert read_request(JobRequest, entered) == ({"dataset": "d"}, [])


def test_rows_without_values_are_no_rows_and_errors_find_theirs():
    given = {"items/0/category": [""], "items/3/category": ["rigid"], "items/3/clips": ["x"]}
    entered = entered_of(JobRequest, given)
    assert read_request(JobRequest, entered)[0] == {"items": [{"category": "rigid", "clips": "x"}]}
    fields, rest = fields_of(JobRequest, entered, [ProblemItem(pointer="/items/0/clips", detail="no number")], NOTHING)
    assert rest == []
    assert fields["items"].invalid.path == "items/0/clips"
    assert fields["items"].rows[0][3].value == "x"


@pytest.mark.parametrize(
    ("name", "typed", "read"),
    [
        ("seeds", "1, 2;3 4", ["1", "2", "3", "4"]),
        ("tags", "a b", ["a", "b"]),
        ("until_rest", "true", True),
        ("specs", '[{"kind": 1}]', [{"kind": 1}]),
    ],
)
def test_texts_are_read_as_what_the_schema_says(name, typed, read):
    assert read_request(JobRequest, entered_of(JobRequest, {name: [typed]})) == ({name: read}, [])


def test_pairs_given_twice_and_bad_json_are_told():
    given = {
        "ranges/0/name": ["gravity"], "ranges/0/values": ["1 2"], "ranges/1/name": ["gravity"], "specs": ["{"],
    }  # fmt: skip
    _, problems = read_request(JobRequest, entered_of(JobRequest, given))
    assert [problem.pointer for problem in problems] == ["/specs", "/ranges/gravity"]


def test_a_range_that_is_wrong_is_marked_in_its_row():
    given = {"ranges/0/name": ["wind"], "ranges/0/values": ["1 2"], "ranges/1/name": ["gravity"]}
    problem = ProblemItem(pointer="/ranges/gravity/0", detail="too small")
    fields, _ = fields_of(JobRequest, entered_of(JobRequest, given), [problem], NOTHING)
    assert fields["ranges"].invalid.path == "ranges/1/name"


def test_what_belongs_to_no_field_is_told_all_the_same():
    problems = [ProblemItem(pointer="", detail="all of it"), ProblemItem(pointer="/other/1", detail="unknown")]
    assert fields_of(JobRequest, {}, problems, NOTHING)[1] == ["all of it", "other/1: unknown"]
