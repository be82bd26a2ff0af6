"""A torus: its mesh, and the convex parts that it collides as."""

import numpy as np
import pytest

from simfactory.assets.convex import is_convex
from simfactory.collision import geometry_parts
from simfactory.meshes import geometry_mesh
from simfactory.simulators.newton.shapes import solid_inertia
from simfactory.spec import Torus
from simfactory.testing.specs import make_body

RING = Torus(radius=0.15, tube=0.025)


def test_the_mesh_encloses_what_a_torus_encloses_up_to_its_facets():
    # Source: Pappus; 16 sides and 36 sections lose sin(2π/16)/(2π/16) and cos(π/36) of it.
    expected = 2.0 * np.pi**2 * RING.radius * RING.tube**2
    facets = np.sin(np.pi / 8) / (np.pi / 8) * np.sin(np.pi / 18) / (np.pi / 18)
    assert geometry_mesh(RING).volume() == pytest.approx(expected * facets, rel=1e-3)


def test_its_parts_are_convex_and_fill_the_mesh_exactly():
    parts = geometry_parts(RING)
    assert all(is_convex(part.vertices, part.triangles) for part in parts)
    assert sum(part.volume() for part in parts) == pytest.approx(geometry_mesh(RING).volume(), rel=1e-12)


def test_its_moments_of_inertia_are_those_of_a_torus():
    solid = solid_inertia(make_body("ring", RING))
    # Source: about the axis m (R² + 3/4 r²), about a diameter m (R²/2 + 5/8 r²); facets bring it 1 % nearer.
    across = RING.radius**2 / 2 + 5 / 8 * RING.tube**2
    along = RING.radius**2 + 3 / 4 * RING.tube**2
    assert np.diag(solid.inertia) / solid.mass == pytest.approx([across, across, along], rel=0.015)


def test_a_tube_as_thick_as_the_ring_is_refused():
    with pytest.raises(ValueError, match=r"tube is 0\.2 m; allowed is less than the radius 0\.15 m"):
        Torus(radius=0.15, tube=0.2)
