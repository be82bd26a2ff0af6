"""What a soft body's mesh means for heat: which nodes conduct to which."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from simfactory.simulators.newton.bodies.soft_body import SoftMesh, soft_mesh
from simfactory.spec import BodySoft
from simfactory.tetrahedra import TetMesh

__all__ = ["HeatMesh", "heat_mesh", "heat_rate"]

PAIRS = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]  # edges of a tetrahedron

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatMesh:
    """Conduction in a mesh at rest.

    Attributes:
        start: `(node + 1,)` where each node's neighbours begin in the lists below.
        other: `(entry,)` neighbouring node.
        coupling: `(entry,)` heat flow over conductivity and temperature difference [m]; the same both ways.
    """

    start: Index
    other: Index
    coupling: Array


def heat_mesh(body: BodySoft) -> HeatMesh:
    """Return the mesh of a body for heat.

    Raises:
        AssetError: A user mesh is missing or unreadable, or a shape cannot be filled at this resolution.
    """
    return _heat_mesh(_Key(mesh=soft_mesh(body)))


@dataclass(frozen=True, eq=False, slots=True)
class _Key:
    """A mesh as a key: the same mesh is the same object."""

    mesh: SoftMesh

    def __hash__(self) -> int:
        return id(self.mesh)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.mesh is other.mesh


@lru_cache(maxsize=128)
def _heat_mesh(key: _Key) -> HeatMesh:
    tets = key.mesh.tets
    count = len(tets.vertices)
    first, second, coupling = _couplings(tets)
    order = np.lexsort((np.concatenate([second, first]), np.concatenate([first, second])))
    owner, other = np.concatenate([first, second])[order], np.concatenate([second, first])[order]
    return HeatMesh(
        start=np.searchsorted(owner, np.arange(count + 1)),
        other=other,
        coupling=np.concatenate([coupling, coupling])[order],
    )


def _couplings(mesh: TetMesh) -> tuple[Index, Index, Array]:
    """Return the edges of a mesh as two nodes each, and the coupling of each [m]: -Σ V gᵢ·gⱼ over its tetrahedra.

    Source: O. C. Zienkiewicz, R. L. Taylor, "The Finite Element Method" (2000), vol. 1: linear tetrahedra.
    """
    tets = mesh.tets.astype(np.int64)
    corners = mesh.vertices[tets]
    inverse: Array = np.linalg.inv(np.swapaxes(corners[:, 1:] - corners[:, :1], 1, 2)).astype(np.float64)
    gradients = np.concatenate([-inverse.sum(axis=1, keepdims=True), inverse], axis=1)
    ends = np.sort(tets[:, PAIRS].reshape(-1, 2), axis=1)
    products = np.stack([np.einsum("tx,tx->t", gradients[:, i], gradients[:, j]) for i, j in PAIRS], axis=-1)
    each = (-mesh.volumes()[:, None] * products).ravel()
    edges, index = np.unique(ends, axis=0, return_inverse=True)
    return edges[:, 0], edges[:, 1], np.asarray(np.bincount(index.ravel(), weights=each, minlength=len(edges)))


def heat_rate(body: BodySoft) -> float:
    """Return the fastest rate [1/s] at which a node can lose its heat to its neighbours; 0 without heat."""
    if body.heat is None:
        return 0.0
    mesh, volume = heat_mesh(body), soft_mesh(body).node_volume
    owner = np.repeat(np.arange(len(volume)), np.diff(mesh.start))
    leaving = np.bincount(owner, weights=np.abs(mesh.coupling), minlength=len(volume))
    capacity = body.physical.density * body.heat.heat_capacity
    return float((body.heat.conductivity * leaving / (capacity * volume)).max())
