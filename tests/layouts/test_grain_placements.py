"""Hoppers, sluices, tables and buckets: grains fit in, are as many as before, and what must move does."""

from functools import partial

import numpy as np
import pytest

from layouts.clearance import certify
from layouts.placements.bucket import Bucket
from layouts.placements.hopper import Hopper
from layouts.placements.sluice import Sluice
from layouts.placements.table import Table
from layouts.stage import Stage
from simfactory.errors import SpecError
from simfactory.grains import body_grains
from simfactory.rng import stream
from simfactory.spec import Box, Cylinder, MotionLinear, MotionOscillation, MotionRotation
from simfactory.testing.specs import make_body, make_granular
from simfactory.transforms import quat_rotate

EARTH = np.array([0.0, 0.0, -9.81])


def boards(count):
    return tuple(make_body(f"board_{k}", Box(size=(0.5, 0.06, 0.2)), mobility="static") for k in range(count))


def moving(name, geometry):
    return make_body(name, geometry, mobility="kinematic")


def grains():
    return make_granular("grains", geometry=Cylinder(radius=0.14, height=0.3), grain_radius=0.013)


CASES = {
    "hopper": (Hopper(), (*boards(4), grains())),
    "sluice": (
        Sluice(),
        (
            *boards(3),
            moving("gate", Box(size=(0.05, 0.3, 0.3))),
            grains(),
            make_body("tile", Box(size=(0.05, 0.1, 0.2))),
        ),
    ),
    "turntable": (Table(motion="turn", rate=(5.0, 8.0)), (moving("disc", Cylinder(radius=0.3, height=0.06)), grains())),
    "shaker": (
        Table(motion="shake", rate=(2.0, 2.0), swing=(0.05, 0.05)),
        (moving("table", Box(size=(0.6, 0.6, 0.08))), grains()),
    ),
    "bucket": (Bucket(motion="tip"), (moving("bucket", Cylinder(radius=0.2, height=0.4)), grains())),
    "tumbler": (
        Bucket(motion="tumble", lean=(55.0, 60.0), fill=(0.4, 0.5)),
        (moving("bucket", Cylinder(radius=0.2, height=0.4)), grains()),
    ),
}


def placed(name, seed):
    placement, bodies = CASES[name]
    return placement.place("grains", bodies, Stage(gravity=EARTH), streams=partial(stream, seed, "layout"))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", CASES)
def test_nothing_touches_and_the_count_of_grains_stays(name, seed):
    stage = placed(name, seed)
    certify(stage.bodies)
    (made,) = (body for body in stage.bodies if body.kind == "granular")
    now, before = len(body_grains(made).centers), len(body_grains(grains()).centers)
    assert 0.6 * before < now < 1.6 * before


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sluice", MotionLinear),
        ("turntable", MotionRotation),
        ("shaker", MotionOscillation),
        ("bucket", MotionRotation),
        ("tumbler", MotionRotation),
    ],
)
def test_what_is_kinematic_moves(name, kind):
    stage = placed(name, 0)
    (motion,) = stage.motions
    assert isinstance(motion, kind)
    assert [body.name for body in stage.bodies if body.mobility == "kinematic"] == [motion.body]


def test_a_tumbler_turns_about_its_own_axis():
    stage = placed("tumbler", 1)
    (vessel,), (motion,) = stage.groups["grains_vessel"], stage.motions
    axis = quat_rotate(np.asarray(vessel.orientation), np.array([0.0, 0.0, 1.0]))
    spin = np.asarray(motion.angular_velocity)
    assert abs(axis @ spin) == pytest.approx(np.linalg.norm(spin), rel=1e-6)
    assert axis[2] > 0.4


def test_a_bucket_is_tilted_until_its_mouth_points_down():
    stage = placed("bucket", 2)
    (motion,) = stage.motions
    turned = np.linalg.norm(motion.angular_velocity) * (motion.stop - motion.start)
    assert np.degrees(turned) > 110.0
    assert motion.angular_velocity[2] == 0.0


@pytest.mark.parametrize("name", CASES)
def test_missing_bodies_are_named(name):
    placement, bodies = CASES[name]
    with pytest.raises(SpecError, match="grains"):
        placement.place("grains", bodies[:1], Stage(gravity=EARTH), streams=partial(stream, 0, "layout"))
