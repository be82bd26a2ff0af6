"""Datasets and clips in the browser: counts, filters, versions, and an export that is whole."""

import json
import subprocess
import sys
import tarfile

import pytest
from playwright.sync_api import expect

from api.testing.factory import small_job
from simfactory.dataset import open_dataset
from tests.dashboard.pages import wait_until


@pytest.fixture(scope="module")
def dataset(service) -> str:
    """A dataset with clips of two scenes."""
    items = [
        {"category": "rigid", "scene": scene, "clips": clips} for scene, clips in (("free_drop", 55), ("bounce", 6))
    ]
    job = service.submit(small_job(1, dataset="shown", items=items, modalities=["rgb"], seeds=[5]))
    service.until_done(job)
    return "shown"


def test_counts_are_those_of_the_service(browser_page, service, dataset, screenshot):
    page = browser_page
    told = service.call(f"/v1/datasets/{dataset}")
    page.goto("/datasets")
    page.locator(f"#open-{dataset}").click()
    page.wait_for_url(f"**/datasets/{dataset}")
    expect(page.locator("#counts")).to_contain_text(f"{told['clips']}")
    expect(page.locator("#shares")).to_contain_text(f"{told['splits']['train']}")
    assert page.locator("#clips .gallery li").count() == 12
    address = page.url.replace(f"/datasets/{dataset}", f"/v1/datasets/{dataset}")
    expect(page.get_by_label("Python")).to_contain_text(f'open_dataset("{address}"')
    screenshot(page, "dataset")


def test_a_version_is_frozen_and_its_manifest_and_export_are_whole(browser_page, service, dataset, tmp_path):
    page = browser_page
    page.goto(f"/datasets/{dataset}")
    page.get_by_role("button", name="Freeze").click()
    row = page.locator("#versions tbody tr").first
    expect(row.locator("th")).to_have_text("1")
    page.get_by_role("button", name="Freeze").click()  # nothing is new: no second one
    expect(page.locator("#versions tbody tr")).to_have_count(2)
    with page.expect_download() as manifest:
        row.get_by_role("link", name="Manifest").click()
    listed = [json.loads(line)["id"] for line in manifest.value.path().read_text().splitlines()]
    assert len(listed) == service.call(f"/v1/datasets/{dataset}")["clips"]
    with page.expect_download() as export:
        row.get_by_role("link", name="Export").click()
    assert export.value.suggested_filename == f"{dataset}.tar"
    with tarfile.open(export.value.path()) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = [path.parent for path in tmp_path.rglob("dataset.json")]
    checked = subprocess.run(
        [sys.executable, "-m", "simfactory", "verify", str(folder)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert {clip.id for clip in open_dataset(folder)} == set(listed)


def test_clips_are_filtered_by_what_they_are_and_paged(browser_page, service, dataset, audit, screenshot):
    audit.expected += ["404", "409"]  # clips that other tests have damaged or deleted are listed first
    page = browser_page
    page.goto("/clips")
    page.get_by_label("Dataset").select_option(dataset)
    page.get_by_label("Scene").select_option("free_drop")
    page.get_by_role("button", name="Filter").click()
    wanted = [clip["id"] for clip in service.call(f"/v1/clips?dataset={dataset}&scene=free_drop&limit=100")["items"]]
    assert len(wanted) == 55
    shown = links(page)
    assert len(shown) == 48
    screenshot(page, "clips")
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**cursor=**")
    shown += links(page)
    assert shown == [f"/clips/{clip}" for clip in wanted]
    expect(page.get_by_role("link", name="Next page")).to_have_count(0)
    page.get_by_role("link", name="First page").click()
    wait_until(page, "!location.search.includes('cursor')")
    assert links(page) == [f"/clips/{clip}" for clip in wanted[:48]]


def links(page):
    return page.locator(".gallery a").evaluate_all("all => all.map(each => each.getAttribute('href'))")


def test_no_clips_is_said_in_words(browser_page):
    browser_page.goto("/clips?scene=bounce&dataset=nowhere")
    expect(browser_page.locator("#content")).to_contain_text("No such clips.")
    expect(browser_page.get_by_label("Dataset")).to_have_value("nowhere")


def test_who_may_only_read_cannot_freeze(new_context, dataset, reader_token, address):
    context = new_context(token=reader_token)
    page = context.new_page()
    page.goto(f"/datasets/{dataset}")
    expect(page.get_by_role("button", name="Freeze")).to_have_count(0)
    answer = context.request.post(f"/datasets/{dataset}/versions", headers={"origin": address}, max_redirects=0)
    assert answer.status == 403
