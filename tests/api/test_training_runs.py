"""`/v1/training/runs`: runs as they are told, curves in parts, pictures that a run names and nothing else."""

import json

import cv2
import pytest

from simfactory.runs import RunLog
from tests.runs.descent import new_descent

ROUTE = "/v1/training/runs"


@pytest.fixture
def runs(service):
    folder = service.settings.state / "runs"
    folder.mkdir()
    return folder


def trained(folder, name, steps=40, **options):
    descent = new_descent()
    with RunLog(folder / name, kind="sft", steps=steps, **options) as log:
        for step in range(1, steps + 1):
            log.write(step, descent.step())
        picture = cv2.imencode(".png", (descent.points[:16] * 40 + 128).clip(0, 255).astype("uint8"))[1].tobytes()
        log.picture("points", steps, picture, caption="first points")
    return picture


def test_a_run_is_told_with_its_pictures(service, runs):
    picture = trained(runs, "one", config={"rate": 0.5})
    told = service.client.get(f"{ROUTE}/one").raise_for_status()
    body = told.json()
    assert body["run"]["state"] == "completed"
    assert body["run"]["progress"] == 1.0
    assert body["run"]["record"]["config"] == {"rate": 0.5}
    (found,) = body["pictures"]
    assert found["caption"] == "first points"
    sent = service.client.get(f"{ROUTE}/one/images/{found['file']}").raise_for_status()
    assert sent.content == picture
    assert sent.headers["content-type"] == "image/png"
    assert service.client.get(f"{ROUTE}/one", headers={"if-none-match": told.headers["etag"]}).status_code == 304


def test_curves_come_whole_and_then_in_parts(service, runs):
    descent = new_descent()
    with RunLog(runs / "one", kind="sft") as log:
        expected = {}
        for step in range(5):
            expected[step] = descent.step()["loss"]
            log.write(step, {"loss": expected[step]})
        whole = service.client.get(f"{ROUTE}/one/metrics").raise_for_status().json()
        assert whole["is_complete"]
        (curve,) = whole["curves"]
        assert dict(zip(curve["steps"], curve["values"], strict=True)) == expected
        log.write(5, {"loss": 0.125})
        part = service.client.get(f"{ROUTE}/one/metrics", params={"since": whole["next"]}).json()
        assert [(each["steps"], each["values"]) for each in part["curves"]] == [([5], [0.125])]
        again = service.client.get(f"{ROUTE}/one/metrics", params={"since": part["next"]}).json()
        assert (again["curves"], again["is_reset"]) == ([], False)
        assert len(service.client.get(f"{ROUTE}/one/metrics").json()["curves"][0]["steps"]) == 6
    RunLog(runs / "one", kind="sft", resume_at=2).close()
    assert service.client.get(f"{ROUTE}/one/metrics", params={"since": part["next"]}).json()["is_reset"]
    assert service.client.get(f"{ROUTE}/one/metrics").json()["curves"][0]["steps"] == [0, 1, 2]


def test_a_run_that_fell_silent_is_told_so(service, runs):
    log = RunLog(runs / "one", kind="rl", silence_limit=1e-6)
    assert service.client.get(f"{ROUTE}/one").json()["run"]["state"] == "silent"
    log.close("failed", detail="out of memory")
    run = service.client.get(f"{ROUTE}/one").json()["run"]
    assert (run["state"], run["detail"]) == ("failed", "out of memory")


def test_runs_come_in_pages_and_broken_ones_say_why(service, runs):
    for number in range(5):
        trained(runs, f"run-{number}", steps=2)
    (runs / "run-3" / "run.json").write_text('{"name": NaN')
    names, cursor = [], None
    while True:
        page = service.client.get(ROUTE, params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        assert page["count"] == 5
        names += [each["id"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(names) == [f"run-{number}" for number in range(5)]
    broken = service.client.get(f"{ROUTE}/run-3").json()["run"]
    assert (broken["state"], broken["record"]) == ("unreadable", None)
    assert "run.json" in broken["detail"]
    assert service.client.get(ROUTE, params={"cursor": "AAAA"}).status_code == 422


def test_no_folder_is_no_error(service):
    assert service.client.get(ROUTE).json() == {"items": [], "count": 0, "next": None}
    assert service.client.get(f"{ROUTE}/none").status_code == 404


def test_a_run_without_metrics_has_no_curves(service, runs):
    trained(runs, "one", steps=1)
    (runs / "one" / "metrics.jsonl").unlink()
    assert service.client.get(f"{ROUTE}/one/metrics").json()["curves"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/one/images/..%2F..%2Ftoken", "/one/images/run.json", "/one/images/points-000000099.png", "/..%2F..%2Fstate",
        "/.one", "/one%00", "/linked", "/linked/metrics", "/one/images/linked-000000001.png",
    ],
)  # fmt: skip
def test_no_way_leads_out_of_a_run(service, runs, path):
    trained(runs, "one", steps=2)
    (runs / "linked").symlink_to(runs / "one")
    (runs / "one" / "images" / "linked-000000001.png").symlink_to(service.settings.state / "token")
    with (runs / "one" / "images.jsonl").open("a") as lines:
        lines.write(json.dumps({"file": "linked-000000001.png", "tag": "linked", "step": 1}) + "\n")
    answer = service.client.get(ROUTE + path)
    assert answer.status_code in (404, 422)
    assert service.token not in answer.text


def test_strangers_learn_nothing_of_runs(service, runs):
    trained(runs, "one", steps=2)
    stranger = service.client_with()
    for path in ("", "/one", "/one/metrics", "/one/images/points-000000002.png"):
        assert stranger.get(ROUTE + path).status_code == 401
    stranger.close()
