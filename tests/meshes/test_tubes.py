"""Tubes: closed, round, outward, and carried along by their line alone."""

import numpy as np
import pytest

from simfactory.cords import centre_line, first_director, tube_line, tube_vertices
from simfactory.meshes import body_mesh
from simfactory.testing.specs import make_rope
from simfactory.transforms import quat_from_axis_angle, quat_rotate

CURVE = ((0.0, 0.0, 0.0), (0.3, 0.15, 0.0), (0.6, 0.0, 0.15), (0.9, -0.1, 0.0))


def test_a_tube_is_closed_and_faces_outwards():
    mesh = body_mesh(make_rope(points=CURVE, radius=0.02))
    edges = np.concatenate([mesh.triangles[:, [0, 1]], mesh.triangles[:, [1, 2]], mesh.triangles[:, [2, 0]]])
    directed = {tuple(edge) for edge in edges.tolist()}
    assert len(directed) == len(edges)
    assert all((b, a) in directed for a, b in directed)
    corners = mesh.vertices[mesh.triangles]
    assert np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).min() > 0.0


def test_a_straight_tube_has_the_volume_of_its_capsule():
    """A section of twelve sides has 95.5 % of the circle's area."""
    mesh = body_mesh(make_rope(radius=0.02))
    area = 6.0 * np.sin(np.pi / 6.0) * 0.02**2
    ball = 4.0 / 3.0 * np.pi * 0.02**3
    assert area * 1.0 < mesh.volume() < area * 1.0 + ball


def test_ring_vertices_are_a_radius_from_their_node_and_their_middle_is_the_node():
    rope = make_rope(points=CURVE, radius=0.02)
    nodes = centre_line(rope)
    vertices = body_mesh(rope).vertices
    assert tube_line(vertices) == pytest.approx(nodes, abs=1e-12)
    nearest = np.linalg.norm(vertices[:, None] - nodes[None], axis=-1).min(axis=1)
    assert nearest.max() <= 0.02 + 1e-12


def test_the_surface_moves_rigidly_with_a_line_that_does():
    nodes = centre_line(make_rope(points=CURVE, radius=0.02))
    director = first_director(nodes)
    turn = quat_from_axis_angle((0.3, -0.5, 0.8), 2.2)
    still = tube_vertices(nodes, director, 0.02)
    moved = tube_vertices(quat_rotate(turn, nodes) + 1.0, quat_rotate(turn, director), 0.02)
    assert moved == pytest.approx(quat_rotate(turn, still) + 1.0, abs=1e-12)


def test_bending_a_tube_does_not_twist_it():
    """Bent in its plane by a right angle, the first side stays in or across that plane."""
    angles = np.linspace(0.0, np.pi / 2, 30)
    bent = np.stack([np.sin(angles), np.zeros_like(angles), np.cos(angles)], axis=-1)
    vertices = tube_vertices(bent, np.array([0.0, 1.0, 0.0]), 0.02)
    first_sides = vertices[1 + 2 * 12 : -1 - 2 * 12].reshape(-1, 12, 3)[:, 0]
    assert first_sides - bent == pytest.approx(np.tile([0.0, 0.02, 0.0], (30, 1)), abs=1e-9)
