"""Slots: each at its own clock, refilled at once, none of them touched by another."""

import dataclasses
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simfactory.deadline import Deadline
from simfactory.errors import ResourceError, SimulationError, SpecError
from simfactory.preflight import environment_bytes
from simfactory.simulators import create_simulator
from simfactory.simulators.mock import MockSimulator
from simfactory.slots import FAILURES_MAX, EnvironmentPool
from simfactory.spec import Box, Push, Sphere
from simfactory.stages import Stages
from simfactory.testing.specs import make_body, make_ground, make_soft, make_spec


def ball(index=0, *, frames=5, gravity=(0.0, 0.0, 0.0)):
    body = make_body("ball", Sphere(radius=0.2), position=(0.0, 0.0, 1.3), linear_velocity=(0.01 * index, 0.0, 0.0))
    spec = make_spec(bodies=(body,), frame_count=frames, size=(16, 16), gravity=gravity)
    return spec.model_copy(update={"index": index})


def pool_of(slots, create=lambda: create_simulator("mock"), **options):
    return EnvironmentPool(create, slots=slots, stages=Stages(), **options)


def lengths(count):
    rng = random.Random(4)
    return [rng.randint(49, 129) for _ in range(count)]


def lock_step_share(frames, slots):
    """Share of slots in use if each batch waits for its longest episode."""
    batches = [frames[begin : begin + slots] for begin in range(0, len(frames), slots)]
    return sum(frames) / sum(slots * max(batch) for batch in batches)


def test_slots_of_mixed_lengths_are_hardly_ever_idle():
    wanted = lengths(400)
    pool = pool_of(16)
    ended = list(pool.simulate(enumerate(ball(index, frames=frames) for index, frames in enumerate(wanted))))
    assert sorted(episode.number for episode in ended) == list(range(400))
    assert [e.trajectory.frame_count for e in sorted(ended, key=lambda e: e.number)] == wanted
    assert pool.occupancy.share >= 0.95
    assert lock_step_share(wanted, 16) < 0.8


def same(first, second):
    pairs = zip(dataclasses.astuple(first), dataclasses.astuple(second), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs if isinstance(a, np.ndarray))


@given(order=st.permutations(range(6)), slots=st.integers(1, 7), room=st.integers(1, 8))
@settings(max_examples=25)
def test_an_episode_does_not_depend_on_order_slots_or_neighbours(order, slots, room):
    specs = [ball(index, frames=3 + 2 * index) for index in range(6)]
    alone = [next(iter(pool_of(1).simulate([(index, spec)]))) for index, spec in enumerate(specs)]
    pool = pool_of(slots, in_flight=room)
    for episode in pool.simulate((index, specs[index]) for index in order):
        pool.released()
        assert same(episode.trajectory, alone[episode.number].trajectory)


def scene(index):
    """Rigid and soft scenes in turn, with other lengths."""
    thing = (
        make_soft(position=(0.0, 0.0, 0.3), resolution=2)
        if index % 2
        else make_body(
            "box", Box(size=(0.2, 0.2, 0.2)), position=(0.1 * index, 0.0, 0.3), angular_velocity=(3.0, 1.0, 0.0)
        )
    )
    return make_spec(bodies=(thing,), frame_count=4 + 2 * index, size=(16, 16), ground=make_ground())


def test_scenes_of_any_kind_follow_each_other_in_a_slot_and_stay_bit_identical():
    specs = [scene(index) for index in range(4)]
    together = {
        episode.number: episode.trajectory
        for episode in pool_of(2, lambda: create_simulator("newton")).simulate(enumerate(specs))
    }
    for index, spec in enumerate(specs):
        (alone,) = pool_of(1, lambda: create_simulator("newton")).simulate([(0, spec)])
        assert same(alone.trajectory, together[index])
        for body, vertices in alone.trajectory.vertices.items():
            np.testing.assert_array_equal(vertices, together[index].vertices[body])


def test_an_episode_that_may_ends_at_rest_and_keeps_the_frames_until_then():
    box = make_body("box", Box(size=(0.2, 0.2, 0.2)), position=(0.0, 0.0, 0.25))
    spec = make_spec(bodies=(box,), frame_count=96, fps=24.0, size=(16, 16), ground=make_ground())
    newton = [spec, spec.model_copy(update={"until_rest": True})]
    whole, short = sorted(
        pool_of(2, lambda: create_simulator("newton")).simulate(enumerate(newton)), key=lambda episode: episode.number
    )
    count = short.trajectory.frame_count
    assert whole.trajectory.frame_count == 96
    assert 16 <= count <= 48  # it falls for 0.18 s, bounces, and must rest for half a second
    np.testing.assert_array_equal(short.trajectory.position, whole.trajectory.position[:count])


def test_an_episode_with_an_event_to_come_does_not_end_at_rest_before_it():
    box = make_body("box", Box(size=(0.2, 0.2, 0.2)), position=(0.0, 0.0, 0.1001))
    push = Push(body="box", time=1.5, impulse=(10.0, 0.0, 0.0))
    spec = make_spec(bodies=(box,), frame_count=96, fps=24.0, size=(16, 16), ground=make_ground(), triggers=(push,))
    spec = spec.model_copy(update={"until_rest": True})
    (episode,) = pool_of(1, lambda: create_simulator("newton")).simulate([(0, spec)])
    assert 1.5 * 24 < episode.trajectory.frame_count < 96
    assert np.ptp(episode.trajectory.position[:, 0, 0]) > 0.01


class Failing:
    """Simulators of which those of some episodes break off."""

    def __init__(self, broken, error):
        self.broken, self.error, self.made, self.released = broken, error, 0, 0

    def __call__(self):
        self.made += 1
        inner, owner = MockSimulator(), self

        class Simulator:
            """Counts frames, and breaks off."""

            def load(self, specs):
                self.spec, self.frame = specs[0], 0
                inner.load(specs)

            def step(self):
                self.frame += 1
                if self.spec.index in owner.broken and self.frame == 2:
                    raise owner.error
                inner.step()

            def release(self):
                owner.released += 1

            state, properties = inner.state, inner.properties

        return Simulator()


@pytest.mark.parametrize("error", [RuntimeError("a kernel failed"), SimulationError("too many contacts")])
def test_a_simulator_that_fails_costs_one_episode_and_is_replaced(error):
    simulators = Failing({1, 4}, error)
    ended = {e.number: e for e in pool_of(2, simulators).simulate(enumerate(ball(index) for index in range(8)))}
    assert sorted(ended) == list(range(8))
    assert [number for number, episode in sorted(ended.items()) if episode.failure] == [1, 4]
    assert str(error) in ended[1].failure
    assert ended[1].trajectory is None
    assert simulators.made == 4  # two at first, and one after each failure
    assert simulators.released == 2
    for number in (0, 2, 3, 5, 6, 7):
        (alone,) = pool_of(1).simulate([(0, ball(number))])
        assert same(alone.trajectory, ended[number].trajectory)


def test_failures_without_end_are_no_fault_of_the_episodes():
    pool = pool_of(2, Failing(set(range(100)), RuntimeError("a kernel failed")))
    with pytest.raises(SimulationError, match=f"{FAILURES_MAX} episodes failed one after the other.*a kernel failed"):
        list(pool.simulate(enumerate(ball(index) for index in range(100))))


def test_what_is_wrong_with_a_spec_is_raised():
    with pytest.raises(SpecError, match="no such"):
        list(pool_of(1, Failing({0}, SpecError("no such material"))).simulate([(0, ball())]))


def test_no_more_episodes_are_begun_than_there_is_room_for():
    begun = []

    def specs():
        for index in range(20):
            begun.append(index)
            yield index, ball(index, frames=3)

    pool = pool_of(2, in_flight=3)
    episodes = pool.simulate(specs())
    taken = [next(episodes) for _ in range(3)]
    assert len(begun) == 3
    for _ in taken:
        pool.released()
    taken.append(next(episodes))
    assert len(begun) <= 6


def test_after_the_deadline_nothing_is_begun_and_only_what_ends_in_time_is_finished():
    deadline = Deadline()
    seen = []

    def specs():
        for index, frames in enumerate((4, 400, 4, 4)):
            seen.append(index)
            yield index, ball(index, frames=frames)

    pool = pool_of(2, deadline=deadline)
    episodes = pool.simulate(specs())
    first = next(episodes)
    assert first.number == 0
    deadline.set(0.0)
    assert list(episodes) == []
    assert seen == [0, 1]
    generous = Deadline()
    pool = pool_of(2, deadline=generous)
    episodes = pool.simulate(specs())
    next(episodes)
    generous.set(60.0)
    assert [episode.number for episode in episodes] == [1]


def test_slots_stay_empty_where_memory_does_not_suffice_and_what_never_fits_is_refused():
    specs = [ball(index, frames=20) for index in range(6)]
    each = environment_bytes(specs[0])
    pool = pool_of(6, memory=int(2.5 * each))
    ended = list(pool.simulate(enumerate(specs)))
    assert sorted(episode.number for episode in ended) == list(range(6))
    assert pool.occupancy.share == pytest.approx(2 / 6, abs=0.05)  # two at a time
    with pytest.raises(ResourceError, match=r"'test' with 20 frames takes .* while it is simulated, .* are there"):
        list(pool_of(6, memory=each - 1).simulate(enumerate(specs)))


def test_the_estimate_of_memory_grows_with_points_and_frames():
    soft = make_spec(bodies=(make_soft(resolution=4),), frame_count=10, size=(16, 16), ground=make_ground())
    assert environment_bytes(soft) > environment_bytes(ball()) + 2**20
    longer = soft.model_copy(update={"frame_count": 1000})
    assert environment_bytes(longer) > environment_bytes(soft)
