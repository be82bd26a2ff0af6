"""The control plane's own work: results once each, whatever they hold; jobs that cannot stop others; who is lost."""

import threading
import time
from collections import Counter

import pytest
from sqlalchemy import select

from api.control import Control
from api.dispatch import take_back_queued
from api.jobs import add_job
from api.ledger import CRASHES_MAX, apply_result, hand_back
from api.metrics import metrics_text
from api.planner import Plan
from api.tables import ClipRow, EventRow, FailureRow, JobRow, MetaRow, ReplacementRow, ShardRow
from simfactory.protocol import JobRequest
from tests.api.conftest import JOB
from tests.api.test_paging import clip


@pytest.fixture
def control(settings_of_each, database):
    """The control plane without its threads, on each database."""
    settings_of_each.data.mkdir()
    control = Control(database, settings_of_each)
    control.database = database
    yield control
    control.queue.connection.close()


def add(control, **changes):
    plan = Plan(JobRequest.model_validate({**JOB, **changes}))
    with control.database.writing() as session:
        return add_job(session, plan)


def row_of(control, table, identity):
    with control.database.reading() as session:
        return session.get(table, identity)


def rows_of(control, table):
    with control.database.reading() as session:
        return session.scalars(select(table)).all()


def result(job, shard, key, *, status="committed", **changes):
    """A worker's report on a unit."""
    clips = [clip(1000 * key[0] + 10 * key[1] + key[2])] if status == "committed" else []
    return {
        "kind": "unit", "shard": shard.id, "job": job.id, "dataset": job.dataset, "unit": list(key), "status": status,
        "clips": clips, "added": len(clips), "steps": 4, "backend": "mock",
        "reasons": ["diverged"] * (status == "rejected"),
        "failure": "it broke" * (status == "failed"), "worker": "w", "device": "cpu", "stages": {"render": 0.5},
        "at": time.time(), **changes,
    }  # fmt: skip


def report(control, *messages):
    for message in messages:
        control.queue.report(message)
    while control.read(control.queue):
        pass


def handed_out(control, job):
    control.dispatcher.fill()
    with control.database.reading() as session:
        return session.scalars(select(ShardRow).where(ShardRow.job == job.id).order_by(ShardRow.created)).all()


# ── results ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_job_completes_with_the_last_result_and_each_counts_once(control):
    job = add(control, items=[{"category": "rigid", "scene": "bounce", "clips": 3}])
    shards = handed_out(control, job)
    messages = [result(job, shard, tuple(key)) for shard in shards for key in shard.units]
    report(control, *messages, *messages)
    done = row_of(control, JobRow, job.id)
    assert (done.state, done.clips_done, done.frames) == ("completed", 3, 12)
    assert len(rows_of(control, ClipRow)) == 3


def test_results_are_read_on_from_where_the_last_process_stopped(control, settings_of_each):
    job = add(control)
    first, second, *_ = handed_out(control, job)
    report(control, result(job, first, tuple(first.units[0])))
    control.queue.report(result(job, second, tuple(second.units[0])))
    again = Control(control.database, settings_of_each)
    assert again.read(again.queue) == 1
    again.queue.connection.close()
    assert row_of(control, JobRow, job.id).clips_done == 2


def test_results_of_a_new_queue_server_are_read_from_its_start(control):
    with control.database.writing() as session:
        session.add(MetaRow(key="results", value="99999999999999-0"))
    job = add(control)
    shard, *_ = handed_out(control, job)
    report(control, result(job, shard, tuple(shard.units[0])))
    assert row_of(control, JobRow, job.id).clips_done == 1


BROKEN = [
    {"kind": "unit"},
    {"kind": "unit", "shard": 1, "job": [], "unit": "x"},
    {"kind": "returned", "job": "gone"},
    {"kind": "none such"},
    {"no": "kind"},
    {"kind": "refused"},
    [],
    "text",
]


@pytest.mark.parametrize("message", BROKEN, ids=str)
def test_broken_report_is_noted_and_stops_nothing(control, message):
    job = add(control)
    shard, *_ = handed_out(control, job)
    report(control, message, result(job, shard, tuple(shard.units[0])))
    assert row_of(control, JobRow, job.id).clips_done == 1
    assert row_of(control, MetaRow, "results").value == control.queue.newest_result()


def test_report_that_is_no_json_is_noted_and_stops_nothing(control):
    job = add(control)
    shard, *_ = handed_out(control, job)
    control.queue.connection.xadd("sf:results", {"m": b"\xff{"})
    control.queue.connection.xadd("sf:results", {"x": b"{}"})
    report(control, result(job, shard, tuple(shard.units[0])))
    assert row_of(control, JobRow, job.id).clips_done == 1
    assert "refused" in {event.kind for event in rows_of(control, EventRow)}


@pytest.mark.parametrize(
    "changes",
    [{"category": "c" * 63}, {"extra": '{"rig": "' + "r" * 63 + '"}'}, {"scene": "s" * 63}, {"camera": "k" * 63},
     {"preset": "p" * 63}, {"seed": 2**62}],
    ids=str,
)  # fmt: skip
def test_longest_names_that_specs_allow_fit_into_every_database(control, changes):
    job = add(control)
    shard, *_ = handed_out(control, job)
    report(control, result(job, shard, tuple(shard.units[0]), clips=[clip(1, **changes)]))
    assert row_of(control, JobRow, job.id).clips_done == 1


def test_what_no_database_takes_is_noted_and_stops_nothing(control):
    job = add(control)
    shard, *_ = handed_out(control, job)
    first, second = (tuple(key) for key in shard.units[:2])
    report(
        control,
        result(job, shard, first, clips=[clip(1, category="\x00" * 400, scene={"a": 1})]),
        result(job, shard, second),
    )
    assert row_of(control, JobRow, job.id).clips_done == 1


# ── handing out ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "changes", [{"colour": 1}, {"items": [{"category": "gone", "clips": 1, "scene": None, "tier": None}]}], ids=str
)
def test_job_that_cannot_be_planned_any_more_fails_and_stops_no_other(control, changes):
    bad = add(control)
    with control.database.writing() as session:
        row = session.get(JobRow, bad.id)
        row.request = {**row.request, **changes}  # as another version wrote it
    good = add(control)
    assert len(handed_out(control, good)) == 8
    failed = row_of(control, JobRow, bad.id)
    assert failed.state == "failed"
    assert failed.reason
    assert failed.finished
    assert handed_out(control, bad) == []


def test_no_more_shards_are_out_than_allowed(control):
    job = add(control, max_workers=2)
    assert len(handed_out(control, job)) == 2
    assert len(handed_out(control, job)) == 2


def test_every_episode_is_handed_out_once(control):
    job = add(control)
    keys = [tuple(key) for shard in handed_out(control, job) for key in shard.units]
    assert sorted(keys) == [(0, index, 0) for index in range(40)]


def test_high_priority_is_queued_where_workers_look_first(control):
    job = add(control, priority="high")
    assert {shard.queue for shard in handed_out(control, job)} == {"sf-mock-high"}


# ── what breaks ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_refused_episode_is_replaced_by_the_next_attempt(control):
    job = add(control)
    shard, *_ = handed_out(control, job)
    report(control, result(job, shard, tuple(shard.units[0]), status="rejected"))
    (row,) = rows_of(control, ReplacementRow)
    assert (row.index, row.attempt) == (shard.units[0][1], 1)
    assert row_of(control, JobRow, job.id).reasons == {"diverged": 1}


def test_broken_episode_is_given_up_after_its_tries(control):
    job = add(control, items=[{"category": "rigid", "scene": "bounce", "clips": 1}])
    for _ in range(3):
        (shard,) = handed_out(control, job)
        report(control, result(job, shard, tuple(shard.units[0]), status="failed"))
    (failure,) = rows_of(control, FailureRow)
    assert (failure.reason, failure.detail) == ("failed", "it broke")
    assert row_of(control, JobRow, job.id).state == "completed"
    assert handed_out(control, job) == []


def test_one_of_several_suspects_is_tried_alone_and_stays_alone_when_its_job_pauses(control):
    job = add(control)
    shard, *_ = handed_out(control, job)
    suspects = [tuple(key) for key in shard.units[:2]]
    with control.database.writing() as session:
        owner, row = session.get(JobRow, job.id), session.get(ShardRow, shard.id)
        hand_back(session, owner, row, suspects, detail="died", crashed=True)
    control.queue.drop(shard.id, shard.queue)
    new = [row for row in handed_out(control, job) if tuple(row.units[0]) in suspects]
    assert [len(row.units) for row in new] == [1, 1]
    with control.database.writing() as session:
        owner = session.get(JobRow, job.id)
        owner.state = "paused"
        take_back_queued(session, control.queue, owner)
    alone = {row.index for row in rows_of(control, ReplacementRow) if row.alone}
    assert alone == {key[1] for key in suspects}
    with control.database.writing() as session:
        session.get(JobRow, job.id).state = "running"
    again = [row for row in handed_out(control, job) if any(tuple(key) in suspects for key in row.units)]
    assert [len(row.units) for row in again] == [1, 1]


def test_suspect_that_was_not_begun_stays_alone(control):
    job = add(control, items=[{"category": "rigid", "scene": "bounce", "clips": 2}])
    first, _ = handed_out(control, job)
    key = tuple(first.units[0])
    with control.database.writing() as session:
        owner = session.get(JobRow, job.id)
        owner.trials = {".".join(map(str, key)): [1, 0, True]}
        hand_back(session, owner, session.get(ShardRow, first.id), [], detail="", crashed=False)
    (row,) = rows_of(control, ReplacementRow)
    assert row.alone


def test_episode_that_takes_workers_with_it_is_set_aside_and_then_quarantined(control):
    """The first crash makes it a suspect, two more while it is alone set it aside, the last one ends it."""
    job = add(control, items=[{"category": "rigid", "scene": "bounce", "clips": 1}])
    for crash in range(CRASHES_MAX + 2):
        (shard,) = handed_out(control, job)
        assert shard.alone == (crash > 0)
        with control.database.writing() as session:
            owner, row = session.get(JobRow, job.id), session.get(ShardRow, shard.id)
            hand_back(session, owner, row, [tuple(shard.units[0])], detail="died", crashed=True)
        left = rows_of(control, ReplacementRow)
        assert [row.last for row in left] == ([crash == CRASHES_MAX] if crash <= CRASHES_MAX else [])
    assert [failure.reason for failure in rows_of(control, FailureRow)] == ["quarantined"]


def test_what_is_set_aside_waits_until_all_else_is_done(control):
    job = add(control, items=[{"category": "rigid", "scene": "bounce", "clips": 2}])
    first, second = handed_out(control, job)
    with control.database.writing() as session:
        owner = session.get(JobRow, job.id)
        owner.trials = {".".join(map(str, first.units[0])): [0, CRASHES_MAX, True]}
        hand_back(session, owner, session.get(ShardRow, first.id), [], detail="", crashed=False)
    assert [row.id for row in handed_out(control, job)] in ([], [second.id])
    report(control, result(job, second, tuple(second.units[0])))
    assert first.units[0] in [row.units[0] for row in handed_out(control, job)]


def test_result_of_a_worker_that_was_taken_for_dead_is_entered_and_counts_once(control):
    job = add(control, items=[{"category": "rigid", "scene": "bounce", "clips": 1}])
    (shard,) = handed_out(control, job)
    key = tuple(shard.units[0])
    with control.database.writing() as session:
        hand_back(session, session.get(JobRow, job.id), session.get(ShardRow, shard.id), [], detail="", crashed=True)
    report(control, result(job, shard, key))
    (other,) = handed_out(control, job)
    report(control, result(job, other, key, added=0))
    done = row_of(control, JobRow, job.id)
    assert (done.state, done.clips_done, len(rows_of(control, ClipRow))) == ("completed", 1, 1)


def test_reported_result_of_a_cancelled_job_brings_it_not_back(control):
    job = add(control)
    shard, *_ = handed_out(control, job)
    with control.database.writing() as session:
        session.get(JobRow, job.id).state = "cancelled"
    report(
        control, result(job, shard, tuple(shard.units[0])), result(job, shard, tuple(shard.units[1]), status="failed")
    )
    assert row_of(control, JobRow, job.id).state == "cancelled"
    assert rows_of(control, ReplacementRow) == []


# ── metrics ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_metrics_are_told_while_others_count(service):
    stop = threading.Event()

    def count():
        number = 0
        while not stop.is_set():
            number += 1
            service.control.counts[f"stage.{number}"] += 1
            if number % 5000 == 0:
                service.control.counts.clear()

    counting = threading.Thread(target=count)
    counting.start()
    try:
        for _ in range(50):
            assert "sf_stage_seconds" in metrics_text(service.database, service.control)
    finally:
        stop.set()
        counting.join()
    assert isinstance(service.control.counts, Counter)


@pytest.mark.parametrize("reason", ["a|b", 'say "no"', "two\nlines"])
def test_metrics_take_any_reason(control, reason):
    job = add(control)
    shard, *_ = handed_out(control, job)
    report(control, result(job, shard, tuple(shard.units[0]), status="rejected", reasons=[reason]))
    text = metrics_text(control.database, control)
    assert all(line.startswith(("#", "sf_")) for line in text.splitlines())
    assert 'sf_clips_total{backend="mock",status="rejected"' in text


def test_ledger_ignores_jobs_that_are_gone(control):
    with control.database.writing() as session:
        for kind in ("unit", "returned", "blocked"):
            message = {
                "kind": kind, "job": "gone", "shard": "gone", "unit": [0, 0, 0], "clips": [], "detail": "", "begun": [],
                "broken": "",
            }  # fmt: skip
            apply_result(session, message)
    assert rows_of(control, JobRow) == []
