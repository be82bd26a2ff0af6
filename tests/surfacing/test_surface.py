"""Surfaces of liquids: closed, as large as what they hold, carried by particles."""

import numpy as np
import pytest

from simfactory.surfacing import liquid_surface

SPACING = 0.02


def block(counts=(12, 10, 8)):
    """Particles of a block, and its volume."""
    lattice = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) * SPACING for n in counts], indexing="ij"), axis=-1)
    places = lattice.reshape(-1, 3)
    noise = np.random.default_rng(0).random(places.shape) - 0.5
    return (places + 0.2 * SPACING * noise).astype(np.float32), float(np.prod(counts)) * SPACING**3


def volume(surface):
    a, b, c = (surface.vertices[surface.triangles[:, k]].astype(np.float64) for k in range(3))
    return float(np.einsum("ni,ni->", a, np.cross(b, c))) / 6.0


def test_a_surface_holds_the_volume_of_its_particles():
    places, expected = block((24, 24, 16))  # edges are rounded over a spacing: of a small block that is much
    assert volume(liquid_surface(places, spacing=SPACING)) == pytest.approx(expected, rel=0.05)


def test_a_surface_is_closed_also_across_blocks_of_nodes_and_about_single_drops():
    places, _ = block()
    places = np.concatenate([places - 0.1, [[1.0, 1.0, 1.0], [-3.0, 2.0, 0.5]]]).astype(np.float32)
    triangles = liquid_surface(places, spacing=SPACING).triangles
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    forward, backward = {tuple(edge) for edge in edges}, {tuple(edge[::-1]) for edge in edges}
    assert len(forward) == len(edges)
    assert forward == backward


def test_a_level_surface_is_half_a_spacing_above_its_uppermost_particles():
    places, _ = block((24, 24, 6))
    vertices = liquid_surface(places, spacing=SPACING).vertices
    inner = (np.abs(vertices[:, :2] - 12 * SPACING) < 8 * SPACING).all(axis=1) & (vertices[:, 2] > 3 * SPACING)
    assert np.abs(vertices[inner, 2] - 6 * SPACING).max() < 0.3 * SPACING


def test_vertices_go_where_their_particles_go():
    places, _ = block()
    surface = liquid_surface(places, spacing=SPACING)
    np.testing.assert_allclose(surface.weights.sum(axis=1), 1.0, atol=1e-5)
    shift = np.float32([0.01, -0.02, 0.03])
    np.testing.assert_allclose(surface.carried(places, places + shift), surface.vertices + shift, atol=1e-6)


def test_the_order_of_particles_does_not_move_the_surface():
    places, _ = block((8, 6, 5))
    first, second = (liquid_surface(p, spacing=SPACING) for p in (places, places[::-1]))
    np.testing.assert_array_equal(first.triangles, second.triangles)
    np.testing.assert_allclose(first.vertices, second.vertices, atol=1e-6)
