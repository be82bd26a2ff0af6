"""A run's folder: what is written is read, by others meanwhile and after the writer's death."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from simfactory.errors import RunError
from simfactory.protocol import DatasetReference
from simfactory.runs import MetricsReader, RunLog, is_silent, list_runs, read_picture, read_pictures, read_run
from tests.runs.descent import new_descent


def curve_of(folder, name):
    reader = MetricsReader(folder)
    assert reader.read()
    return reader.curves[name].points()


def png(size=8):
    picture = np.random.default_rng(0).integers(0, 255, (size, size, 3), dtype=np.uint8)
    return cv2.imencode(".png", picture)[1].tobytes()


def test_a_training_is_read_as_it_was(tmp_path):
    descent, losses = new_descent(), []
    data = DatasetReference(dataset="data/rigid", version=2, split="train", clips=40)
    with RunLog(tmp_path / "a", kind="sft", config={"rate": 0.5, "deep": {"x": [1]}}, datasets=[data], steps=60) as log:
        for step in range(60):
            values = descent.step()
            losses.append(values["loss"])
            log.write(step, values)
        log.picture("weights", 59, png(), caption="what it found")
    record = read_run(tmp_path / "a")
    assert (record.state, record.step, record.steps, record.kind) == ("completed", 59, 60, "sft")
    assert record.config == {"rate": 0.5, "deep": {"x": [1]}}
    assert record.datasets == [data]
    assert record.started <= record.ended == record.heartbeat
    assert curve_of(tmp_path / "a", "loss") == list(enumerate(losses))
    assert losses == sorted(losses, reverse=True), "this descent only goes down"
    (picture,) = read_pictures(tmp_path / "a")
    assert (picture.tag, picture.step, picture.caption) == ("weights", 59, "what it found")
    assert read_picture(tmp_path / "a", picture.file) == png()


def train(log, descent, steps, error=None):
    """Train within a run, to its end or to an error; return the weights before each step."""
    weights = {}
    with log:
        for step in steps:
            weights[step] = descent.weights
            log.write(step, descent.step())
        if error is not None:
            raise error
    return weights


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [(ValueError("loss is nan"), "failed", "ValueError: loss is nan"), (KeyboardInterrupt(), "stopped", "Keyboard")],
)
def test_a_run_says_how_it_ended(tmp_path, error, state, words):
    with pytest.raises(type(error)):
        train(RunLog(tmp_path / "a", kind="rl"), new_descent(), range(4), error)
    record = read_run(tmp_path / "a")
    assert (record.state, record.step) == (state, 3)
    assert words in record.detail


def test_a_resumed_run_continues_the_curve_from_its_checkpoint(tmp_path):
    whole, descent = new_descent(), new_descent()
    expected = [whole.step()["loss"] for _ in range(50)]
    with pytest.raises(RuntimeError):
        train(RunLog(tmp_path / "a", kind="sft"), descent, range(35), RuntimeError("out of memory"))
    begun = read_run(tmp_path / "a").started
    again = new_descent()
    checkpoint = train(RunLog(tmp_path / "b", kind="sft"), again, range(31))[30]
    descent.weights = checkpoint
    train(RunLog(tmp_path / "a", kind="sft", resume_at=29), descent, range(30, 50))
    record = read_run(tmp_path / "a")
    assert (record.state, record.resumed, record.started, record.detail) == ("completed", 1, begun, "")
    assert curve_of(tmp_path / "a", "loss") == list(enumerate(expected))


def test_a_run_that_is_there_is_not_overwritten(tmp_path):
    RunLog(tmp_path / "a", kind="sft").close()
    before = (tmp_path / "a" / "run.json").read_bytes()
    with pytest.raises(RunError, match="resume_at"):
        RunLog(tmp_path / "a", kind="sft")
    assert (tmp_path / "a" / "run.json").read_bytes() == before


def test_two_processes_do_not_write_one_run(tmp_path):
    with RunLog(tmp_path / "a", kind="sft") as log:
        with pytest.raises(RunError, match="another process"):
            RunLog(tmp_path / "a", kind="sft", resume_at=0)
        log.write(0, {"loss": 1.0})
    assert curve_of(tmp_path / "a", "loss") == [(0, 1.0)]


def test_steps_go_forward_and_metrics_have_names(tmp_path):
    with RunLog(tmp_path / "a", kind="sft") as log:
        log.write(5, {"loss": 1.0})
        for step, values in [(4, {"loss": 1.0}), (6, {"": 1.0}), (6, {"a\nb": 1.0}), (6, {"x" * 101: 1.0})]:
            with pytest.raises(RunError):
                log.write(step, values)
        for tag, content in [("Up", png()), ("../a", png()), ("a", b"GIF89a"), ("a", png() + bytes(4 << 20))]:
            with pytest.raises(RunError):
                log.picture(tag, 5, content)
    assert curve_of(tmp_path / "a", "loss") == [(5, 1.0)]
    with pytest.raises(RunError, match="ended"):
        log.write(7, {"loss": 1.0})


@pytest.mark.parametrize("name", [".hidden", "a b", "ä", "x" * 129, "a\n"])
def test_folders_have_names_that_addresses_can_have(tmp_path, name):
    with pytest.raises(RunError, match="folder is called"):
        RunLog(tmp_path / name, kind="sft")


def _train(folder: Path, ready) -> None:
    log = RunLog(folder, kind="sft", silence_limit=0.5)
    step = 0
    while True:
        log.write(step, {"loss": 1.0 / (1 + step)})
        step += 1
        if step == 100:
            ready.set()


def test_readers_meet_a_writer_at_any_moment_and_its_death(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_train, args=(tmp_path / "a", ready))
    process.start()
    assert ready.wait(60.0)
    reader, seen = MetricsReader(tmp_path / "a"), 0
    for _ in range(50):
        reader.read()
        assert read_run(tmp_path / "a").state == "running"
        count = reader.curves["loss"].count
        assert count >= seen
        seen = count
    os.kill(process.pid, signal.SIGKILL)
    process.join(30.0)
    assert reader.read()
    assert reader.skipped == 0
    curve = reader.curves["loss"]
    step, value = curve.last
    assert curve.count == step + 1 >= seen >= 100, "no step is lost or told twice"
    assert value == 1.0 / (1 + step)
    record = read_run(tmp_path / "a")
    assert record.state == "running"
    assert not is_silent(record, record.heartbeat + 0.4)
    assert is_silent(record, record.heartbeat + 0.6)
    with RunLog(tmp_path / "a", kind="sft", resume_at=10) as log:  # the dead hold no lock
        log.write(11, {"loss": 0.5})
    assert curve_of(tmp_path / "a", "loss")[-2:] == [(10, 1 / 11), (11, 0.5)]


def test_a_torn_line_is_no_line_and_the_next_writer_starts_anew(tmp_path):
    with RunLog(tmp_path / "a", kind="sft") as log:
        log.write(1, {"loss": 1.0})
    with (tmp_path / "a" / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": 2, "time": 1, "values": {"loss": 0.')
    reader = MetricsReader(tmp_path / "a")
    reader.read()
    assert (reader.skipped, reader.curves["loss"].points()) == (0, [(1, 1.0)])
    with RunLog(tmp_path / "a", kind="sft", resume_at=1) as log:
        log.write(2, {"loss": 0.25})
    reader.read()
    assert (reader.skipped, reader.curves["loss"].points()) == (1, [(1, 1.0), (2, 0.25)])


def test_a_long_curve_keeps_its_ends_and_every_peak(tmp_path):
    random = np.random.default_rng(3)
    values = np.cumsum(random.normal(size=50_000))
    values[[777, 31_234]] = 1e6, -1e6
    lines = [json.dumps({"step": step, "time": 0, "values": {"x": value}}) for step, value in enumerate(values)]
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    reader = MetricsReader(tmp_path)
    rounds = 1
    while not reader.read(limit=100_000):
        rounds += 1
    assert rounds > 10, "it was read in parts"
    curve = reader.curves["x"]
    points = curve.points()
    assert curve.count == 50_000
    assert 900 < len(points) <= 2000
    assert {(777, 1e6), (31_234, -1e6)} <= set(points)
    assert points[-1] == (49_999, values[-1])
    steps = [step for step, _ in points]
    assert steps == sorted(set(steps))
    assert all(values[step] == value for step, value in points)


def test_rewinding_a_thinned_curve_forgets_what_lies_behind(tmp_path):
    reader = MetricsReader(tmp_path)
    lines = [json.dumps({"step": step, "time": 0, "values": {"x": step % 7}}) for step in range(10_000)]
    lines.append(json.dumps({"step": 5_000, "time": 0, "resumed": True}))
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    reader.read()
    points = reader.curves["x"].points()
    assert 4_980 <= points[-1][0] <= 5_000
    assert all(value == step % 7 for step, value in points)


def test_new_lines_alone_are_read_from_a_place_on(tmp_path):
    with RunLog(tmp_path / "a", kind="sft") as log:
        log.write(0, {"loss": 3.0})
        reader = MetricsReader(tmp_path / "a")
        reader.read()
        place = reader.place
        assert MetricsReader(tmp_path / "a").read_since(place) == []
        log.write(1, {"loss": 2.0})
        log.write(2, {"loss": 1.0})
        other = MetricsReader(tmp_path / "a")
        assert [(line.step, line.values) for line in other.read_since(place)] == [
            (1, {"loss": 2.0}),
            (2, {"loss": 1.0}),
        ]
        assert other.read_since(other.place) == []
        assert other.read_since(f"{place}9") is None, "behind the end"
        assert other.read_since("1-0") is None, "of another file"
        inode, _, offset = place.partition("-")
        assert other.read_since(f"{inode}-{int(offset) - 3}") is None, "amid a line"
    with RunLog(tmp_path / "a", kind="sft", resume_at=0):
        assert other.read_since(place) is None, "the run went back"


def test_runs_are_listed_by_who_told_last(tmp_path):
    for name in ("b", "a", "c"):
        RunLog(tmp_path / name, kind="sft").close()
        os.utime(tmp_path / name / "run.json", (time.time(), 1000.0 + ord(name)))
    (tmp_path / "not-a-run").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert [name for _, name in list_runs(tmp_path)] == ["c", "b", "a"]
    assert list_runs(tmp_path / "nowhere") == []
