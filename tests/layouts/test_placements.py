"""Placements: nothing overlaps, towers stand, ramps slide or stick as promised."""

import math
from functools import partial

import numpy as np
import pytest

from layouts import Stage, certify, solid
from layouts.clearance import clearance
from layouts.placements.container import Container
from layouts.placements.drop import Drop
from layouts.placements.hang import Hang
from layouts.placements.obstacle import Obstacle
from layouts.placements.overhang import Overhang
from layouts.placements.ramp import Ramp
from layouts.placements.row import Row
from layouts.placements.scatter import Scatter
from layouts.placements.stack import Stack, is_supported, margin_inside
from layouts.placements.strike import Strike
from layouts.placements.sweep import Sweep
from layouts.placements.trestle import Trestle
from layouts.solids import lowest, parts
from layouts.stage import mass, moved
from simfactory.errors import SpecError
from simfactory.polygons import convex_hull
from simfactory.rng import stream
from simfactory.spec import (
    BodyRigid,
    Box,
    Capsule,
    Cylinder,
    Ground,
    MotionLinear,
    PhysicalMaterial,
    Sphere,
    Torus,
    VisualMaterial,
)
from simfactory.transforms import quat_rotate

SEEDS = range(12)
EARTH = np.array([0.0, 0.0, -9.81])


def body(name, geometry, mobility="dynamic", friction=0.4):
    physical = PhysicalMaterial(density=500.0, static_friction=friction, dynamic_friction=friction, restitution=0.2)
    return BodyRigid(
        name=name,
        geometry=geometry,
        position=(0.0, 0.0, 0.0),
        physical=physical,
        visual=VisualMaterial(),
        mobility=mobility,
    )


def boxes(count, size=0.2):
    return tuple(body(f"box_{k}", Box(size=(size, size, 0.6 * size))) for k in range(count))


def ramp_parts(rider, friction=0.4):
    return (
        body("plank", Box(size=(1.4, 0.5, 0.04)), "static"),
        body("post", Box(size=(0.1, 0.3, 0.4)), "static"),
        body("rider", rider, friction=friction),
    )


def draws(seed):
    return partial(stream, seed, "layout")


def certified(stage):
    ground = Ground(physical=stage.bodies[0].physical, visual=VisualMaterial())
    certify(stage.bodies, ground)
    return stage


@pytest.mark.parametrize("seed", SEEDS)
def test_scattered_bodies_rest_on_the_floor_apart_from_each_other(seed):
    stage = certified(Scatter(spread=0.6, gap=0.05).place("box", boxes(6), Stage(gravity=EARTH), streams=draws(seed)))
    for item in stage.bodies:
        assert 0.0 < lowest(item) < 1e-3
        assert np.hypot(*item.position[:2]) <= 0.6
    with pytest.raises(SpecError):
        certify(stage.bodies, minimum=2.0)


def test_a_crowd_that_does_not_fit_is_refused():
    with pytest.raises(SpecError, match="no place for body 'box_"):
        Scatter(spread=0.1).place("box", boxes(9), Stage(gravity=EARTH), streams=draws(0))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_push_drives_the_lowest_body_as_far_as_was_asked(seed):
    stage = certified(Stack(push=(0.2, 0.3)).place("box", boxes(2), Stage(gravity=EARTH), streams=draws(seed)))
    (push,) = stage.triggers
    assert push.body == stage.bodies[0].name
    # Two equal bodies with μ = 0.4: the lower one brakes at 3 μ g, from both of its faces.
    speed = np.linalg.norm(push.impulse) / mass(stage.bodies[0])
    assert 0.2 - 1e-6 <= speed**2 / (2.0 * 3.0 * 0.4 * 9.81) <= 0.3 + 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_towers_stand_a_hair_apart_with_their_weight_over_every_joint(seed):
    parts = (*boxes(3), body("disc", Cylinder(radius=0.12, height=0.1)))
    stage = certified(Stack().place("box", parts, Stage(gravity=EARTH), streams=draws(seed)))
    tower = list(stage.groups["box"])
    assert is_supported(tower)
    floor = 0.0
    for item in tower:
        assert 0.0 < lowest(item) - floor < 1e-3
        floor = solid(item).reach(np.array([0.0, 0.0, 1.0]))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_heaviest_body_is_lowest_in_a_tower_and_in_a_pile(seed):
    parts = tuple(
        item.model_copy(update={"physical": item.physical.model_copy(update={"density": density})})
        for item, density in zip(boxes(3), (150.0, 7000.0, 900.0), strict=True)
    )
    for placement in (Stack(), Drop(height=(0.2, 0.25), rise=0.4)):
        stage = placement.place("box", parts, Stage(gravity=EARTH), streams=draws(seed))
        assert [item.name for item in sorted(stage.bodies, key=lowest)] == ["box_1", "box_2", "box_0"]


@pytest.mark.parametrize("seed", SEEDS)
def test_bodies_fall_into_a_container_between_its_sides(seed):
    sides = tuple(body(f"side_{k}", Box(size=(0.1, 0.5, 0.2)), "static") for k in range(4))
    stage = certified(Container().place("box", (*sides, *boxes(4)), Stage(gravity=EARTH), streams=draws(seed)))
    walls = [solid(side) for side in stage.groups["box_side"]]
    for item in stage.groups["box"]:
        hull = solid(item)
        for wall in walls:
            inwards = -wall.center * np.array([1.0, 1.0, 0.0])
            inwards /= np.linalg.norm(inwards)
            assert -hull.reach(-inwards) > wall.reach(inwards)  # clear of the wall's inner face


def test_a_container_without_contents_is_refused():
    sides = tuple(body(f"side_{k}", Box(size=(0.1, 0.5, 0.2)), "static") for k in range(4))
    with pytest.raises(SpecError, match="four sides and one body"):
        Container().place("box", sides, Stage(gravity=EARTH), streams=draws(0))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("beyond", "tips"), [((0.1, 0.4), True), ((-0.4, -0.1), False)])
def test_boards_hang_over_the_edge_of_a_shelf(seed, beyond, tips):
    shelf = body("shelf", Box(size=(0.5, 0.5, 0.5)), "static")
    boards = tuple(body(f"board_{k}", Box(size=(0.5, 0.14, 0.06))) for k in range(3))
    stage = certified(
        Overhang(beyond=beyond).place("board", (shelf, *boards), Stage(gravity=EARTH), streams=draws(seed))
    )
    (shelf,) = stage.groups["board_shelf"]
    out = -np.asarray(shelf.position) * np.array([1.0, 1.0, 0.0])
    out /= np.linalg.norm(out)
    edge = solid(shelf).reach(out)
    for board in stage.groups["board"]:
        assert (np.asarray(board.position) @ out > edge) == tips
        assert solid(board).reach(out) > edge > -solid(board).reach(-out)
        assert 0.0 < lowest(board) - solid(shelf).reach(np.array([0.0, 0.0, 1.0])) < 2e-3


def test_a_load_begins_above_the_free_end_of_a_board():
    parts = (
        body("shelf", Box(size=(0.5, 0.5, 0.5)), "static"),
        body("board", Box(size=(0.5, 0.14, 0.06))),
        body("ball", Sphere(radius=0.1)),
    )
    placement = Overhang(beyond=(-0.2, -0.1), load=True)
    stage = certified(placement.place("ball", parts, Stage(gravity=EARTH), streams=draws(0)))
    board, ball = stage.groups["ball"]
    out = -np.asarray(stage.groups["ball_shelf"][0].position) * np.array([1.0, 1.0, 0.0])
    assert np.asarray(ball.position) @ out > np.asarray(board.position) @ out
    assert lowest(ball) > solid(board).reach(np.array([0.0, 0.0, 1.0])) + 0.2


@pytest.mark.parametrize("seed", SEEDS)
def test_bars_lie_on_both_supports_with_their_middle_in_the_air(seed):
    supports = tuple(body(f"support_{k}", Box(size=(0.2, 0.2, 0.4)), "static") for k in range(2))
    bars = tuple(body(f"bar_{k}", Box(size=(0.5, 0.12, 0.08))) for k in range(3))
    stage = certified(Trestle().place("bar", (*supports, *bars), Stage(gravity=EARTH), streams=draws(seed)))
    first, second = stage.groups["bar_supports"]
    along = np.asarray(second.position) - np.asarray(first.position)
    along /= np.linalg.norm(along)
    for bar in stage.groups["bar"]:
        assert solid(bar).reach(along) > -solid(second).reach(-along) + 0.05
        assert -solid(bar).reach(-along) < solid(first).reach(along) - 0.05
        assert 0.0 < lowest(bar) - solid(first).reach(np.array([0.0, 0.0, 1.0])) < 2e-3
    with pytest.raises(SpecError, match="no bar among 2 bodies: give it one or more"):
        Trestle().place("bar", supports, Stage(gravity=EARTH), streams=draws(seed))


def rack(count, swing=(0.0, 0.0), seed=0):
    parts = (
        body("post", Box(size=(0.1, 0.1, 0.5)), "static"),
        body("peg", Capsule(radius=0.03, height=0.3), "static"),
        *(body(f"ring_{k}", Torus(radius=0.13, tube=0.025)) for k in range(count)),
    )
    return certified(Hang(swing=swing).place("ring", parts, Stage(gravity=EARTH), streams=draws(seed)))


@pytest.mark.parametrize("seed", SEEDS)
def test_rings_hang_a_hair_above_the_peg_that_goes_through_them(seed):
    stage = rack(3, seed=seed)
    (peg,), rings = stage.groups["ring_peg"], stage.groups["ring"]
    axis = quat_rotate(peg.orientation, [0.0, 0.0, 1.0])
    assert axis[2] == pytest.approx(0.0, abs=1e-9)
    for ring in rings:
        gap = min(clearance(part, solid(peg)) for part in parts(ring))
        assert 1e-4 < gap < 2e-3
        assert clearance(solid(ring), solid(peg)) == 0.0  # it is inside the ring's hull
        assert abs(quat_rotate(ring.orientation, [0.0, 0.0, 1.0]) @ axis) == pytest.approx(1.0)
        assert lowest(ring) > 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_a_swinging_ring_turns_about_where_it_touches_the_peg(seed):
    stage = rack(1, swing=(4.0, 6.0), seed=seed)
    (ring,), (peg,) = stage.groups["ring"], stage.groups["ring_peg"]
    contact = solid(peg).support(np.array([0.0, 0.0, 1.0])) * np.array([0.0, 0.0, 1.0])
    contact += np.asarray(ring.position) * np.array([1.0, 1.0, 0.0])
    arm = contact - np.asarray(ring.position)
    there = np.asarray(ring.linear_velocity) + np.cross(ring.angular_velocity, arm)
    assert 4.0 <= np.linalg.norm(ring.angular_velocity) <= 6.0
    assert np.linalg.norm(there) < 0.01  # the ring begins up to 1.5 mm above the peg


def test_only_rings_hang_on_a_peg():
    post, peg = body("post", Box(size=(0.1, 0.1, 0.5)), "static"), body("peg", Capsule(radius=0.03, height=0.3))
    with pytest.raises(SpecError, match="has no ring among 2 bodies"):
        Hang().place("ring", (post, peg), Stage(gravity=EARTH), streams=draws(0))
    with pytest.raises(SpecError, match="allowed is a torus"):
        Hang().place("ring", (post, peg, *boxes(1)), Stage(gravity=EARTH), streams=draws(0))


def test_a_striker_comes_from_where_nothing_is_in_its_way():
    for seed in range(8):
        stage = rack(1, seed=seed)
        (post,) = stage.groups["ring_post"]
        placement = Strike(target="ring", speed=(3.0, 4.0), miss=(0.0, 0.0), flight=True)
        ball = body("ball", Sphere(radius=0.13))
        stage = certified(placement.place("ball", (ball,), stage, streams=draws(seed)))
        (ball,), (ring,) = stage.groups["ball"], stage.groups["ring"]
        way, back = (np.asarray(item.position[:2]) - np.asarray(ring.position[:2]) for item in (ball, post))
        # The post is 0.15 m or more behind the ring, the ball reaches 0.13 m to either side.
        assert way @ back / (np.linalg.norm(way) * np.linalg.norm(back)) < 0.9


def test_a_leaning_tower_is_told_from_a_standing_one():
    low, high = boxes(2)
    stage = Stack(shift=0.0).place("box", (low, high), Stage(gravity=EARTH), streams=draws(0))
    tower = list(stage.groups["box"])
    assert is_supported(tower)
    shifted = moved(tower[1], position=np.asarray(tower[1].position) + np.array([0.15, 0.0, 0.0]))
    assert not is_supported([tower[0], shifted])


def test_balls_make_no_tower():
    parts = tuple(body(f"ball_{k}", Sphere(radius=0.1)) for k in range(2))
    with pytest.raises(SpecError, match="no stable tower"):
        Stack().place("ball", parts, Stage(gravity=EARTH), streams=draws(0))


def test_the_hull_of_a_square_with_inner_points_is_the_square():
    square = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
    corners = convex_hull(np.concatenate([square, [[1.0, 1.0], [0.5, 1.5], [1.0, 0.0]]]))
    assert sorted(map(tuple, corners)) == sorted(map(tuple, square))
    assert margin_inside(square, np.array([0.5, 1.0])) == pytest.approx(0.5)
    assert margin_inside(square, np.array([2.5, 1.0])) == pytest.approx(-0.5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("regime", "rider"),
    [("slide", Box(size=(0.2, 0.2, 0.1))), ("stick", Box(size=(0.2, 0.2, 0.1))), ("roll", Sphere(radius=0.12))],
)
def test_ramps_decide_by_slope_and_friction(seed, regime, rider):
    placement = Ramp(slope=(12.0, 28.0), regime=regime)
    stage = certified(placement.place("rider", ramp_parts(rider), Stage(gravity=EARTH), streams=draws(seed)))
    (plank,), (seated,) = stage.groups["rider_plank"], stage.groups["rider"]
    steep = math.sqrt(1.0 / quat_rotate(plank.orientation, [0.0, 0.0, 1.0])[2] ** 2 - 1.0)
    assert math.tan(math.radians(12.0)) - 1e-6 <= steep <= math.tan(math.radians(28.0)) + 1e-6
    assert seated.physical.static_friction == plank.physical.static_friction
    if regime == "slide":
        assert seated.physical.static_friction < 0.75 * steep
    else:
        assert seated.physical.dynamic_friction > (1.25 if regime == "stick" else 0.55) * steep


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rider_lies_a_hair_above_its_plank(seed):
    placement = Ramp(slope=(12.0, 28.0), regime="slide")
    stage = placement.place("rider", ramp_parts(Box(size=(0.2, 0.2, 0.1))), Stage(gravity=EARTH), streams=draws(seed))
    (plank,), (seated,) = stage.groups["rider_plank"], stage.groups["rider"]
    normal = quat_rotate(plank.orientation, [0.0, 0.0, 1.0])
    gap = -solid(seated).reach(-normal) - solid(plank).reach(normal)
    assert gap == pytest.approx(5e-4, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_obstacle_waits_downhill_of_the_ramp(seed):
    stage = Ramp(slope=(14.0, 24.0), regime="roll").place(
        "rider", ramp_parts(Sphere(radius=0.12)), Stage(gravity=EARTH), streams=draws(seed)
    )
    stage = certified(Obstacle(ramp="rider_plank").place("box", boxes(1), stage, streams=draws(seed)))
    (plank,), (rider,), (box,) = stage.groups["rider_plank"], stage.groups["rider"], stage.groups["box"]
    downhill = quat_rotate(plank.orientation, [1.0, 0.0, 0.0]) * np.array([1.0, 1.0, 0.0])
    downhill /= np.linalg.norm(downhill)
    across = np.array([-downhill[1], downhill[0], 0.0])
    assert np.asarray(box.position) @ downhill > solid(plank).reach(downhill) > np.asarray(rider.position) @ downhill
    assert abs((np.asarray(box.position) - np.asarray(rider.position)) @ across) < 0.06


@pytest.mark.parametrize("seed", SEEDS)
def test_dropped_bodies_hang_above_the_floor_within_their_heights(seed):
    stage = certified(
        Drop(height=(0.5, 0.6), rise=0.4).place("box", boxes(3), Stage(gravity=EARTH), streams=draws(seed))
    )
    for rank, item in enumerate(stage.bodies):
        assert 0.5 <= lowest(item) - 0.4 * rank <= 0.6


@pytest.mark.parametrize("seed", SEEDS)
def test_a_toss_is_centred_on_the_origin(seed):
    placement = Drop(height=(0.3, 0.6), toss=(1.5, 3.0), elevation=(20.0, 60.0))
    stage = placement.place("box", boxes(1), Stage(gravity=EARTH), streams=draws(seed))
    (item,) = stage.bodies
    vz, height = item.linear_velocity[2], lowest(item)
    flight = (vz + math.sqrt(vz * vz + 2.0 * 9.81 * height)) / 9.81
    landing = np.asarray(item.position[:2]) + np.asarray(item.linear_velocity[:2]) * flight
    assert landing + np.asarray(item.position[:2]) == pytest.approx(np.zeros(2), abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_thrown_striker_passes_through_its_target(seed):
    stage = Stack().place("box", boxes(3), Stage(gravity=EARTH), streams=draws(seed))
    placement = Strike(target="box", speed=(3.0, 4.0), distance=(0.9, 1.2), miss=(0.0, 0.0), flight=True)
    ball = body("ball", Sphere(radius=0.1))
    stage = certified(placement.place("ball", (ball,), stage, streams=draws(seed)))
    (ball,), goal = stage.groups["ball"], np.asarray(stage.groups["box"][-1].position)
    velocity = np.asarray(ball.linear_velocity)
    time = np.linalg.norm(goal[:2] - ball.position[:2]) / np.linalg.norm(velocity[:2])
    assert np.asarray(ball.position) + velocity * time + 0.5 * EARTH * time**2 == pytest.approx(goal, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rolling_striker_heads_for_its_target_without_slipping(seed):
    stage = Scatter().place("box", boxes(1), Stage(gravity=EARTH), streams=draws(seed))
    placement = Strike(target="box", speed=(0.5, 0.9), miss=(0.0, 0.0), closing=(0.2, 0.4))
    stage = certified(placement.place("ball", (body("ball", Sphere(radius=0.1)),), stage, streams=draws(seed)))
    (ball,), (box,) = stage.groups["ball"], stage.groups["box"]
    velocity, way = np.asarray(ball.linear_velocity), np.asarray(box.position[:2]) - np.asarray(ball.position[:2])
    assert velocity[:2] @ way == pytest.approx(np.linalg.norm(velocity) * np.linalg.norm(way))
    contact = velocity + np.cross(ball.angular_velocity, [0.0, 0.0, -0.1])
    assert contact == pytest.approx(np.zeros(3), abs=1e-6)
    assert np.asarray(box.linear_velocity) @ velocity < 0.0


@pytest.mark.parametrize("seed", SEEDS)
def test_dominoes_stand_in_a_row_in_reach_of_each_other(seed):
    tiles = tuple(body(f"tile_{k}", Box(size=(0.06, 0.2, 0.36))) for k in range(5))
    stage = certified(Row(push=(0.8, 1.2)).place("tile", tiles, Stage(gravity=EARTH), streams=draws(seed)))
    steps = np.diff([item.position for item in stage.bodies], axis=0)
    assert np.ptp(np.linalg.norm(steps, axis=-1)) < 1e-6
    assert np.linalg.norm(steps[0]) - 0.06 < 0.36
    assert np.asarray(stage.triggers[0].impulse) @ steps[0] > 0.0
    assert np.sum([item.position[:2] for item in stage.bodies], axis=0) == pytest.approx(np.zeros(2), abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bar_sweeps_across_the_origin(seed):
    stage = Scatter(spread=0.4).place("box", boxes(3), Stage(gravity=EARTH), streams=draws(seed))
    bar = body("bar", Box(size=(0.1, 1.2, 0.15)), "kinematic")
    stage = certified(Sweep(speed=(0.5, 1.0)).place("bar", (bar,), stage, streams=draws(seed)))
    (motion,) = stage.motions
    assert isinstance(motion, MotionLinear)
    way = np.asarray(motion.velocity) / np.linalg.norm(motion.velocity)
    assert all(
        np.asarray(item.position) @ way > np.asarray(stage.groups["bar"][0].position) @ way
        for item in stage.groups["box"]
    )
    assert 0.9 <= np.linalg.norm(motion.velocity) * (motion.stop - motion.start) <= 1.31


def test_a_placement_repeats_itself_and_adding_a_body_shifts_no_other():
    placement = Scatter(spread=0.9)
    three = placement.place("box", boxes(3), Stage(gravity=EARTH), streams=draws(5))
    four = placement.place("box", boxes(4), Stage(gravity=EARTH), streams=draws(5))
    assert three.bodies == placement.place("box", boxes(3), Stage(gravity=EARTH), streams=draws(5)).bodies
    assert four.bodies[:3] == three.bodies
