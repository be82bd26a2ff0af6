"""Invariants of scenes with what deforms: they hold, and fail without their cause; what is measured of points."""

import numpy as np
import pytest

import scenes
from scenes.invariants import MEASURES, check
from scenes.listing import categories
from simfactory.episode import FIRST_BODY, BodyProperties, Contacts, Trajectory
from simfactory.testing.specs import make_spec
from simfactory.testing.trajectories import trajectories

CHEAP = [
    ("soft_body", "drop_onto_soft", 20),
    ("inflatable", "balloon_drop", 26),
    ("thermal", "bar_on_hot_and_cold", 30),
]


def one_by_one(specs):
    return [trajectories([spec])[0] for spec in specs]


@pytest.mark.parametrize(("category", "name", "frames"), CHEAP)
def test_invariants_hold_and_fail_without_their_cause(category, name, frames):
    (row,) = [row for row in categories()[category].scenes if row.name == name]
    spec = scenes.sample(category, scene=name, seed=0, index=0, views=1, frame_count=frames, size=(64, 64))
    for verdict in check([spec], row.invariants, one_by_one):
        assert verdict.passed, verdict


@pytest.mark.parametrize("category", ["soft_body", "cloth", "inflatable", "fluid", "granular", "thermal"])
def test_every_scene_says_what_must_be_seen_in_it(category):
    for row in categories()[category].scenes:
        assert row.invariants, row.name
        roles = {role.name for role in row.roles}
        for invariant in row.invariants:
            assert {invariant.role, invariant.of or invariant.role} <= roles, row.name
            assert invariant.measure in MEASURES


def block_path(points, contacts):
    """A body of points `(time, point, 3)` beside another one."""
    count = len(points)
    still = np.zeros((count, 2, 3), np.float32)
    return Trajectory(
        time=np.arange(count) / 24.0,
        position=still,
        quat_xyzw=np.tile(np.float32([0.0, 0.0, 0.0, 1.0]), (count, 2, 1)),
        linear_velocity=still,
        angular_velocity=still,
        vertices={0: points.astype(np.float32)},
        contacts=contacts,
        properties=BodyProperties(
            mass=np.ones(2),
            inertia=np.zeros((2, 3, 3)),
            friction=np.ones(2),
            restitution=np.zeros(2),
            ground_friction=1.0,
        ),
    )


def test_dents_heights_and_touches_are_measured():
    x, y, z = np.meshgrid(*[np.linspace(0.0, 1.0, 11)] * 3, indexing="ij")
    cube = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=-1)
    sunk, dented = cube - (0.0, 0.0, 0.1), cube.copy()
    dented[np.all(cube == (0.5, 0.5, 1.0), axis=1), 2] -= 0.3
    touching = Contacts(
        a=np.uint16([FIRST_BODY + 1]),
        b=np.uint16([FIRST_BODY]),
        point=np.zeros((1, 3), np.float32),
        normal=np.zeros((1, 3), np.float32),
        impulse=np.zeros(1, np.float32),
    )
    spec = make_spec()
    path = block_path(np.stack([cube, sunk, dented]), (Contacts.none(), touching, touching))
    assert MEASURES["dent"](spec, path, 0) == pytest.approx(0.3, abs=1e-6)
    assert MEASURES["dent"](spec, block_path(np.stack([cube, sunk]), (Contacts.none(),) * 2), 0) < 1e-6
    assert MEASURES["top"](spec, path, 0) == pytest.approx(1.0, abs=1e-6)
    assert MEASURES["end_height"](spec, path, 0) == pytest.approx(0.5, abs=1e-3)
    assert MEASURES["touch"](spec, path, 0) == pytest.approx(2.0 / spec.fps)
    assert MEASURES["touch"](spec, block_path(np.stack([cube]), (Contacts.none(),)), 0) == 0.0
