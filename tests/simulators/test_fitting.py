"""Poses of bodies that are made of nodes, also of those that have flown apart."""

import numpy as np
import pytest

from simfactory.simulators.newton.fitting import NodeBody, fitted_pose, loose_pose


@pytest.fixture
def body():
    rest = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]])
    return NodeBody(rest=rest, mass=np.ones(4), held=np.zeros(4, bool), surface=None)


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_a_body_that_flew_apart_is_nowhere(body, lost):
    nodes = body.rest.copy()
    nodes[2, 1] = lost
    for pose in (fitted_pose(body, nodes, 0.0 * body.rest), loose_pose(body, nodes, 0.0 * body.rest, np.eye(4)[3])):
        for values in (pose.position, pose.quat_xyzw, pose.linear_velocity, pose.angular_velocity):
            assert np.isnan(values).all()


def test_a_body_at_rest_has_its_own_pose(body):
    pose = fitted_pose(body, body.rest + 1.0, 0.0 * body.rest)
    assert pose.position == pytest.approx([1.0, 1.0, 1.0])
    assert pose.quat_xyzw == pytest.approx([0.0, 0.0, 0.0, 1.0])
