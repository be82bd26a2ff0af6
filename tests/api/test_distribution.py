"""What was requested beside what was delivered: kept counts equal those of a count of everything, whatever happens."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from api.control import Control
from api.dispatch import take_back_queued
from api.distribution import BINS, distribution_of, places_of, requested_spans
from api.jobs import act, add_job
from api.ledger import hand_back
from api.planner import Plan
from api.repair import rebuild_catalogue
from api.tables import DistributionRow, JobRow, ShardBinsRow, ShardRow
from api.testing.factory import Factory
from simfactory.dataset import open_dataset
from simfactory.parameters import PARAMETERS
from simfactory.protocol import JobRequest
from simfactory.spec import SceneSpec
from tests.api.conftest import JOB
from tests.api.test_control import handed_out, report, result, row_of, rows_of

MIXED = {
    **JOB,
    "items": [
        {"category": "rigid", "clips": 30},
        {"category": "rigid", "tier": "single", "clips": 7},
        {"category": "rigid", "scene": "head_on_collision", "clips": 9},
    ],
    "ranges": {"gravity": [9.0, 11.0], "friction": [0.2, 0.6]},
}


@pytest.fixture
def control(settings_of_each, database):
    """The control plane without its threads, on each database."""
    settings_of_each.data.mkdir()
    control = Control(database, settings_of_each)
    control.database = database
    yield control
    control.queue.connection.close()


def add(control, request):
    plan = Plan(JobRequest.model_validate(request))
    with control.database.writing() as session:
        return add_job(session, plan)


def told(control, job):
    with control.database.reading() as session:
        return distribution_of(session, session.get(JobRow, job.id))


def histograms(specs, edges):
    """Count the values of specs by other means than the service."""
    found = {}
    for name, parameter in PARAMETERS.items():
        values = np.array([value for spec in specs for value in parameter.measure(spec)])
        if len(values):
            ends = np.array(edges[name])
            slack = 1e-6 * np.abs(ends[[0, -1]]).max()
            below, above = values < ends[0] - slack, values > ends[-1] + slack
            inside = np.clip(values[~below & ~above], ends[0], ends[-1])
            found[name] = [int(below.sum()), *np.histogram(inside, ends)[0].tolist(), int(above.sum())]
    return found


def counted(told, which):
    return {
        each["name"]: [each[which]["below"], *each[which]["bins"], each[which]["above"]]
        for each in told["parameters"]
        if sum(each[which]["bins"]) + each[which]["below"] + each[which]["above"]
    }


def edges_of(told):
    return {each["name"]: each["edges"] for each in told["parameters"]}


def planned(request):
    """All first attempts of a request."""
    plan = Plan(JobRequest.model_validate(request))
    return [spec for number, part in enumerate(plan.parts) for index in range(part.units)
            for spec in plan.units(number, index, 0)]  # fmt: skip


# ── with real workers ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_counts_are_those_of_all_specs_though_a_worker_is_killed(database_url):
    folder = Path(tempfile.mkdtemp(prefix="sf-"))
    with Factory(folder, environment={"DATABASE_URL": database_url}) as factory:
        workers = [factory.start_worker() for _ in range(2)]
        job = factory.submit(MIXED)
        factory.until(lambda: factory.job(job)["progress"]["clips_done"] >= 5, what="the first clips")
        factory.kill(workers[0])
        factory.until_done(job)
        told = factory.call(f"/v1/jobs/{job}/distribution")
        clips = factory.clips(job)
    dataset = open_dataset(folder / "data" / JOB["dataset"])
    specs = {}
    for clip in clips:
        spec = SceneSpec.model_validate(dataset[clip["id"]].spec)
        specs[spec.digest()] = spec
    shutil.rmtree(folder)
    assert told["delivered_units"] == len(specs)
    assert counted(told, "delivered") == histograms(specs.values(), edges_of(told))
    assert told["requested_units"] == len(planned(MIXED))
    assert counted(told, "requested") == histograms(planned(MIXED), edges_of(told))
    matrix = Counter((clip["category"], clip["tier"]) for clip in clips)
    assert {
        (cell["category"], cell["tier"]): cell["delivered"] for cell in told["cells"] if cell["delivered"]
    } == matrix


# ── what is counted, and how often ───────────────────────────────────────────────────────────────────────────────────


def test_wanted_clips_are_those_of_the_request_and_open_tiers_what_is_to_be_expected(control):
    cells = {(cell.category, cell.tier): cell.wanted for cell in told(control, add(control, MIXED)).cells}
    assert sum(cells.values()) == 46
    assert cells["rigid", "single"] == 30 * 0.30 + 7
    assert sorted([cells["rigid", "two_body"] - 9, cells["rigid", "multi_object"]]) == [10, 11]


def test_an_attempt_that_is_replaced_was_requested_once_and_the_one_that_passes_is_delivered(control):
    job = add(control, {**JOB, "items": [{"category": "rigid", "scene": "bounce", "clips": 1}]})
    (shard,) = handed_out(control, job)
    report(control, result(job, shard, (0, 0, 0), status="rejected"))
    (again,) = handed_out(control, job)
    before = told(control, job)
    assert (before.requested_units, before.delivered_units) == (1, 0)
    twice = result(job, again, (0, 0, 1))
    report(control, twice, twice)
    after = told(control, job).model_dump()
    plan = control.dispatcher.plan(job)
    assert (after["requested_units"], after["delivered_units"]) == (1, 1)
    assert counted(after, "requested") == histograms(plan.units(0, 0, 0), edges_of(after))
    assert counted(after, "delivered") == histograms(plan.units(0, 0, 1), edges_of(after))
    assert sum(cell["delivered"] for cell in after["cells"]) == 1
    assert rows_of(control, ShardBinsRow) == []


def test_what_failed_and_is_retried_by_hand_counts_once(control):
    job = add(control, {**JOB, "items": [{"category": "rigid", "scene": "bounce", "clips": 1}]})
    for _ in range(3):
        (shard,) = handed_out(control, job)
        report(control, result(job, shard, (0, 0, 0), status="failed"))
    with control.database.writing() as session:
        act(session, control.queue, session.get(JobRow, job.id), "retry")
    (shard,) = handed_out(control, job)
    report(control, result(job, shard, (0, 0, 0)))
    found = told(control, job)
    assert (found.requested_units, found.delivered_units) == (1, 1)
    assert row_of(control, JobRow, job.id).state == "completed"


def test_a_shard_taken_back_counts_once_and_its_late_twin_not_at_all(control):
    job = add(control, {**JOB, "items": [{"category": "rigid", "scene": "bounce", "clips": 2}]})
    lost, other = handed_out(control, job)
    with control.database.writing() as session:
        shard, owner = session.get(ShardRow, lost.id), session.get(JobRow, job.id)
        hand_back(session, owner, shard, [], detail="", crashed=True)
    again = next(shard for shard in handed_out(control, job) if shard.id not in (lost.id, other.id))
    key = tuple(again.units[0])
    report(control, result(job, again, key), result(job, lost, key), result(job, other, tuple(other.units[0])))
    found = told(control, job)
    assert (found.requested_units, found.delivered_units) == (2, 2)
    assert rows_of(control, ShardBinsRow) == []


def test_what_waits_while_a_job_is_paused_counts_once(control):
    job = add(control, {**JOB, "items": [{"category": "rigid", "scene": "bounce", "clips": 2}]})
    handed_out(control, job)
    with control.database.writing() as session:
        act(session, control.queue, session.get(JobRow, job.id), "pause")
        take_back_queued(session, control.queue, session.get(JobRow, job.id))
    assert rows_of(control, ShardBinsRow) == []
    with control.database.writing() as session:
        act(session, control.queue, session.get(JobRow, job.id), "resume")
    shards = handed_out(control, job)
    report(control, *(result(job, shard, tuple(key)) for shard in shards for key in shard.units))
    found = told(control, job)
    assert (found.requested_units, found.delivered_units) == (2, 2)


def test_a_job_older_than_the_counts_has_what_was_counted_since(control):
    job = add(control, {**JOB, "items": [{"category": "rigid", "scene": "bounce", "clips": 2}]})
    first, second = handed_out(control, job)
    with control.database.writing() as session:
        for row in [*session.scalars(select(DistributionRow)), *session.scalars(select(ShardBinsRow))]:
            session.delete(row)
    assert told(control, job).cells == []
    report(control, result(job, first, tuple(first.units[0])), result(job, second, tuple(second.units[0])))
    found = told(control, job)
    assert [cell.delivered for cell in found.cells] == [2]
    assert (found.delivered_units, found.parameters) == (0, [])


def test_a_rebuilt_catalogue_leaves_the_counts_of_jobs(control, settings_of_each):
    job = add(control, {**JOB, "items": [{"category": "rigid", "scene": "bounce", "clips": 2}]})
    report(control, *(result(job, shard, tuple(shard.units[0])) for shard in handed_out(control, job)))
    before = told(control, job)
    rebuild_catalogue(settings_of_each)
    assert told(control, job) == before


# ── bins ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_bins_span_the_range_asked_for_and_the_usual_one_otherwise():
    request = JobRequest.model_validate(
        {**MIXED, "sweeps": {"speed": [1.0, 3.0]}, "siblings": {"restitution": [0.1, 1.0]}}
    )
    spans = requested_spans(request)
    assert spans["gravity"] == [9.0, 11.0]
    assert spans["speed"] == [1.0, 3.0]
    assert spans["restitution"] == [0.0, 1.0]
    assert spans["density"] == [100.0, 8000.0]


def test_a_range_of_one_value_has_bins_round_it():
    spans = requested_spans(
        JobRequest.model_validate({**MIXED, "ranges": {"gravity": [9.81, 9.81], "wind": [0.0, 0.0]}})
    )
    assert spans["gravity"][0] < 9.81 < spans["gravity"][1]
    assert spans["wind"][0] < 0.0 < spans["wind"][1]


def test_values_outside_a_range_are_counted_beside_its_bins():
    (spec, *_) = planned(MIXED)
    (gravity,) = PARAMETERS["gravity"].measure(spec)
    assert places_of([spec], {"gravity": [gravity + 1.0, gravity + 2.0]}) == {"gravity": [0]}
    assert places_of([spec], {"gravity": [gravity - 2.0, gravity - 1.0]}) == {"gravity": [BINS + 1]}
    assert places_of([spec], {"gravity": [gravity, gravity + 1.0]}) == {"gravity": [1]}
    assert places_of([spec], {"gravity": [gravity - 1.0, gravity]}) == {"gravity": [BINS]}
