"""The timeline: spans cover what a row did, never overlap, and what is between them was idle."""

import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.engine import Engine
from simfactory.recording import MemoryRecorder
from simfactory.simulators import create_simulator
from simfactory.slots import EnvironmentPool
from simfactory.spec import Sphere
from simfactory.stages import Stages
from simfactory.testing.specs import make_body, make_ground, make_spec
from simfactory.timeline import JOIN_SECONDS, ROWS_MAX, SPANS_KEPT, WAIT_SECONDS, Timeline, Work


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def timeline(clock):
    return Timeline(clock)


def spans_of(timeline, row="0"):
    return [
        (span.stage, span.label, span.begin, span.end)
        for span in timeline.spans(seconds=1e6, limit=10_000)
        if span.row == row
    ]


def work(stage, episode="1", frame=0):
    return Work(stage=stage, scene="bounce", episode=episode, frame=frame, frames=48)


def test_frames_of_one_episode_are_one_span_that_grows(timeline, clock):
    for frame in range(10):
        timeline.enter("0", work("simulate", frame=frame))
        clock.now += 1.0
    assert spans_of(timeline) == [("simulate", "bounce 1", 100.0, 110.0)]
    assert timeline.now()["0"].frame == 9


def test_gap_between_spans_is_idle(timeline, clock):
    timeline.enter("0", work("load"))
    clock.now = 101.0
    timeline.enter("0", work("simulate"))
    clock.now = 103.0
    timeline.leave("0")
    assert timeline.now() == {}
    clock.now = 104.0
    timeline.enter("0", work("load", "2"))
    clock.now = 105.0
    assert spans_of(timeline) == [
        ("load", "bounce 1", 100.0, 101.0),
        ("simulate", "bounce 1", 101.0, 103.0),
        ("load", "bounce 2", 104.0, 105.0),
    ]


@pytest.mark.parametrize(("pause", "count"), [(JOIN_SECONDS, 1), (2 * JOIN_SECONDS, 2)])
def test_short_pause_in_the_same_work_is_no_gap(timeline, clock, pause, count):
    with timeline.during("encode", work("encode")):
        clock.now += 1.0
    clock.now += pause
    with timeline.during("encode", work("encode")):
        clock.now += 1.0
    assert len(spans_of(timeline, "encode")) == count


@pytest.mark.parametrize(("seconds", "count"), [(WAIT_SECONDS / 2, 1), (2 * WAIT_SECONDS, 3)])
def test_wait_that_nobody_would_notice_is_none(timeline, clock, seconds, count):
    for stage, lasts in (("simulate", 1.0), ("wait", seconds), ("simulate", 1.0)):
        timeline.enter("0", work(stage))
        clock.now += lasts
    assert len(spans_of(timeline)) == count


@given(st.lists(st.tuples(st.sampled_from(["load", "simulate", "wait", ""]), st.integers(0, 3), st.floats(0, 2))))
def test_spans_of_a_row_never_overlap_and_cover_what_was_not_idle(steps):
    clock = Clock()
    timeline = Timeline(clock)
    busy = 0.0
    for stage, episode, seconds in steps:
        if stage:
            timeline.enter("0", work(stage, str(episode)))
        else:
            timeline.leave("0")
        clock.now += seconds
        busy += seconds if stage else 0.0
    spans = spans_of(timeline)
    assert all(begin <= end for _, _, begin, end in spans)
    assert all(first[3] <= second[2] for first, second in itertools.pairwise(spans))
    bridged, left_out = JOIN_SECONDS * len(steps), WAIT_SECONDS * len(steps)
    covered = sum(end - begin for _, _, begin, end in spans)
    assert busy - left_out - 1e-6 <= covered <= busy + bridged + 1e-6


def test_memory_is_bounded(timeline, clock):
    for row in range(2 * ROWS_MAX):
        timeline.enter(str(row), work("simulate"))
    for episode in range(2 * SPANS_KEPT):
        timeline.enter("0", work("simulate", str(episode)))
        clock.now += 1.0
    assert len(timeline.now()) == ROWS_MAX
    assert len(spans_of(timeline)) == SPANS_KEPT + 1
    latest = timeline.spans(seconds=90.0, limit=20)
    assert len(latest) == 20
    assert max(span.end for span in latest) == clock.now


def test_spans_of_the_last_while_are_cut_at_its_begin(timeline, clock):
    timeline.enter("0", work("simulate"))
    clock.now = 300.0
    (span,) = timeline.spans(seconds=90.0, limit=10)
    assert (span.begin, span.end) == (210.0, 300.0)


def test_threads_may_note_at_the_same_time(timeline, clock):
    def note(row):
        for episode in range(500):
            with timeline.during(row, work("simulate", str(episode))):
                clock.now += 1e-3

    threads = [threading.Thread(target=note, args=(str(row),)) for row in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for row in range(4):
        spans = spans_of(timeline, str(row))
        assert all(first[3] <= second[2] for first, second in itertools.pairwise(spans))


def ball(index, frames=5):
    body = make_body("ball", Sphere(radius=0.2), position=(0.0, 0.0, 1.3), linear_velocity=(0.01 * index, 0.0, 0.0))
    spec = make_spec(bodies=(body,), ground=make_ground(), frame_count=frames, size=(16, 16))
    return spec.model_copy(update={"index": index})


def test_slots_tell_of_every_episode_and_of_waiting_for_room():
    timeline = Timeline()
    pool = EnvironmentPool(lambda: create_simulator("mock"), slots=2, stages=Stages(), in_flight=2, timeline=timeline)
    episodes = pool.simulate((number, ball(number)) for number in range(6))
    labels = set()
    for count, _ in enumerate(episodes):
        if count == 1:  # both are simulated, none released: nobody may begin
            threading.Timer(0.3, lambda: [pool.released() for _ in range(6)]).start()
        labels |= {(span.stage, span.label) for span in timeline.spans(seconds=60.0, limit=400)}
    simulated = {label.rpartition(" ")[2] for stage, label in labels if stage == "simulate"}
    assert simulated == {str(number) for number in range(6)}
    assert ("wait", "") in labels
    assert timeline.now() == {}


def test_engine_tells_of_all_stages():
    timeline, looked = Timeline(), []
    engine = Engine(backend="mock", timeline=timeline, on_look=lambda context: looked.append(context.frame))
    outcomes = list(
        engine.run([ball(number) for number in range(3)], open_recorder=MemoryRecorder, environments=2, gate=False)
    )
    assert len(outcomes) == 3
    spans = timeline.spans(seconds=60.0, limit=400)
    assert {"0", "1", "render", "encode", "commit"} >= {span.row for span in spans} >= {"0", "render", "encode"}
    assert timeline.now() == {}
    for row in {span.row for span in spans}:
        own = [span for span in spans if span.row == row]
        assert all(first.end <= second.begin for first, second in itertools.pairwise(own))
    assert sorted(looked)[:1] == [0]
    assert set(looked) == set(range(5))
