"""Listings by page: cursors that cannot be made up, and pages that stay in step while rows are added."""

import base64
import json
import time

import pytest

from api.ledger import CAPTION_MAX, add_clips
from api.paging import decode_cursor, encode_cursor
from api.problems import ProblemError

SECRET = b"s" * 32


def clip(number, **changes):
    given = {
        "clip_id": f"{number:032x}", "profile": "portable", "category": "rigid", "scene": "bounce", "tier": "single",
        "split": "train", "seed": 0, "index": number, "camera": "ring_0", "backend": "mock", "preset": "draft",
        "frame_count": 4, "fps": 24.0, "width": 32, "height": 32, "modalities": ["rgb"], "bytes": 100, "extra": "{}",
    }  # fmt: skip
    return given | changes


def enter(service, numbers, dataset="data", **changes):
    with service.database.writing() as session:
        add_clips(session, None, dataset, [clip(number, **changes) for number in numbers], at=time.time())


def pages(service, path, between=lambda: None):
    """Return all items of a listing, page by page."""
    found, query = [], ""
    while True:
        page = service.client.get(f"{path}{query}").json()
        found.append([item["id"] for item in page["items"]])
        if page["next"] is None:
            return found
        query = ("&" if "?" in path else "?") + f"cursor={page['next']}"
        between()


def flat(found):
    return [each for page in found for each in page]


def test_pages_hold_every_clip_once(service_of_each):
    enter(service_of_each, range(25))
    found = pages(service_of_each, "/v1/clips?limit=10")
    assert [len(page) for page in found] == [10, 10, 5]
    assert flat(found) == [f"{number:032x}" for number in range(25)]


def test_pages_of_clips_stay_in_step_while_clips_are_added(service_of_each):
    enter(service_of_each, range(20))
    more = iter(range(100, 1000))
    found = flat(pages(service_of_each, "/v1/clips?limit=7", lambda: enter(service_of_each, [next(more)])))
    assert len(found) == len(set(found))
    assert found[:20] == [f"{number:032x}" for number in range(20)]
    assert len(found) > 20  # what came meanwhile is at the end


def test_pages_of_jobs_stay_in_step_while_jobs_are_added(service_of_each):
    service = service_of_each
    jobs = [service.submit(name=str(number))["id"] for number in range(7)]
    found = pages(service, "/v1/jobs?limit=3", lambda: service.submit(name="later"))
    assert flat(found) == jobs[::-1]


def test_filters_go_with_the_pages(service):
    enter(service, range(0, 10))
    enter(service, range(10, 20), category="cloth")
    enter(service, range(20, 30), dataset="other")
    assert len(flat(pages(service, "/v1/clips?limit=4&category=cloth"))) == 10
    assert len(flat(pages(service, "/v1/clips?limit=4&dataset=other"))) == 10
    assert service.client.get("/v1/clips?scene=none_such").json() == {"items": [], "next": None}


def test_jobs_are_found_by_state_dataset_and_tag(service):
    first = service.submit(tags=["red", "big"])["id"]
    second = service.submit(dataset="other", tags=["red"])["id"]
    service.client.post(f"/v1/jobs/{second}:pause")

    def found(query):
        return [job["id"] for job in service.client.get(f"/v1/jobs?{query}").json()["items"]]

    assert found("tag=red") == [second, first]
    assert found("tag=big") == found("state=running") == found("dataset=data") == [first]
    assert found("tag=re") == []


def test_cursor_comes_back_as_it_was_given():
    assert decode_cursor(SECRET, "jobs", encode_cursor(SECRET, "jobs", [1.25, "j1"])) == [1.25, "j1"]


@pytest.mark.parametrize("place", range(0, 40, 3))
def test_changed_cursor_is_refused(place):
    raw = bytearray(base64.urlsafe_b64decode(encode_cursor(SECRET, "clips", [123456]) + "=="))
    raw[place % len(raw)] ^= 1
    with pytest.raises(ProblemError, match="not one of this listing"):
        decode_cursor(SECRET, "clips", base64.urlsafe_b64encode(raw).decode().rstrip("="))


@pytest.mark.parametrize("cursor", ["", "x", "é", "=", "A" * 511, "-_-_", "AAAA\n"])
def test_nonsense_cursor_is_refused(cursor):
    with pytest.raises(ProblemError, match="not one of this listing"):
        decode_cursor(SECRET, "clips", cursor)


def test_cursor_of_another_listing_or_service_is_refused(service):
    for number in range(3):
        service.submit(name=str(number))
    cursor = service.client.get("/v1/jobs?limit=1").json()["next"]
    foreign = encode_cursor(SECRET, "jobs", [1.0, "j"])
    for path in (f"/v1/clips?cursor={cursor}", f"/v1/jobs?cursor={foreign}"):
        answer = service.client.get(path)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/query/cursor"]


def test_versions_stay_as_they_were_frozen(service_of_each):
    client = service_of_each.client
    enter(service_of_each, range(5))
    first = client.post("/v1/datasets/data/versions").json()
    assert client.post("/v1/datasets/data/versions").json() == first  # nothing came since
    before = client.get("/v1/datasets/data/manifest?version=1").text
    enter(service_of_each, range(5, 8))
    second = client.post("/v1/datasets/data/versions").json()
    assert (first["clips"], second["clips"], second["version"]) == (5, 8, 2)
    assert client.get("/v1/datasets/data/manifest?version=1").text == before
    assert len(before.splitlines()) == 5
    assert first["digest"] != second["digest"]
    assert client.get("/v1/datasets/data/manifest?version=3").status_code == 404


def test_a_long_caption_is_cut_in_the_catalogue(service_of_each):
    long = {"caption": "a body falls, " * 750_000}  # 10 MB
    enter(service_of_each, [1], extra=json.dumps(long))
    enter(service_of_each, [2], extra=json.dumps({"caption": "short"}))
    answer = service_of_each.client.get("/v1/clips")
    assert len(answer.content) < 5000
    first, second = answer.json()["items"]
    assert len(first["caption"]) == CAPTION_MAX
    assert first["caption"].endswith("…")
    assert second["caption"] == "short"
