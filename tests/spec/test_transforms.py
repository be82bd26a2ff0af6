"""Transforms: rotations compose, poses invert, projection and unprojection undo each other."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simfactory.rng import stream
from simfactory.transforms import (
    invert_pose,
    look_at,
    pixel_centers,
    pose_matrix,
    project,
    quat_from_axis_angle,
    quat_multiply,
    quat_rotate,
    quat_to_matrix,
    transform_points,
    unproject,
)

SEEDS = st.integers(0, 2**62)
COORDINATES = st.tuples(*[st.floats(-20.0, 20.0)] * 3)


def rotation(seed, name="q"):
    return np.array(stream(seed, name).quat_xyzw())


@given(SEEDS)
def test_rotation_matrices_are_orthonormal_and_right_handed(seed):
    matrix = quat_to_matrix(rotation(seed))
    assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)


@given(SEEDS, COORDINATES)
def test_a_product_of_rotations_rotates_by_the_second_factor_first(seed, vector):
    a, b = rotation(seed, "a"), rotation(seed, "b")
    once = quat_rotate(quat_multiply(a, b), vector)
    assert once == pytest.approx(quat_rotate(a, quat_rotate(b, vector)), abs=1e-9)


@given(st.floats(-7.0, 7.0))
def test_rotation_about_the_vertical_turns_x_towards_y(angle):
    turned = quat_rotate(quat_from_axis_angle((0.0, 0.0, 2.0), angle), (1.0, 0.0, 0.0))
    assert turned == pytest.approx([math.cos(angle), math.sin(angle), 0.0], abs=1e-12)


def test_a_zero_axis_gives_no_rotation():
    assert quat_from_axis_angle((0.0, 0.0, 0.0), 1.0)[:3] == pytest.approx(np.zeros(3))


@given(SEEDS, COORDINATES, COORDINATES)
def test_a_pose_and_its_inverse_undo_each_other(seed, position, point):
    matrix = pose_matrix(position, rotation(seed))
    there = transform_points(matrix, point)
    assert transform_points(invert_pose(matrix), there) == pytest.approx(np.array(point), abs=1e-9)


def test_poses_of_many_times_invert_at_once():
    matrices = pose_matrix(np.arange(12.0).reshape(4, 3), np.array([rotation(k) for k in range(4)]))
    assert matrices @ invert_pose(matrices) == pytest.approx(np.broadcast_to(np.eye(4), (4, 4, 4)), abs=1e-12)


@given(COORDINATES, COORDINATES)
def test_a_camera_sees_its_target_straight_ahead_and_upright(position, target):
    position, target = np.array(position), np.array(target)
    assume(np.linalg.norm((target - position)[:2]) > 1e-3)
    matrix = look_at(position, target)
    seen = transform_points(invert_pose(matrix), target)
    assert seen == pytest.approx([0.0, 0.0, np.linalg.norm(target - position)], abs=1e-9)
    assert matrix[:3, :3].T @ matrix[:3, :3] == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1.0)
    assert matrix[2, 0] == pytest.approx(0.0, abs=1e-12)  # x is level
    assert matrix[2, 1] < 0.0  # y points down


def test_a_camera_may_look_straight_down():
    matrix = look_at((0.0, 0.0, 3.0), (0.0, 0.0, 0.0))
    assert matrix[:3, 2] == pytest.approx([0.0, 0.0, -1.0])
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1.0)


@given(st.tuples(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0), st.floats(0.1, 50.0)), st.floats(50.0, 2000.0))
def test_unprojection_undoes_projection(point, focal):
    intrinsics = np.array([[focal, 0.0, 160.0], [0.0, focal, 90.0], [0.0, 0.0, 1.0]])
    pixel = project(np.array(point), intrinsics)
    assert unproject(pixel, point[2], intrinsics) == pytest.approx(np.array(point), abs=1e-9)


def test_pixel_centres_lie_half_a_pixel_in():
    centers = pixel_centers(2, 3)
    assert centers.shape == (2, 3, 2)
    assert centers[0, 0] == pytest.approx([0.5, 0.5])
    assert centers[1, 2] == pytest.approx([2.5, 1.5])


def test_the_optical_axis_meets_the_middle_of_the_picture():
    intrinsics = np.array([[100.0, 0.0, 32.0], [0.0, 100.0, 24.0], [0.0, 0.0, 1.0]])
    assert project([0.0, 0.0, 5.0], intrinsics) == pytest.approx([32.0, 24.0])
