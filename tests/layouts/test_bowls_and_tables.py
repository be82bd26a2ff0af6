"""Placements over rims, in bowls, on turntables and at posts: things begin where they are said to."""

from functools import partial

import numpy as np
import pytest

from layouts import Stage, certify, solid
from layouts.clearance import clearance
from layouts.placements.bowl import Bowl
from layouts.placements.catapult import Catapult
from layouts.placements.drop import Drop
from layouts.placements.paddles import Paddles
from layouts.placements.rope_throw import RopeThrow
from layouts.placements.scatter import Scatter
from layouts.placements.stack import margin_inside
from layouts.placements.turntable import Turntable
from layouts.solids import horizontal_faces, lowest, parts
from simfactory.errors import SpecError
from simfactory.rng import stream
from simfactory.spec import Box, Cylinder, Sphere
from simfactory.testing.specs import make_body, make_rope
from simfactory.transforms import quat_to_matrix

SEEDS = range(8)
EARTH = np.array([0.0, 0.0, -9.81])


def draws(seed):
    return partial(stream, seed, "layout")


def placed(placement, role, bodies, seed=0, stage=None):
    stage = placement.place(role, tuple(bodies), stage or Stage(gravity=EARTH), streams=draws(seed))
    certify(stage.bodies, None, joints=stage.joints)
    return stage


@pytest.mark.parametrize("seed", SEEDS)
def test_a_body_falls_onto_a_rim_from_outside_the_face(seed):
    stage = placed(Scatter(), "block", [make_body("block", Box(size=(0.3, 0.4, 0.2)))], seed)
    drop = Drop(height=(0.3, 0.5), over="block", rim=(0.01, 0.03))
    stage = placed(drop, "ball", [make_body("ball", Sphere(radius=0.1))], seed, stage)
    (block,), (ball,) = stage.groups["block"], stage.groups["ball"]
    margin = margin_inside(horizontal_faces(block)[1], np.asarray(ball.position[:2]))
    assert -0.03 - 1e-6 <= margin <= -0.01 + 1e-6
    assert 0.3 <= lowest(ball) - solid(block).reach(np.array([0.0, 0.0, 1.0])) <= 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ball_begins_on_the_wall_of_its_bowl(seed):
    bodies = [make_body("bowl", mobility="static"), make_body("ball", Sphere(radius=0.06))]
    stage = placed(Bowl(), "ball", bodies, seed)
    bowl, ball = stage.bodies
    gaps = [clearance(solid(ball), part, enough=0.1) for part in parts(bowl)]
    assert 5e-4 < min(gaps) < 4e-3
    assert np.hypot(*ball.position[:2]) < bowl.geometry.radius
    assert lowest(ball) > bowl.geometry.wall


@pytest.mark.parametrize("seed", SEEDS)
def test_bodies_stand_wholly_on_the_turntable_off_its_axis(seed):
    bodies = [make_body("plate", Cylinder(radius=0.2, height=0.1), mobility="kinematic")]
    bodies += [make_body(f"body_{k}", Box(size=(0.12, 0.1, 0.1))) for k in range(3)]
    stage = placed(Turntable(), "body", bodies, seed)
    plate, *standing = stage.bodies
    for body in standing:
        away = np.hypot(*body.position[:2])
        assert 0.1 < away <= plate.geometry.radius - solid(body).radius + 1e-9
    (motion,) = stage.motions
    assert motion.body == "plate"
    assert 6.0 <= abs(motion.angular_velocity[2]) <= 9.0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rope_thrown_at_a_post_meets_it_broadside(seed):
    bodies = [make_body("post", mobility="static"), make_rope("rope")]
    stage = placed(RopeThrow(), "rope", bodies, seed)
    post, rope = stage.bodies
    velocity, time = np.asarray(rope.linear_velocity), stage.arrivals["rope"]
    line = np.asarray(rope.geometry.points) @ quat_to_matrix(rope.orientation).T + np.asarray(rope.position)
    met = line + velocity * time + 0.5 * EARTH * time**2
    along = (line[-1] - line[0]) / np.linalg.norm(line[-1] - line[0])
    assert abs(along @ velocity) < 1e-6
    assert 0.5 - 1e-6 <= met[:, 2].min() <= met[:, 2].max() <= 0.7 + 1e-6
    way = velocity * np.array([1.0, 1.0, 0.0]) / np.hypot(*velocity[:2])
    assert -(met[0] @ way) == pytest.approx(solid(post).extent(way) + rope.geometry.radius, abs=1e-6)


@pytest.mark.parametrize(
    ("placement", "wanted"), [(Bowl(), 2), (Turntable(), 2), (Paddles(), 4), (Catapult(), 3), (RopeThrow(), 2)]
)
def test_missing_bodies_are_refused(placement, wanted):
    with pytest.raises(SpecError, match=f"{wanted - 1} bodies"):
        placed(placement, "role", [make_body(f"body_{k}") for k in range(wanted - 1)])
