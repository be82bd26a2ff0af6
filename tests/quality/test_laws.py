"""Laws that can be broken on purpose: what breaks them, and what measures it, on motion whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from simfactory.episode import FIRST_BODY, GROUND, BodyProperties, Contacts, Trajectory, scene_surfaces
from simfactory.errors import SpecError
from simfactory.quality import Thresholds, episode_report
from simfactory.quality.laws import caught_up, measure_laws
from simfactory.spec import Box, Push, SceneSpec, Sphere
from simfactory.testing.ground_truth import mock_trajectory
from simfactory.testing.specs import make_body, make_material, make_room, make_spec
from simfactory.violations import (
    VIOLATIONS,
    broken,
    cause_frame,
    check_breakable,
    ghost,
    given,
    loser,
    parse_violations,
)

G = 9.81
LIMITS = Thresholds()


def shown(spec):
    """What the mock backend makes of a spec, broken as its violation says."""
    return broken(spec, mock_trajectory(given(spec)))


def figures(spec, trajectory):
    return {name: found.figure for name, found in measure_laws(spec, trajectory).items()}


def falling(height=12.0, frames=24, **options):
    """A ball that falls, and a box that stands far away."""
    ball = make_body("ball", Sphere(radius=0.2), position=(0.0, 0.0, height), **options)
    post = make_body("post", Box(size=(0.4, 0.4, 0.4)), position=(3.0, 0.0, 0.2), mobility="static")
    return make_spec(bodies=[ball, post], frame_count=frames)


def moved(spec, position, velocity):
    """A trajectory of bodies that do not turn."""
    position, velocity = np.asarray(position, np.float32), np.asarray(velocity, np.float32)
    frames, bodies = position.shape[:2]
    return Trajectory(
        time=np.arange(frames) / spec.fps,
        position=position,
        quat_xyzw=np.tile(np.float32([0, 0, 0, 1]), (frames, bodies, 1)),
        linear_velocity=velocity,
        angular_velocity=np.zeros_like(velocity),
        vertices={},
        contacts=(Contacts.none(),) * frames,
        properties=BodyProperties(
            mass=np.ones(bodies), inertia=np.zeros((bodies, 3, 3)), friction=np.zeros(bodies),
            restitution=np.zeros(bodies), ground_friction=0.0,
        ),
    )  # fmt: skip


def bouncing(coefficient, declared=0.5, fps=24.0, frames=40):
    """A ball that is dropped from 1.5 m and rebounds with a coefficient, exactly."""
    material = make_material(restitution=declared)
    spec = make_spec(
        bodies=[make_body("ball", Sphere(radius=0.1), position=(0, 0, 1.6), physical=material)],
        frame_count=frames, fps=fps,
    )  # fmt: skip
    spec = spec.model_copy(update={"ground": spec.ground.model_copy(update={"physical": material})})
    height, speed, heights, speeds, step = 1.5, 0.0, [], [], 1.0 / fps
    for _ in range(frames):
        heights.append(height)
        speeds.append(speed)
        left = step
        while (until := (speed + np.sqrt(speed**2 + 2 * G * height)) / G) <= left and until > 1e-9:
            height, speed, left = 0.0, coefficient * (G * until - speed), left - until
            if speed < 0.01:
                break
        if height == 0.0 and speed < 0.01:
            height, speed = 0.0, 0.0
            continue
        height, speed = max(height + speed * left - 0.5 * G * left**2, 0.0), speed - G * left
    position, velocity = np.zeros((frames, 1, 3)), np.zeros((frames, 1, 3))
    position[:, 0, 2], velocity[:, 0, 2] = np.asarray(heights) + 0.1, speeds
    return spec, moved(spec, position, velocity)


def test_intact_specs_keep_their_digests_and_losers_have_their_own():
    spec = falling()
    assert "violation" not in spec.model_dump(mode="json")
    lost = loser(spec, "gravity")
    assert lost.digest() != spec.digest()
    assert SceneSpec.model_validate_json(lost.model_dump_json()) == lost
    assert lost.model_copy(update={"violation": None}).digest() == spec.digest()


@pytest.mark.parametrize(("gravity", "factor"), [(9.81, 0.35), (1.62, 2.2)])
def test_wrong_gravity_is_measured_in_flight(gravity, factor):
    spec = falling().model_copy(update={"environment": make_spec(gravity=(0, 0, -gravity)).environment})
    assert figures(spec, shown(spec))["gravity"] < 1e-4
    lost = loser(spec, "gravity")
    assert lost.environment == spec.environment
    assert figures(lost, shown(lost))["gravity"] == pytest.approx(abs(factor - 1.0), abs=1e-4)


def test_damping_is_no_wrong_gravity_and_what_air_may_do_is_granted():
    spec = falling(physical=make_material(damping=0.5))
    trajectory = mock_trajectory(spec)  # has no damping
    assert figures(spec, trajectory)["gravity"] > 0.1
    windy = spec.model_copy(update={"environment": spec.environment.model_copy(update={"air_density": 8.0})})
    light = replace(trajectory, properties=replace(trajectory.properties, mass=np.array([0.05, np.inf])))
    assert figures(windy, light)["gravity"] == 0.0


def test_gravity_is_not_measured_on_what_rests_or_is_touched():
    spec = falling()
    still = moved(spec, np.tile([[[0, 0, 1.0], [3, 0, 0.2]]], (24, 1, 1)), np.zeros((24, 2, 3)))
    assert "gravity" not in measure_laws(spec, still)
    ids = np.array([GROUND], np.uint16), np.array([FIRST_BODY], np.uint16)
    touch = Contacts(a=ids[0], b=ids[1], point=np.zeros((1, 3), np.float32), normal=np.zeros((1, 3), np.float32),
                     impulse=np.zeros(1, np.float32))  # fmt: skip
    assert "gravity" not in measure_laws(spec, replace(mock_trajectory(spec), contacts=(touch,) * 24))


@pytest.mark.parametrize("coefficient", [0.0, 0.3, 0.5, 0.95])
def test_the_coefficient_of_restitution_is_measured_at_the_ground(coefficient):
    spec, trajectory = bouncing(coefficient)
    found = measure_laws(spec, trajectory)
    assert found["restitution"].figure == pytest.approx(abs(coefficient - 0.5), abs=0.02)
    assert found["gravity"].figure < 1e-3
    assert found["teleport"].figure < 0.05


@pytest.mark.parametrize("coefficient", [0.1, 0.8])
def test_the_coefficient_of_restitution_is_measured_between_balls(coefficient):
    material = make_material(restitution=0.8)
    balls = [make_body(name, Sphere(radius=0.2), position=(0, 0, 0.2), physical=material) for name in ("a", "b")]
    spec = make_spec(bodies=balls, frame_count=20)
    time = np.arange(20) / spec.fps
    position, velocity = np.zeros((20, 2, 3)), np.zeros((20, 2, 3))
    met = 0.31
    after = 0.5 * (1 + coefficient) * 2.0  # of the second one, equal masses
    velocity[:, 0, 0], velocity[:, 1, 0] = np.where(time < met, 2.0, 2.0 - after), np.where(time < met, 0.0, after)
    position[:, 0, 0] = np.where(time < met, 2.0 * (time - met), (2.0 - after) * (time - met)) - 0.4
    position[:, 1, 0] = np.where(time < met, 0.0, after * (time - met))
    position[..., 2] = 0.2
    assert figures(spec, moved(spec, position, velocity))["restitution"] == pytest.approx(
        abs(coefficient - 0.8), abs=1e-3
    )


def test_what_passes_through_was_not_struck():
    balls = [make_body(name, Sphere(radius=0.2), position=(0, 0, 0.2)) for name in ("a", "b")]
    spec = make_spec(bodies=balls, frame_count=20)
    position, velocity = np.zeros((20, 2, 3)), np.zeros((20, 2, 3))
    velocity[:, 0, 0], position[:, 0, 0] = 3.0, -1.0 + 3.0 * np.arange(20) / spec.fps
    position[..., 2] = 0.2
    assert "restitution" not in measure_laws(spec, moved(spec, position, velocity))


@pytest.mark.parametrize(("declared", "made"), [(0.1, 0.95), (0.7, 0.0)])
def test_restitution_is_far_from_what_is_declared(declared, made):
    spec = make_spec(bodies=[make_body(physical=make_material(restitution=declared))], room=make_room())
    spec = spec.model_copy(
        update={
            name: getattr(spec, name).model_copy(update={"physical": make_material(restitution=declared)})
            for name in ("ground", "room")
        }
    )
    lost = given(loser(spec, "restitution"))
    assert {thing.physical.restitution for thing in (*lost.bodies, lost.ground, lost.room)} == {made}
    assert given(loser(spec, "teleport")) == loser(spec, "teleport")


def test_a_teleport_is_a_jump_sideways_to_where_there_is_room():
    spec = falling(linear_velocity=(3.0, 0.0, 0.0), height=6.0)
    lost = loser(spec, "teleport")
    intact, jumped = shown(spec), shown(lost)
    assert figures(spec, intact)["teleport"] < 1e-3
    found = measure_laws(lost, jumped)["teleport"]
    assert (found.figure, found.body) == (pytest.approx(1.3, abs=0.03), 0)
    shift = jumped.position - intact.position
    assert np.abs(shift[: found.frames[1]]).max() == 0.0
    np.testing.assert_allclose(np.linalg.norm(shift[found.frames[1] :, 0], axis=-1), 2.0 * 1.3 * 0.2, rtol=1e-5)
    assert np.abs(shift[..., 2]).max() < 1e-6
    gap = np.linalg.norm(jumped.position[:, 0] - jumped.position[:, 1], axis=-1)
    assert gap.min() > 0.55


def test_a_delayed_body_rests_and_then_does_what_it_did():
    spec = falling(linear_velocity=(1.0, 0.0, 0.0))
    lost = loser(spec, "delay")
    intact, late = shown(spec), shown(lost)
    assert figures(spec, intact)["delay"] == 0.0
    found = measure_laws(lost, late)["delay"]
    assert (found.figure, found.body) == (6.0, 0)
    np.testing.assert_array_equal(late.position[6:], intact.position[:-6])
    assert np.abs(late.linear_velocity[:6]).max() == 0.0
    again = caught_up(late, found)
    np.testing.assert_array_equal(again.position, intact.position[:-6])
    np.testing.assert_array_equal(again.linear_velocity[1:], intact.linear_velocity[1:-6])


def test_contacts_go_with_their_body():
    spec = falling(linear_velocity=(1.0, 0.0, 0.0))
    pairs = np.array([[GROUND, FIRST_BODY], [FIRST_BODY, FIRST_BODY + 1]], np.uint16)
    contacts = tuple(
        Contacts(a=pairs[:, 0], b=pairs[:, 1], point=np.full((2, 3), frame, np.float32),
                 normal=np.zeros((2, 3), np.float32), impulse=np.zeros(2, np.float32))
        for frame in range(24)
    )  # fmt: skip
    trajectory = replace(mock_trajectory(spec), contacts=contacts)
    late = broken(loser(spec, "delay"), trajectory)
    assert [float(found.point[0, 0]) for found in late.contacts[4:9]] == [0.0, 0.0, 0.0, 1.0, 2.0]
    assert all(len(found.a) == 2 for found in late.contacts)  # the other one stands still
    jumped = broken(loser(spec, "teleport"), trajectory)
    assert [len(found.a) for found in (jumped.contacts[0], jumped.contacts[-1])] == [2, 1]
    shift = (jumped.position - trajectory.position)[-1, 0]
    np.testing.assert_allclose(jumped.contacts[-1].point[0], 23.0 + shift, rtol=1e-6)


def test_causes_are_velocities_pushes_and_nothing_that_holds():
    assert cause_frame(falling(), 0) == 0
    assert cause_frame(falling(height=0.2), 0) is None
    assert cause_frame(falling(height=0.2, linear_velocity=(1, 0, 0)), 0) == 0
    pushed = falling(height=0.2).model_copy(update={"triggers": (Push(body="ball", time=0.2, impulse=(9, 0, 0)),)})
    assert cause_frame(pushed, 0) == 4
    weightless = falling().model_copy(update={"environment": make_spec(gravity=(0, 0, 0)).environment})
    assert cause_frame(weightless, 0) is None


def test_what_passes_through_others_is_the_body_with_most_energy():
    bodies = [make_body(name, position=(0, 0, height)) for name, height in (("low", 0.2), ("high", 0.6))]
    stack = loser(make_spec(bodies=bodies), "penetration")
    assert ghost(stack) == 1
    struck = stack.model_copy(
        update={"bodies": (*bodies, make_body("ball", Sphere(radius=0.1), linear_velocity=(9, 0, 0)))}
    )
    assert ghost(struck) == 2
    pushed = stack.model_copy(update={"triggers": (Push(body="low", time=0.0, impulse=(500, 0, 0)),)})
    assert ghost(pushed) == 0
    assert ghost(make_spec(bodies=bodies)) is None
    assert given(stack) == stack


def test_under_a_body_that_is_alone_the_floor_gives_way():
    spec = make_spec(bodies=[make_body("ball", Sphere(radius=0.2), position=(0, 0, 0.2))], frame_count=6)
    lost = loser(spec, "penetration")
    assert ghost(lost) is None
    held = given(lost)
    assert held.bodies[0].position == pytest.approx((0, 0, 0.4))
    rests = moved(lost, np.tile([[[0, 0, 0.2]]], (6, 1, 1)), np.zeros((6, 1, 3)))
    sunk = broken(lost, rests)
    np.testing.assert_allclose(sunk.position[:, 0, 2], 0.0, atol=1e-6)
    report = episode_report(lost, sunk, scene_surfaces(lost), [])
    assert report.figures["penetration"] == pytest.approx(0.5, abs=0.01)
    assert report.passed
    assert episode_report(spec, sunk, scene_surfaces(spec), []).reasons == ("penetration",)
    assert episode_report(lost, rests, scene_surfaces(lost), []).reasons == ("violation_unseen",)


@pytest.mark.parametrize("violation", ["gravity", "teleport", "delay"])
def test_a_loser_breaks_its_own_law_and_no_other(violation):
    spec = falling(linear_velocity=(1.0, 0.0, 0.0))
    surfaces = scene_surfaces(spec)
    lost = loser(spec, violation)
    report = episode_report(lost, shown(lost), surfaces, [])
    assert report.passed, report.reasons
    assert episode_report(spec, shown(spec), surfaces, []).passed
    assert "violation_unseen" in episode_report(lost, shown(spec), surfaces, []).reasons
    for other in {"gravity", "teleport", "delay"} - {violation}:
        reasons = episode_report(lost, shown(loser(spec, other)), surfaces, []).reasons
        assert {other, "violation_unseen"} <= set(reasons)


def test_a_violation_that_no_backend_can_show_is_unseen():
    spec = loser(falling(), "restitution")
    assert episode_report(spec, shown(spec), scene_surfaces(spec), []).reasons == ("violation_unseen",)


def test_impossible_requests_name_what_is_allowed():
    assert parse_violations("teleport,gravity", category="rigid") == ("gravity", "teleport")
    assert parse_violations(",".join(VIOLATIONS), category="rigid") == VIOLATIONS
    for text in ("gravity,gravity", "levity", ""):
        with pytest.raises(SpecError, match="give each of gravity, restitution, penetration, teleport, delay"):
            parse_violations(text, category="rigid")
    with pytest.raises(SpecError, match=r"category 'cloth' cannot be broken; allowed are \['rigid'\]"):
        parse_violations("gravity", category="cloth")
    with pytest.raises(SpecError, match=r"allowed are \['rigid'\]"):
        check_breakable(loser(falling(), "gravity").model_copy(update={"category": "rope"}))
