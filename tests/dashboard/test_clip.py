"""A clip's page in the service: what it leads to, what it lets one take along, and clips that lack something."""

import io
import shutil
import tarfile

import pytest
from playwright.sync_api import expect

from simfactory.dataset import open_dataset
from simfactory.store import validate
from tests.dashboard.test_viewer import seen_at, until

JOB = {
    "dataset": "seen",
    "items": [{"category": "rigid", "scene": "bounce", "clips": 2}],
    "backend": "mock",
    "frames": 8,
    "size": [48, 48],
    "views": 1,
}


def finished(service, **changes) -> tuple[str, list[dict]]:
    """Run a job and return its id and its clips."""
    job = service.submit({**JOB, **changes})
    service.until_done(job)
    return job, service.clips(job)


@pytest.fixture(scope="module")
def made(service) -> tuple[str, list[dict]]:
    return finished(service)


def test_the_page_tells_what_the_clip_is_and_where_it_comes_from(browser_page, service, made, screenshot):
    job, clips = made
    page = browser_page
    page.goto(f"/clips/{clips[0]['id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text(clips[0]["caption"])
    page.evaluate("viewer.ready.then(() => null)")
    assert page.evaluate("viewer.pointCount") > 0
    assert seen_at(page, 0)["variance"] > 20.0
    expect(page.get_by_role("link", name="Job", exact=True)).to_have_attribute("href", f"/jobs/{job}")
    expect(page.get_by_role("link", name="Dataset seen")).to_have_attribute("href", "/datasets/seen")
    expect(page.get_by_role("link", name="bounce")).to_have_attribute("href", "/scenes/bounce")
    page.get_by_text("Spec", exact=True).click()
    expect(page.locator("#spec")).to_contain_text('"schema_version": "simfactory.scene/1"')
    expect(page.locator("#command")).to_contain_text("simfactory generate --spec clip-")
    expect(page.get_by_role("cell", name="reprojection px")).to_be_visible()
    screenshot(page, "clip")


def test_the_link_brings_the_clip_as_a_dataset(browser_page, service, made, tmp_path):
    _, clips = made
    page = browser_page
    page.goto(f"/clips/{clips[0]['id']}")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download clip").press("Enter")
    with tarfile.open(fileobj=io.BytesIO(started.value.path().read_bytes())) as archive:
        archive.extractall(tmp_path, filter="data")
    assert validate(tmp_path) == []
    assert open_dataset(tmp_path).ids == [clips[0]["id"]]


def test_a_stranger_is_led_to_the_login_and_back(new_context, made):
    _, clips = made
    page = new_context(token=None).new_page()
    page.goto(f"/clips/{clips[0]['id']}")
    page.wait_for_url(f"**/login?next=/clips/{clips[0]['id']}")


def test_pictures_alone_make_a_page_that_says_what_is_missing(browser_page, service, screenshot):
    _, clips = finished(service, dataset="flat", modalities=["rgb"])
    page = browser_page
    page.goto(f"/clips/{clips[0]['id']}")
    page.evaluate("viewer.ready.then(() => null)")
    expect(page.locator("#space-message")).to_contain_text("No points and no depth were recorded")
    expect(page.locator("#absent")).to_contain_text("depth")
    page.locator("#time").press("ArrowRight")
    until(page, "viewer.frame === 1 && viewer.film.panels[0].shown === 1")
    screenshot(page, "clip-flat")


def test_depth_alone_still_makes_a_scene(browser_page, service):
    _, clips = finished(service, dataset="deep", modalities=["depth"])
    page = browser_page
    page.goto(f"/clips/{clips[0]['id']}")
    page.evaluate("viewer.ready.then(() => null)")
    assert page.evaluate("viewer.pointCount") > 100
    assert seen_at(page, 0)["variance"] > 5.0
    expect(page.locator("#show-tracks")).to_be_disabled()


def test_a_deleted_clip_is_a_page_that_says_so(browser_page, service, audit):
    audit.expected.append("404")
    _, clips = finished(service, dataset="gone", frames=6)  # an id of its own
    identity = clips[0]["id"]
    (service.data / "gone" / "commits" / identity[:3] / f"{identity}.json").unlink()
    answer = browser_page.goto(f"/clips/{identity}")
    assert answer.status == 404
    expect(browser_page.get_by_role("heading", name="Not found")).to_be_visible()
    answer = browser_page.goto("/clips/" + "0" * 32)
    assert answer.status == 404
    expect(browser_page.get_by_text("there is no clip")).to_be_visible()


def test_a_damaged_clip_shows_what_is_left_and_tells_the_rest(browser_page, service, audit, screenshot):
    audit.expected.append("409")
    _, clips = finished(service, dataset="hurt", frames=10)
    clip = open_dataset(service.data / "hurt")[clips[0]["id"]]
    for chunk in (clip.path / "flow_forward").glob("c.*"):
        chunk.write_bytes(b"\0" * chunk.stat().st_size)
    page = browser_page
    page.goto(f"/clips/{clip.id}")
    page.evaluate("viewer.ready.then(() => null)")
    expect(page.locator('[data-modality="flow_forward"]').get_by_role("alert")).to_be_visible()
    until(page, "viewer.film.panels[0].shown === 0")
    assert page.evaluate("viewer.pointCount") > 0
    screenshot(page, "clip-damaged")
    shutil.rmtree(clip.path / "rgb")
    assert browser_page.goto(f"/clips/{clip.id}").status in (200, 409)
