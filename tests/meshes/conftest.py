"""Surfaces made by trimesh."""

import numpy as np
import pytest
import trimesh

from simfactory.meshes import TriangleMesh


@pytest.fixture
def surface():
    """A function that turns a trimesh into our mesh."""

    def make(mesh: trimesh.Trimesh) -> TriangleMesh:
        return TriangleMesh(vertices=np.array(mesh.vertices, np.float64), triangles=np.array(mesh.faces, np.int32))

    return make
