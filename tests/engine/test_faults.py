"""What goes wrong in the middle: nothing committed is lost, nothing damaged is committed, each fault is told."""

import threading
from functools import partial

import numpy as np
import pytest

from simfactory import tiles
from simfactory.dataset import open_dataset
from simfactory.deadline import Deadline
from simfactory.engine import Engine
from simfactory.errors import ResourceError
from simfactory.recording import MemoryRecorder, open_writer
from simfactory.siblings import siblings
from simfactory.spec import Sphere
from simfactory.store import committed_ids, create_dataset, open_folder, validate
from simfactory.testing.specs import make_body, make_spec


def ball(index, *, frames=4):
    body = make_body(
        "ball", Sphere(radius=0.3), position=(0.0, 0.0, 0.5), linear_velocity=(1.0 + 0.1 * index, 0.0, 0.0)
    )
    spec = make_spec(bodies=(body,), frame_count=frames, size=(24, 24), gravity=(0.0, 0.0, 0.0))
    return spec.model_copy(update={"index": index})


def writer(folder):
    return partial(open_writer, folder)


def is_clean(folder):
    return validate(folder) == [] and list(open_folder(folder).volume.names("staging")) == []


@pytest.fixture
def folder(tmp_path):
    return create_dataset(tmp_path / "data", profile="portable").path


def breaking(monkeypatch, broken, frame=2):
    """Let the renderer break off at a frame of some episodes."""
    inner = tiles.FrameStream.frame

    def render(stream, number):
        if number == frame and any(clip.header.spec.index in broken for clip in stream._clips):
            raise RuntimeError("a launch failed")
        return inner(stream, number)

    monkeypatch.setattr(tiles.FrameStream, "frame", render)


def test_an_episode_whose_rendering_breaks_off_is_reported_and_the_others_are_committed(folder, monkeypatch):
    breaking(monkeypatch, {2})
    monkeypatch.setattr("simfactory.engine.CLIPS_TOGETHER", 1)
    outcomes = Engine(backend="mock", profile="portable").run(map(ball, range(5)), open_recorder=writer(folder))
    told = {outcome.number: outcome for outcome in outcomes}
    assert sorted(told) == list(range(5))
    assert told[2].failure == "RuntimeError: a launch failed"
    assert not told[2].passed
    assert told[2].committed == ()
    assert all(len(told[number].committed) == 1 for number in (0, 1, 3, 4))
    assert len(committed_ids(folder)) == 4
    assert is_clean(folder)


def test_a_full_disk_ends_the_run_and_leaves_what_was_committed(folder):
    opened = []

    def open_recorder(header):
        recorder = writer(folder)(header)
        opened.append(recorder)
        if header.spec.index == 3:
            inner = recorder.append

            def append(frame):
                if recorder._frames == 2:
                    raise ResourceError("the disk is full: free some space")
                inner(frame)

            recorder.append = append
        return recorder

    outcomes = Engine(backend="mock", profile="portable").run(map(ball, range(8)), open_recorder=open_recorder)
    committed = []
    with pytest.raises(ResourceError, match="the disk is full"):
        committed.extend(clip for outcome in outcomes for clip in outcome.committed)
    assert committed_ids(folder) >= set(committed)
    assert 2 <= len(committed_ids(folder)) <= 3
    assert is_clean(folder)


def test_a_run_that_is_given_up_leaves_no_thread_and_nothing_half_written(folder):
    outcomes = Engine(backend="mock", profile="portable").run(map(ball, range(50)), open_recorder=writer(folder))
    next(outcomes)
    outcomes.close()
    names = {thread.name for thread in threading.enumerate()}
    assert not any(name.startswith(("simulate", "render", "encode")) for name in names)
    assert len(committed_ids(folder)) >= 1
    assert is_clean(folder)


def test_told_to_stop_it_finishes_what_is_near_its_end_and_gives_the_rest_back(folder):
    deadline = Deadline()
    engine = Engine(backend="mock", profile="portable", deadline=deadline)
    specs = [ball(0), ball(1), ball(2, frames=1500), *map(ball, range(3, 40))]
    told = []
    for outcome in engine.run(specs, open_recorder=writer(folder)):
        told.append(outcome.number)
        deadline.set(3.0)
    assert 0 in told
    assert 2 not in told
    assert len(told) < 6
    assert len(committed_ids(folder)) == len(told)
    assert is_clean(folder)


def test_a_group_of_siblings_larger_than_what_is_in_flight_is_committed_as_a_whole(folder):
    group = siblings(ball(0), "gravity", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    engine = Engine(backend="mock", profile="portable")
    outcomes = list(engine.run(group, open_recorder=writer(folder), environments=1))
    assert [len(outcome.committed) for outcome in outcomes] == [1] * 6
    assert len(open_dataset(folder)) == 6


def test_siblings_are_lost_together(folder, monkeypatch):
    breaking(monkeypatch, {0})
    monkeypatch.setattr("simfactory.engine.CLIPS_TOGETHER", 1)
    group = siblings(ball(0), "gravity", [1.0, 2.0])
    engine = Engine(backend="mock", profile="portable")
    outcomes = list(engine.run([*group, ball(1)], open_recorder=writer(folder)))
    assert [bool(outcome.committed) for outcome in sorted(outcomes, key=lambda outcome: outcome.number)] == [
        False,
        False,
        True,
    ]
    assert is_clean(folder)


def test_clips_that_share_launches_are_those_that_are_rendered_alone(monkeypatch):
    def recorded(together):
        monkeypatch.setattr("simfactory.engine.CLIPS_TOGETHER", together)
        recorders = {}

        def open_recorder(header):
            return recorders.setdefault(header.clip_id, MemoryRecorder(header))

        specs = [ball(index, frames=3 + index % 2) for index in range(6)]
        list(Engine(backend="mock").run(specs, open_recorder=open_recorder, environments=6, gate=False))
        return {name: recorder.recording.arrays for name, recorder in recorders.items()}

    alone, together = recorded(1), recorded(10)
    assert alone.keys() == together.keys()
    for name, arrays in alone.items():
        for signal, values in arrays.items():
            np.testing.assert_array_equal(values, together[name][signal], err_msg=signal)
