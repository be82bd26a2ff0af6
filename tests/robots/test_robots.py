"""Robots that ship: licensed, whole, and their inverse kinematics undo the forward ones."""

import hashlib
import tomllib
from importlib.resources import files

import numpy as np
import pytest

from simfactory.errors import SpecError
from simfactory.robots import inverse, part_poses, robot_model, robot_names, tool_pose

HOME = np.array([0.0, -0.4, 0.0, -2.2, 0.0, 1.8, 0.785])
FOLDER = files("simfactory").joinpath("data", "robots")


@pytest.mark.parametrize("name", robot_names())
def test_robots_are_licensed_small_and_unchanged(name):
    table = tomllib.loads(FOLDER.joinpath(f"{name}.toml").read_text())
    content = FOLDER.joinpath(table["meshes"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == table["sha256"]
    assert len(content) < 1e6
    assert table["licence"] == "Apache-2.0"
    assert table["source"]
    assert "Apache License" in FOLDER.joinpath("LICENSE.txt").read_text()


def test_parts_can_have_their_inertia():
    for part in robot_model("panda").parts:
        moments = np.linalg.eigvalsh(part.inertia)
        assert moments[0] > 0.0
        assert moments[2] <= moments[0] + moments[1] + 1e-12, part.name


def test_hulls_are_closed_and_convex():
    for part in robot_model("panda").parts:
        for vertices, triangles in part.hulls:
            a, b, c = (vertices[triangles[:, k]] for k in range(3))
            normal = np.cross(b - a, c - a)
            assert np.abs(normal.sum(axis=0)).max() < 1e-9, "a closed surface has no net area"
            height = np.einsum("fx,fvx->fv", normal, vertices[None] - a[:, None])
            assert height.max() < 1e-3 * np.linalg.norm(normal, axis=1).max() * np.ptp(vertices)


@pytest.mark.parametrize("seed", range(6))
def test_inverse_undoes_forward(seed):
    model, random = robot_model("panda"), np.random.default_rng(seed)
    joints = HOME + random.uniform(-0.4, 0.4, 7)
    base = part_poses(model, np.zeros(9), np.eye(4))[0]
    target = tool_pose(model, joints, base)
    found = inverse(model, target, base=base, start=HOME)
    assert np.abs(tool_pose(model, found, base) - target).max() < 1e-3
    assert all(part.lower <= value <= part.upper for part, value in zip(model.arm, found, strict=True))


def test_the_published_tool_pose_at_zero():
    """Of the arm stretched out: 0.088 m ahead, 0.333 + 0.316 + 0.384 - 0.107 - 0.1034 m up (Denavit-Hartenberg)."""
    place = tool_pose(robot_model("panda"), np.zeros(7), np.eye(4))[:3, 3]
    assert place == pytest.approx([0.088, 0.0, 0.333 + 0.316 + 0.384 - 0.107 - 0.1034], abs=1e-6)


def test_out_of_reach_is_refused():
    target = np.eye(4)
    target[:3, 3] = (1.5, 0.0, 0.3)
    with pytest.raises(SpecError, match=r"does not reach \(1.500, 0.000, 0.300\) m.*move the target or the base"):
        inverse(robot_model("panda"), target, base=np.eye(4), start=HOME)


def test_an_unknown_robot_is_refused():
    with pytest.raises(SpecError, match="'r2d2' is unknown; allowed are \\['panda'\\]"):
        robot_model("r2d2")
