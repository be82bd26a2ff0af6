"""Sampled mechanisms: they hold together, they survive JSON, and it is their joints that make them."""

import numpy as np
import pytest

import scenes
from layouts import certify
from simfactory.joints import joint_states
from simfactory.quality import Thresholds
from simfactory.spec import SceneSpec
from simfactory.testing.trajectories import trajectories

NAMES = [
    entry.name
    for entry in scenes.catalogue()
    if entry.category == "articulated" and not entry.name.startswith("robot_")
]


def sampled(name, index=0):
    return scenes.sample("articulated", scene=name, seed=3, index=index, views=1, frame_count=25, size=(64, 64))


@pytest.fixture(scope="module")
def specs():
    return [sampled(name) for name in NAMES]


@pytest.fixture(scope="module")
def paths(specs):
    return trajectories(specs)


def test_there_are_mechanisms_of_every_tier():
    tiers = {tier for entry in scenes.catalogue() if entry.category == "articulated" for tier in entry.tiers}
    assert tiers == {"single", "two_body", "multi_object"}
    assert len(NAMES) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_specs_survive_json(name):
    for index in range(3):
        spec = sampled(name, index)
        assert SceneSpec.model_validate_json(spec.model_dump_json()).digest() == spec.digest()


def test_nothing_touches_at_the_start_but_what_is_joined(specs):
    for spec in specs:
        certify(spec.bodies, spec.ground, spec.room, joints=spec.joints)


def test_every_joint_holds(specs, paths):
    for spec, path in zip(specs, paths, strict=True):
        states = joint_states(spec, **path.motion())
        assert states.gap.max() < 0.1 * Thresholds().joint_gap, spec.scene
        assert states.tilt.max() < 0.1 * Thresholds().joint_tilt, spec.scene


def test_every_mechanism_moves_otherwise_without_its_joints(specs, paths):
    loose = trajectories([spec.model_copy(update={"joints": ()}) for spec in specs])
    for spec, held, free in zip(specs, paths, loose, strict=True):
        assert np.abs(held.position - free.position).max() > 0.01, spec.scene


def test_positions_stay_within_their_limits(specs, paths):
    for spec, path in zip(specs, paths, strict=True):
        position = joint_states(spec, **path.motion()).position
        for index, joint in enumerate(spec.joints):
            lower, upper = getattr(joint, "lower", None), getattr(joint, "upper", None)
            assert lower is None or position[:, index].min() > lower - 5e-3, joint.name
            assert upper is None or position[:, index].max() < upper + 5e-3, joint.name
