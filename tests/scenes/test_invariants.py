"""Invariants: measures give known figures of known motions, causes are taken away, and every base scene has its own."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

import scenes
from layouts.placements.ramp import Ramp
from layouts.placements.scatter import Scatter
from layouts.placements.stack import Stack
from scenes.invariants import MEASURES, Invariant, check, without
from scenes.listing import categories
from simfactory.episode import FIRST_BODY, BodyProperties, Contacts, Trajectory
from simfactory.spec import Drive, JointHinge, MotionLinear, Push, Waypoint
from simfactory.testing.specs import make_body, make_rope, make_spec
from simfactory.testing.trajectories import trajectories
from tests.scenes.structure import alike

CHEAP = [
    ("rigid", "bounce"),
    ("rigid", "glancing_collision"),
    ("articulated", "seesaw_load"),
    ("articulated", "carriages_collide"),
    ("rope", "rope_skipping"),
    ("rope", "rope_over_beam"),
]

ROWS = [(category.name, row) for category in categories().values() for row in category.scenes]
FPS, FRAMES = 20.0, 41
TIME = np.arange(FRAMES) / FPS


def path_of(*centers, quats=None, points=None, contacts=None):
    """Return a trajectory of bodies whose centres go along given lines `(time, 3)`."""
    count = len(centers)
    position = np.stack(centers, axis=1).astype(np.float32)
    still = np.zeros_like(position)
    quat = np.tile(np.array([0.0, 0.0, 0.0, 1.0], np.float32), (FRAMES, count, 1)) if quats is None else quats
    properties = BodyProperties(
        mass=np.ones(count),
        inertia=np.tile(np.eye(3), (count, 1, 1)),
        friction=np.zeros(count),
        restitution=np.zeros(count),
        ground_friction=0.0,
    )
    return Trajectory(
        time=TIME,
        position=position,
        quat_xyzw=quat,
        linear_velocity=still,
        angular_velocity=still,
        vertices={0: points.astype(np.float32)} if points is not None else {},
        contacts=contacts or tuple(Contacts.none() for _ in TIME),
        properties=properties,
    )


def line(x=0.0, y=0.0, z=0.0):
    """Return a course `(time, 3)` of given coordinates."""
    return np.stack([np.broadcast_to(np.asarray(value, np.float64), FRAMES) for value in (x, y, z)], axis=1)


def spec_of(count=1):
    return make_spec(bodies=[make_body(f"body_{k}", position=(float(k), 0.0, 1.0)) for k in range(count)])


def about_z(angle):
    zero = np.zeros_like(angle)
    return np.stack([zero, zero, np.sin(angle / 2), np.cos(angle / 2)], axis=-1)[:, None].astype(np.float32)


def measured(name, *centers, body=0, **options):
    return MEASURES[name](spec_of(len(centers)), path_of(*centers, **options), body)


# ── measures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ways_are_measured_from_the_start():
    course = line(x=0.3 * TIME, y=0.4 * TIME, z=1.2 * (2.0 - TIME))
    assert measured("travel", course) == pytest.approx(0.5 * 2.0, rel=1e-5)
    assert measured("shift", course) == pytest.approx(1.3 * 2.0, rel=1e-5)
    assert measured("fall", course) == pytest.approx(2.4, rel=1e-5)
    assert measured("lift", course) == 0.0
    assert measured("lift", course[::-1]) == pytest.approx(2.4, rel=1e-5)


def test_a_ball_that_comes_up_again_rebounds():
    fall = line(z=np.abs(1.0 - TIME))
    assert measured("rebound", fall) == pytest.approx(1.0, rel=1e-5)
    assert measured("rebound", line(z=2.0 - TIME)) == 0.0


def test_swings_count_the_turns_of_a_pendulum_and_none_of_a_roll():
    assert measured("swings", line(y=0.2 * np.sin(2.0 * np.pi * TIME))) == 4.0  # two periods
    assert measured("swings", line(x=0.5 * TIME)) == 0.0
    assert measured("swings", line(x=0.004 * np.sin(2.0 * np.pi * TIME))) == 0.0  # less than a centimetre


def test_turn_is_the_largest_angle_up_to_half_a_turn():
    assert measured("turn", line(), quats=about_z(0.5 * TIME)) == pytest.approx(np.degrees(1.0), rel=1e-4)
    assert measured("turn", line(), quats=about_z(4.0 * TIME)) > 175.0


def test_a_hinged_body_does_not_drift_and_a_free_one_does():
    angle = 0.5 * np.pi * TIME
    corner = np.array([0.2, 0.2, 0.0])
    about_corner = corner + np.stack(
        [-0.2 * np.cos(angle) + 0.2 * np.sin(angle), -0.2 * np.sin(angle) - 0.2 * np.cos(angle), 0.0 * angle], axis=1
    )
    assert measured("drift", about_corner, quats=about_z(angle)) < 1e-3
    assert measured("drift", line(x=0.25 * TIME)) == pytest.approx(0.5, rel=1e-4)


def test_a_jolt_is_a_change_of_velocity():
    assert measured("jolt", line(x=np.where(TIME < 1.0, 0.0, 3.0 * (TIME - 1.0)))) == pytest.approx(3.0, rel=1e-3)
    assert measured("jolt", line(z=-4.905 * TIME**2)) == pytest.approx(9.81 / FPS, rel=1e-2)


def test_fall_on_begins_where_the_fall_was_broken():
    onto = np.where(TIME < 0.5, 2.0 - 2.0 * TIME, np.where(TIME < 1.0, 1.0, 1.0 - 0.6 * (TIME - 1.0)))
    assert measured("fall_on", line(z=onto)) == pytest.approx(0.6, rel=1e-3)
    assert measured("fall_on", line(z=2.0 - TIME)) == 0.0


def test_slowing_is_the_share_of_speed_lost():
    assert measured("slowing", line(x=TIME - 0.25 * TIME**2)) == pytest.approx(1.0, abs=0.03)
    assert measured("slowing", line(x=TIME)) == pytest.approx(0.0, abs=1e-4)
    assert measured("slowing", line()) == 0.0


def test_spin_loss_is_the_share_of_spin_lost():
    path = path_of(line())
    spin = np.zeros_like(path.angular_velocity)
    spin[:, 0, 2] = 8.0 - 3.0 * TIME
    assert MEASURES["spin_loss"](spec_of(), replace(path, angular_velocity=spin), 0) == pytest.approx(0.75, rel=1e-5)


def test_parting_is_from_the_nearest_body_at_first():
    centers = line(), line(x=0.5 + 0.5 * TIME), line(x=4.0 + 9.0 * TIME)
    assert measured("parting", *centers) == pytest.approx(1.0, rel=1e-5)
    assert measured("parting", line(x=TIME)) == 0.0  # nothing else moves there


def test_touched_counts_other_bodies_once_each():
    def contact(a, b):
        zero = np.zeros((1, 3), np.float32)
        ids = np.array([a], np.uint16), np.array([b], np.uint16)
        return Contacts(a=ids[0], b=ids[1], point=zero, normal=zero, impulse=np.zeros(1, np.float32))

    pairs = [(FIRST_BODY, 1), (FIRST_BODY, FIRST_BODY + 1), (FIRST_BODY + 2, FIRST_BODY), (FIRST_BODY + 1, FIRST_BODY)]
    contacts = tuple(contact(*pairs[k % 4]) for k in range(FRAMES))
    assert measured("touched", line(), line(), line(), contacts=contacts) == 2.0


def test_deformation_is_that_beyond_rigid_motion():
    local = np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])
    turned = np.stack(
        [local @ np.array([[np.cos(t), np.sin(t), 0], [-np.sin(t), np.cos(t), 0], [0, 0, 1]]) for t in TIME]
    )
    assert measured("deformation", line(), points=turned + 3.0 * TIME[:, None, None]) < 1e-3
    stretched = local * np.stack([1.0 + 0.1 * TIME, np.ones_like(TIME), np.ones_like(TIME)], axis=-1)[:, None]
    assert measured("deformation", line(), points=stretched) == pytest.approx(0.2 / np.sqrt(2.0), rel=1e-3)
    assert measured("spread", line(), points=2.0 * stretched[::-1]) < 1e-6
    assert measured("spread", line(), points=(1.0 + TIME)[:, None, None] * local) == pytest.approx(2.0, rel=1e-5)


def test_warming_and_cooling_are_opposite():
    warm = np.stack([300.0 + 5.0 * TIME, 300.0 + 15.0 * TIME], axis=1)
    path = replace(path_of(line()), temperatures={0: warm.astype(np.float32)})
    assert MEASURES["warming"](spec_of(), path, 0) == pytest.approx(20.0)
    assert MEASURES["cooling"](spec_of(), path, 0) == pytest.approx(-20.0)
    assert MEASURES["success"](spec_of(), path, 0) == 0.0  # there is no robot


# ── causes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def caused():
    """A scene in which every cause of motion of rigid bodies plays a part."""
    drive = Drive(
        waypoints=(Waypoint(time=0.0, position=0.0), Waypoint(time=1.0, position=1.0)),
        stiffness=0.0,
        damping=1.0,
        strength=1.0,
    )
    hinge = JointHinge(name="hinge", child="door", anchor=(2.0, 0.0, 1.0), axis=(0.0, 0.0, 1.0), drive=drive)
    return make_spec(
        bodies=[
            make_body("ball", linear_velocity=(1.0, 0.0, 0.0), angular_velocity=(0.0, 0.0, 2.0)),
            make_body("door", position=(2.0, 0.0, 1.0)),
            make_body("bar", position=(4.0, 0.0, 1.0), mobility="kinematic"),
        ],
        motions=[MotionLinear(body="bar", velocity=(0.0, 0.5, 0.0))],
        joints=[hinge],
        triggers=[Push(body="ball", time=0.1, impulse=(0.0, 0.0, 1.0))],
    )


def test_causes_take_away_what_they_name(caused):
    assert without(caused, "gravity").environment.gravity == (0.0, 0.0, 0.0)
    assert without(caused, "floor").ground is None
    assert without(caused, "speed").bodies[0].linear_velocity == (0.0, 0.0, 0.0)
    assert without(caused, "speed").bodies[0].angular_velocity == (0.0, 0.0, 0.0)
    assert without(caused, "motion").motions == ()
    assert without(caused, "push").triggers == ()
    assert without(caused, "joints").joints == ()
    assert without(caused, "drive").joints[0].drive is None
    assert all(body.physical.dynamic_friction == 0.0 for body in without(caused, "friction").bodies)


def test_a_cause_is_taken_from_the_named_bodies_alone(caused):
    assert without(caused, "speed", ["door"]).bodies[0].linear_velocity == (1.0, 0.0, 0.0)
    assert without(caused, "push", ["door"]).triggers == caused.triggers
    assert without(caused, "joints", ["ball"]).joints == caused.joints


def test_with_a_body_go_its_joints_motions_and_pushes(caused):
    gone = without(caused, "body", ["ball", "door", "bar"])
    assert gone.bodies == gone.motions == gone.joints == gone.triggers == ()


def test_a_drive_that_holds_its_place_goes_on_holding_it(caused):
    joint = caused.joints[0]
    stiff = joint.model_copy(update={"drive": joint.drive.model_copy(update={"stiffness": 5.0})})
    (left,) = without(caused.model_copy(update={"joints": (stiff,)}), "drive").joints
    assert left.drive.waypoints == stiff.drive.waypoints[:1]


def test_ropes_lose_holds_and_bending():
    spec = make_spec(bodies=[make_rope("rope", held=("start",), bending_stiffness=0.1)])
    assert without(spec, "holds").bodies[0].held == ()
    assert without(spec, "bending").bodies[0].bending_stiffness == 0.0


# ── invariants ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invariant_has_one_bound():
    for bounds in ({}, {"above": 1.0, "below": 2.0}):
        with pytest.raises(ValueError, match="one of above and below"):
            Invariant("body", "fall", **bounds)


def test_one_body_is_enough_unless_every_one_is_asked_for():
    path = path_of(line(x=TIME), line(), line(x=0.1 * TIME))
    spec = spec_of(3)
    assert Invariant("body", "travel", above=1.0).holds(spec, path)
    assert not Invariant("body", "travel", above=1.0, every=True).holds(spec, path)
    assert Invariant("body", "travel", below=2.5).holds(spec, path)
    assert not Invariant("body", "travel", below=1.0).holds(spec, path)
    assert Invariant("body_2", "travel", below=0.5).holds(spec, path)  # one body by its own name
    assert Invariant(("other", "body_0"), "travel", above=1.0).holds(spec, path)
    with pytest.raises(ValueError, match="no body of role 'other'"):
        Invariant("other", "travel", above=1.0).holds(spec, path)


def test_a_wrong_cause_is_found():
    spec = make_spec(bodies=[make_body(position=(0.0, 0.0, 0.6))], frame_count=12)
    right, wrong = Invariant("box", "fall", above=0.2), Invariant("box", "fall", above=0.2, cause="friction")
    verdicts = check([spec], [right, wrong], trajectories)
    assert [verdict.passed for verdict in verdicts] == [True, False]
    assert verdicts[1].held == verdicts[1].held_without == 1


@pytest.mark.parametrize("category", sorted(categories()))
def test_every_base_scene_has_an_invariant(category):
    assert [row.name for name, row in ROWS if name == category and not row.invariants] == []


def test_invariants_name_roles_of_their_scene():
    for _, row in ROWS:
        roles = {role.name for role in row.roles}
        for invariant in row.invariants:
            for named in (invariant.role, invariant.of or ()):
                for one in (named,) if isinstance(named, str) else named:
                    assert one in roles or one.rpartition("_")[0] in roles, (row.name, one)


@pytest.mark.parametrize(("category", "name"), CHEAP)
def test_invariants_hold_and_fail_without_their_causes(category, name):
    (row,) = [row for of, row in ROWS if of == category and row.name == name]
    spec = scenes.sample(category, scene=name, seed=0, views=1, frame_count=49, size=(64, 64))
    for verdict in check([spec], row.invariants, trajectories):
        assert verdict.passed, verdict


# ── base scenes differ in more than parameters ───────────────────────────────────────────────────────────────────────


def test_no_two_base_scenes_differ_in_parameters_alone():
    pairs = [pair for category in categories().values() for pair in combinations(category.scenes, 2)]
    assert [(one.name, other.name) for one, other in pairs if alike(one, other)] == []


def test_a_base_scene_with_other_parameters_is_found_out():
    (row,) = [row for _, row in ROWS if row.name == "ramp_slide"]
    names, ramp = row.layout[0]
    steeper = replace(row, name="steep", layout=((names, replace(ramp, slope=(30.0, 40.0), run=0.8)),))
    heavier = replace(row, name="heavy", roles=(*row.roles[:2], replace(row.roles[2], materials=("metal",))))
    assert alike(row, steeper)
    assert alike(row, heavier)
    assert not alike(row, replace(row, layout=((names, Ramp(slope=(17.0, 30.0), regime="roll")),)))
    assert not alike(row, replace(row, roles=(*row.roles[:2], replace(row.roles[2], count=(2, 2)))))
    assert not alike(row, replace(row, roles=(*row.roles[:2], replace(row.roles[2], shapes=("ball",)))))
    assert not alike(row, replace(row, air="wind"))
    pile, push = (replace(row, layout=((("body",), Stack(push=push)),)) for push in ((0.0, 0.0), (0.2, 0.4)))
    assert not alike(pile, push)
    assert not alike(pile, replace(row, layout=((("body",), Scatter()),)))
