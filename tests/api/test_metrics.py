"""What /metrics says, read the way Prometheus reads it, after real work; and logs as JSON lines of who did it."""

import json
import logging
import math
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from api.metrics import METRICS
from api.testing.factory import Factory, small_job
from simfactory.logs import JsonLines
from tests.deploy.test_monitoring import METRICS as ON_THE_DASHBOARD

# The names of the design ("Metrics and logs").
NAMES = {
    "sf_clips_total", "sf_frames_total", "sf_env_steps_total", "sf_bytes_written_total", "sf_stage_seconds", "sf_slots",
    "sf_queue_shards", "sf_lease_expired_total", "sf_duplicate_commits_total",
}  # fmt: skip
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL},?)*)\}})? (\S+)(?: -?[0-9]+)?")


def families(text):
    """Return name → (type, [(labels, value)]) of the text format 0.0.4.

    Raises:
        ValueError: It is not of this format.
    """
    found, current = {}, None
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            _, _, current, kind = line.split(" ")
            if kind not in ("counter", "gauge", "histogram", "summary", "untyped") or current in found:
                raise ValueError(line)
            found[current] = kind, []
            continue
        sample = SAMPLE.fullmatch(line)
        if sample is None or sample[1] != current:
            raise ValueError(line)
        labels = re.findall(LABEL, sample[2] or "")
        if len(dict(labels)) < len(labels):
            raise ValueError(f"a label twice: {line}")
        found[current][1].append((dict(labels), float(sample[5])))
    for name, (_, samples) in found.items():
        keys = [tuple(sorted(labels.items())) for labels, _ in samples]
        if len(set(keys)) < len(keys):
            raise ValueError(f"a series twice: {name}")
    return found


@pytest.fixture(scope="module")
def factory():
    folder = Path(tempfile.mkdtemp(prefix="sf-"))  # short: a socket's path has at most 100 bytes
    with Factory(folder) as factory:
        factory.start_worker()
        yield factory
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def worked(factory):
    job = factory.submit(small_job(6, frames=4))
    factory.until_done(job)
    lost = factory.submit(small_job(5000, dataset="other"))  # its worker dies amid it
    factory.until(lambda: factory.job(lost)["progress"]["clips_done"] > 0, what="first clips")
    factory.kill(factory.workers[0])
    factory.until(lambda: bool(factory.events("lease_expired")), what="the lease to expire")
    factory.call(f"/v1/jobs/{lost}:cancel", {}, method="POST")
    return job, lost


def told(factory):
    import urllib.request

    from api.testing.factory import TOKEN

    address = f"http://127.0.0.1:{factory.port}/metrics"
    request = urllib.request.Request(address, headers={"authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=20.0) as answer:
        return families(answer.read().decode())


@pytest.mark.slow
def test_every_metric_of_the_design_is_told_after_real_work(factory, worked):
    found = told(factory)
    assert found.keys() >= NAMES
    assert {name: kind for name, (kind, _) in found.items()} == {name: kind for name, (kind, _) in METRICS.items()}
    committed = {labels["status"]: value for labels, value in found["sf_clips_total"][1]}["committed"]
    assert committed >= 6
    assert found["sf_frames_total"][1] == [({}, 4 * committed)]
    assert found["sf_env_steps_total"][1][0][1] >= 4 * committed
    assert found["sf_bytes_written_total"][1][0][1] > 1000
    stages = {labels["stage"]: value for labels, value in found["sf_stage_seconds"][1]}
    assert {"simulate", "commit"} <= stages.keys()
    assert all(value >= 0.0 and math.isfinite(value) for value in stages.values())
    assert found["sf_lease_expired_total"][1][0][1] >= 1
    assert found["sf_duplicate_commits_total"][1] != []
    assert {labels["state"] for labels, _ in found["sf_slots"][1]} == {"load", "simulate", "wait", "idle"}


@pytest.mark.slow
def test_the_dashboard_of_grafana_knows_metrics_and_labels_as_they_are(factory, worked):
    found = told(factory)
    for name, labels in ON_THE_DASHBOARD.items():
        assert all(set(sample) == labels for sample, _ in found[name][1]), name
    assert ON_THE_DASHBOARD.keys() == NAMES


@pytest.mark.slow
def test_logs_are_json_lines_that_say_what_they_are_about(factory, worked):
    job, lost = worked
    lines = {
        log.stem: [json.loads(line) for line in log.read_text().splitlines() if line]
        for log in (factory.folder / "api.log", factory.folder / "worker-0.log")
    }
    for line in lines["api"] + lines["worker-0"]:
        assert {"timestamp", "level", "logger", "event"} <= line.keys()
    clips = [line for line in lines["worker-0"] if line["event"] == "clip committed"]
    mine = [line for line in clips if line["job"] == job]
    assert {line["clip"] for line in mine} == {clip["id"] for clip in factory.clips(job)}
    assert all(re.fullmatch(r"[0-9a-zA-Z_]+", line["shard"]) for line in clips)
    assert {line["attempt"] for line in mine} == {0}
    (worker,) = {line["worker"] for line in clips}
    expired = [line for line in lines["api"] if line["event"] == "lease_expired"]
    assert {(line["job"], line["worker"], line["level"]) for line in expired} == {(lost, worker, "warning")}
    assert all(line["shard"] for line in expired)
    created = [line["job"] for line in lines["api"] if line["event"] == "created"]
    assert created == [job, lost]


def test_an_error_with_its_trace_is_one_line():
    extra = {"clip": "c1", "secret": "s"}
    try:
        raise ValueError("line\nbreak \ud800 \x00")
    except ValueError:
        # Made, not logged: half a surrogate pair among what is captured of a test ends the run of all.
        record = logging.getLogger("trial").makeRecord(
            "trial", logging.ERROR, __file__, 1, "it broke: %s", ("a\nb",), sys.exc_info(), extra=extra
        )
    text = JsonLines(worker="w1").format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert (line["event"], line["clip"], line["worker"], line["level"]) == ("it broke: a\nb", "c1", "w1", "error")
    assert "ValueError" in line["exception"]
    assert "secret" not in line


@pytest.mark.parametrize(
    "text",
    ["a 1", "# TYPE a counter\nb 1\n", "# TYPE a counter\na{x=1} 1\n", "# TYPE a counter\na 1\na 2\n", "# TYPE a b\n"],
)
def test_what_prometheus_would_not_read_is_not_read(text):
    with pytest.raises(ValueError, match=r".+"):
        families(text)


def test_the_strangest_labels_are_read_as_they_were():
    from api.metrics import _escaped

    label = 'a"b\\c\nd}{,='
    read = families(f'# TYPE a gauge\na{{x="{_escaped(label)}",y="ä"}} 1e+06\n')
    raw = read["a"][1][0][0]["x"]
    assert json.loads(f'"{raw}"') == label
