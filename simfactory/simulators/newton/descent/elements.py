"""The soft bodies of a model as samples of strain on the device."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.simulators.newton.descent.samples import Samples

__all__ = ["Elements", "Solid", "build_elements"]

GUARD_CHANGE = 0.5  # of its volume: beyond it a tetrahedron resists on its own
GUARD_FACTOR = 4.0  # times the material's moduli


@dataclass(frozen=True, kw_only=True, slots=True)
class Solid:
    """A soft body in a model.

    Attributes:
        first: Row of its first node.
        node_count: Number of its nodes.
        rank: Its place among the soft bodies of its environment.
        samples: Where its strain is sampled.
        colors: Its nodes, from 0; those of one colour share no sample.
        shear: First Lamé parameter μ [Pa].
        bulk: Second Lamé parameter λ [Pa].
        viscosity: η [Pa·s].
        friction: Coulomb coefficient [1].
        contact_stiffness: Of its contacts with rigid bodies [N/m].
    """

    first: int
    node_count: int
    rank: int
    samples: Samples
    colors: tuple[npt.NDArray[np.int64], ...]
    shear: float
    bulk: float
    viscosity: float
    friction: float
    contact_stiffness: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Elements:
    """Samples of all bodies: twice, by sample and by node. All but `bounds` are warp arrays.

    Attributes:
        start: `(sample + 1,)` where each sample's entries begin.
        nodes: `(entry,)` node of each entry.
        gradients: `(entry,)` vec3 gᵢ at rest [1/m].
        place: `(entry,)` where the same entry is among those by node.
        node_start: `(node + 1,)` where each node's entries begin.
        node_samples: `(entry,)` sample of each entry by node.
        node_gradients: `(entry,)` vec3 gᵢ at rest, by node [1/m].
        stiffness: `(sample,)` vec4: (μ, bulk factor, η) times the volume, and the change of volume that is free.
        bounds: `node_start` on the host. A body's entries are the same rows in both orders.
    """

    start: Any  # warp has no type information
    nodes: Any  # as above
    gradients: Any  # as above
    place: Any  # as above
    node_start: Any  # as above
    node_samples: Any  # as above
    node_gradients: Any  # as above
    stiffness: Any  # as above
    bounds: npt.NDArray[np.int64]


def build_elements(solids: Sequence[Solid], node_count: int, *, device: Any) -> Elements:  # Any: a warp Device
    """Send the samples of bodies, in the order of their nodes, to a device."""
    starts, nodes, gradients, factors = [np.zeros(1, np.int64)], [], [], []
    for solid in solids:
        samples = solid.samples
        starts.append(starts[-1][-1] + samples.start[1:])
        nodes.append(solid.first + samples.node)
        gradients.append(samples.gradient)
        table = np.array(  # by kind: (μ, bulk factor, η) and the change of volume that is free
            [
                (solid.shear, solid.shear, solid.viscosity, 0.0),
                (0.0, solid.bulk, 0.0, 0.0),
                (GUARD_FACTOR * solid.shear, GUARD_FACTOR * (solid.bulk + 2.0 * solid.shear), 0.0, GUARD_CHANGE),
            ]
        )
        factors.append(table[samples.kind] * np.append(np.ones(3), 0.0) * samples.volume[:, None])
        factors[-1][:, 3] = table[samples.kind, 3]
    start, node, gradient = np.concatenate(starts), np.concatenate(nodes), np.concatenate(gradients)
    order = np.argsort(node, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    bounds = np.searchsorted(node[order], np.arange(node_count + 1))

    def indices(values: npt.NDArray[np.int64]) -> Any:  # Any: warp has no type information
        return wp.array(values, dtype=wp.int32, device=device)

    return Elements(
        start=indices(start),
        nodes=indices(node),
        gradients=wp.array(gradient, dtype=wp.vec3, device=device),
        place=indices(place),
        node_start=indices(bounds),
        node_samples=indices(np.repeat(np.arange(len(start) - 1), np.diff(start))[order]),
        node_gradients=wp.array(gradient[order], dtype=wp.vec3, device=device),
        stiffness=wp.array(np.concatenate(factors), dtype=wp.vec4, device=device),
        bounds=bounds,
    )
