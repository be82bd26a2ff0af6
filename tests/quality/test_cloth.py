"""The gate lets cloth fold, but neither tear apart nor pass through itself."""

import numpy as np
import pytest

from simfactory.quality.cloth import crossing_share, edge_strain
from simfactory.spec import Rectangle
from simfactory.tailoring import cut

SHEET = cut(Rectangle(size=(1.0, 1.0)), 10)


def folded(height):
    """The half x > 0 turned over, at a height above the other half."""
    vertices = SHEET.vertices.copy()
    over = vertices[:, 0] > 0.1
    vertices[over, 0] = 0.213 - vertices[over, 0]
    vertices[over, 1:] += (0.017, height)  # no node is exactly above another
    return vertices[None].astype(np.float32)


def test_a_fold_is_no_crossing():
    assert crossing_share(SHEET.triangles, folded(0.01)) == 0.0


def test_a_part_that_went_through_is_found():
    vertices = folded(0.01)
    low = (vertices[0, :, 2] > 0.0) & (vertices[0, :, 0] < -0.1)
    vertices[0, low, 2] = -0.01
    assert crossing_share(SHEET.triangles, vertices) > 0.02


def test_strain_is_that_of_all_but_a_hundredth_of_the_edges():
    stretched = np.stack([SHEET.vertices, SHEET.vertices * np.array([1.2, 1.2, 1.0])]).astype(np.float32)
    assert edge_strain(SHEET.vertices, SHEET.triangles, stretched) == pytest.approx(0.2, rel=1e-4)
    pulled = SHEET.vertices[None].astype(np.float32)
    pulled[0, 0] -= 0.5
    assert edge_strain(SHEET.vertices, SHEET.triangles, pulled) < 1e-4
