"""Jobs: taken once, told of, acted upon in every state, and estimated."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import inspect, select

import api.submission
from api.database import Database
from api.tables import FailureRow, IdempotencyRow, JobRow
from tests.api.conftest import JOB

ACTIONS = ("cancel", "pause", "resume", "retry")
KEY = {"idempotency-key": "k-1"}


def set_state(service, job, state):
    with service.database.writing() as session:
        row = session.get(JobRow, job["id"])
        row.state, row.finished = state, None if state in ("running", "paused") else time.time()


def act(service, job, action):
    return service.client.post(f"/v1/jobs/{job['id']}:{action}")


def told(service, job):
    return service.client.get(f"/v1/jobs/{job['id']}").json()


def test_job_is_taken_with_its_place(service_of_each):
    answer = service_of_each.client.post("/v1/jobs", json=JOB)
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert job["state"] == "running"
    assert job["progress"]["clips_wanted"] == 40
    assert service_of_each.client.get(answer.headers["location"]).json()["id"] == job["id"]


def test_dry_run_says_what_it_takes_and_leaves_nothing(service):
    answer = service.client.post("/v1/jobs?dry_run=true", json=JOB, headers=KEY)
    assert answer.status_code == 200
    estimate = answer.json()
    assert (estimate["clips"], estimate["frames"]) == (40, 160)
    assert estimate["bytes"] > 0
    assert estimate["cpu_hours"] > 0
    assert service.client.get("/v1/jobs").json()["items"] == []
    assert service.client.post("/v1/jobs", json=JOB, headers=KEY).status_code == 202  # the key was not used up


def test_dry_run_tells_all_errors_by_pointer(client):
    body = {**JOB, "backend": "none_such", "ranges": {"none_such": [0, 1]}, "cameras": ["none_such"]}
    answer = client.post("/v1/jobs?dry_run=true", json=body)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} >= {"/backend", "/ranges/none_such", "/cameras/0"}


def test_dataset_keeps_its_profile(service):
    service.submit(profile="archive")
    assert service.submit()["request"]["profile"] == "archive"
    answer = service.client.post("/v1/jobs", json={**JOB, "profile": "portable"})
    assert answer.status_code == 409
    assert "'archive'" in answer.json()["detail"]


# ── the same request again ───────────────────────────────────────────────────────────────────────────────────────────


def test_same_key_gives_the_same_job(service_of_each):
    first, second = (service_of_each.client.post("/v1/jobs", json=JOB, headers=KEY) for _ in range(2))
    assert (second.status_code, second.json(), second.headers["location"]) == (
        202,
        first.json(),
        first.headers["location"],
    )
    assert len(service_of_each.client.get("/v1/jobs").json()["items"]) == 1


def test_same_key_with_another_request_is_refused(service):
    service.client.post("/v1/jobs", json=JOB, headers=KEY)
    answer = service.client.post("/v1/jobs", json={**JOB, "name": "other"}, headers=KEY)
    assert answer.status_code == 422
    assert "make a new one" in answer.json()["detail"]


def test_spelling_of_a_request_does_not_matter(service):
    first = service.client.post("/v1/jobs", json=JOB, headers=KEY)
    same = service.client.post("/v1/jobs", json=dict(reversed(JOB.items())) | {"priority": "default"}, headers=KEY)
    assert same.json()["id"] == first.json()["id"]


def test_failed_request_frees_its_key(service):
    bad = {**JOB, "backend": "none_such"}
    assert service.client.post("/v1/jobs", json=bad, headers=KEY).status_code == 422
    assert service.client.post("/v1/jobs", json=JOB, headers=KEY).status_code == 202


def test_broken_request_frees_its_key(service, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(api.submission, "add_job", lambda *_: 1 / 0)
        assert service.client.post("/v1/jobs", json=JOB, headers=KEY).status_code == 500
    assert service.client.post("/v1/jobs", json=JOB, headers=KEY).status_code == 202


def test_request_in_the_making_is_a_conflict(service, monkeypatch):
    reached, go_on = threading.Event(), threading.Event()
    plan = api.submission.plan_of

    def slow(*arguments):
        reached.set()
        assert go_on.wait(20.0)
        return plan(*arguments)

    monkeypatch.setattr(api.submission, "plan_of", slow)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(service.client.post, "/v1/jobs", json=JOB, headers=KEY)
        assert reached.wait(20.0)
        second = service.client.post("/v1/jobs", json=JOB, headers=KEY)
        go_on.set()
        assert first.result().status_code == 202
    assert second.status_code == 409
    assert second.headers["retry-after"]


def test_lost_request_does_not_keep_its_key_and_cannot_come_back(service, monkeypatch):
    plan = api.submission.plan_of
    slow = threading.Event()

    def taken_over(*arguments):
        if not slow.is_set():
            slow.set()
            with service.database.writing() as session:
                session.get(IdempotencyRow, KEY["idempotency-key"]).created -= 1000.0
            assert service.client.post("/v1/jobs", json=JOB, headers=KEY).status_code == 202
        return plan(*arguments)

    monkeypatch.setattr(api.submission, "plan_of", taken_over)
    assert service.client.post("/v1/jobs", json=JOB, headers=KEY).status_code == 409
    assert len(service.client.get("/v1/jobs").json()["items"]) == 1
    assert service.client.post("/v1/jobs", json=JOB, headers=KEY).status_code == 202


def test_requests_at_once_make_one_job(service_of_each):
    service = service_of_each
    start = threading.Barrier(12)

    def submit(_):
        with service.client_with(service.token) as client:
            start.wait(20.0)
            return client.post("/v1/jobs", json=JOB, headers=KEY)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(submit, range(12)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 202}
    assert len(made) == 1
    assert [job["id"] for job in service.client.get("/v1/jobs").json()["items"]] == [*made]


def test_jobs_of_a_new_dataset_can_come_at_once(service_of_each):
    service = service_of_each
    start = threading.Barrier(8)

    def submit(number):
        with service.client_with(service.token) as client:
            start.wait(20.0)
            return client.post("/v1/jobs", json={**JOB, "name": str(number)}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(submit, range(8))) == {202}
    assert len(service.client.get("/v1/datasets").json()) == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "\x7f"])
def test_keys_have_a_form(client, key):
    assert client.post("/v1/jobs", json=JOB, headers={"idempotency-key": key}).status_code == 422


# ── actions ──────────────────────────────────────────────────────────────────────────────────────────────────────────

AFTER = {  # state → action → state after it; None = a conflict
    "running": {"cancel": "cancelled", "pause": "paused", "resume": "running", "retry": "running"},
    "paused": {"cancel": "cancelled", "pause": "paused", "resume": "running", "retry": "paused"},
    "completed": {"cancel": None, "pause": None, "resume": None, "retry": "completed"},
    "cancelled": {"cancel": "cancelled", "pause": None, "resume": None, "retry": None},
    "failed": {"cancel": None, "pause": None, "resume": None, "retry": "running"},
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", AFTER)
def test_action_in_a_state(service, state, action):
    job = service.submit()
    set_state(service, job, state)
    answer = act(service, job, action)
    wanted = AFTER[state][action]
    if wanted is None:
        assert answer.status_code == 409
        assert f"is {state}" in answer.json()["detail"]
        assert f"{action} is for jobs that are" in answer.json()["detail"]
        assert told(service, job)["state"] == state
    else:
        assert answer.status_code == 200
        assert answer.json()["state"] == told(service, job)["state"] == wanted


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def queued(service):
    return len(service.control.queue.queued(["sf-mock-default"])["sf-mock-default"])


def test_paused_job_takes_its_shards_out_of_the_queue_and_resumed_one_puts_them_back(service_of_each):
    service = service_of_each
    job = service.submit()
    wait_for(lambda: queued(service) == 8)
    act(service, job, "pause")
    assert told(service, job)["progress"]["in_flight"] == 0
    assert queued(service) == 0
    act(service, job, "resume")
    wait_for(lambda: queued(service) == 8)


def test_cancelled_job_leaves_nothing_in_the_queue(service):
    job = service.submit()
    wait_for(lambda: queued(service) == 8)
    act(service, job, "cancel")
    assert told(service, job)["progress"]["in_flight"] == 0
    assert told(service, job)["finished"]
    keys = [key for key in service.control.queue.connection.keys("*") if b"shard" in key or b"rq:job" in key]
    assert keys == []


def test_unknown_action_and_job_are_told_apart(service):
    assert service.client.post("/v1/jobs/missing:cancel").status_code == 404
    assert service.client.post("/v1/jobs/missing:explode").status_code == 422


def test_failures_are_told_with_their_reasons_and_retried(service):
    job = service.submit()
    with service.database.writing() as session:
        for index, reason in enumerate(("failed", "quarantined", "sampling")):
            session.add(
                FailureRow(job=job["id"], part=0, index=index, attempt=0, reason=reason, detail=f"no {index}", at=1.0)
            )
        session.get(JobRow, job["id"]).failed = 3
    found = service.client.get(f"/v1/jobs/{job['id']}/failures").json()
    assert [(each["index"], each["reason"], each["detail"]) for each in found] == [
        (0, "failed", "no 0"), (1, "quarantined", "no 1"), (2, "sampling", "no 2"),
    ]  # fmt: skip
    set_state(service, job, "completed")
    answer = act(service, job, "retry").json()
    assert (answer["state"], answer["progress"]["failed"]) == ("running", 0)
    assert service.client.get(f"/v1/jobs/{job['id']}/failures").json() == []


def test_what_took_workers_with_it_is_retried_alone(service):
    job = service.submit()
    act(service, job, "pause")
    with service.database.writing() as session:
        for index, reason in ((0, "failed"), (1, "quarantined")):
            session.add(FailureRow(job=job["id"], part=0, index=index, attempt=0, reason=reason, detail="", at=1.0))
        session.get(JobRow, job["id"]).failed = 2
    act(service, job, "retry")
    with service.database.reading() as session:
        rows = session.scalars(select(api.tables.ReplacementRow).where(api.tables.ReplacementRow.index < 2)).all()
    alone = {(row.index, row.alone) for row in rows}
    assert (1, True) in alone
    assert (1, False) not in alone


# ── ETags ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_unchanged_job_is_not_sent_again(service):
    job = service.submit()
    act(service, job, "pause")
    path = f"/v1/jobs/{job['id']}"
    first = service.client.get(path)
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = service.client.get(path, headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    assert service.client.get(path, headers={"if-none-match": '"other"'}).status_code == 200
    act(service, job, "resume")
    changed = service.client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (changed.status_code, changed.json()["state"]) == (200, "running")


def test_jobs_of_a_state_are_found_in_order_without_sorting(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    query = select(JobRow.id).where(JobRow.state == "completed").order_by(JobRow.created.desc(), JobRow.id.desc())
    text = str(query.limit(50).compile(database.engine, compile_kwargs={"literal_binds": True}))
    with database.reading() as session:
        plan = " ".join(row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
    database.close()
    assert "jobs_by_state" in plan
    assert "TEMP B-TREE" not in plan


def test_an_older_database_gets_the_indexes_it_lacks(database, database_url):
    with database.writing() as session:
        session.connection().exec_driver_sql("DROP INDEX jobs_by_state")
    again = Database(database_url)
    assert "jobs_by_state" in {index["name"] for index in inspect(again.engine).get_indexes("jobs")}
    again.close()
