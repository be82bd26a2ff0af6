"""Whether a scene has room for its loose particles at t = 0: a floor below them, nothing else where they are."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simfactory.collision import may_split
from simfactory.errors import SpecError
from simfactory.grains import body_grains
from simfactory.liquids import liquid_particles
from simfactory.meshes import body_mesh
from simfactory.spec import BodyFluid, BodyGranular, BodyRigid, SceneSpec
from simfactory.transforms import quat_to_matrix

__all__ = ["check_room"]

DENSITIES = 0.25  # [1] most that liquids of a scene may differ in density
OVERLAP = 0.1  # [1] share of a liquid that may share cells with another one: they may touch
DEEP = 0.5  # [radius] how far a particle's centre may be nearer to a surface than its radius

Array = npt.NDArray[np.float64]


def check_room(spec: SceneSpec) -> None:
    """Refuse scenes whose particles begin where something else is; bodies that are not convex are not looked at.

    Raises:
        SpecError: There is no floor, particles begin in it, in a wall, in a rigid body or in another liquid, or liquids
            differ too much in density.
    """
    for body in spec.bodies:
        if not isinstance(body, BodyGranular | BodyFluid):
            continue
        if spec.ground is None:
            raise SpecError(
                f"there is no floor under {body.kind} body {body.name!r}, and it would fall for ever: give the scene a "
                "`ground`"
            )
        centers = _centers(body)
        gap = DEEP * (body.grain_radius if isinstance(body, BodyGranular) else 0.5 * body.spacing)
        _refuse(body, "the ground", centers[:, 2] < gap)
        if spec.room is not None:
            half = 0.5 * np.asarray(spec.room.size[:2])
            out = (np.abs(centers[:, :2]) > half - gap).any(axis=1)
            _refuse(body, "a wall of the room", out | (spec.room.ceiling & (centers[:, 2] > spec.room.size[2] - gap)))
        for other in spec.bodies:
            if isinstance(other, BodyRigid) and not may_split(other.geometry):
                _refuse(body, f"body {other.name!r}", _depth(other, centers) > -gap)
    _check_liquids([body for body in spec.bodies if isinstance(body, BodyFluid)])


def _centers(body: BodyGranular | BodyFluid) -> Array:
    """Return where the particles of a body begin `(particle, 3)`, world frame [m]."""
    own = body_grains(body).centers if isinstance(body, BodyGranular) else liquid_particles(body).centers
    return np.asarray(own @ quat_to_matrix(body.orientation).T + np.asarray(body.position))


def _check_liquids(liquids: Sequence[BodyFluid]) -> None:
    """Refuse liquids that begin in each other, or of densities that one solver cannot keep apart."""
    for index, body in enumerate(liquids):
        for other in liquids[:index]:
            low, high = sorted((body.physical.density, other.physical.density))
            if high > (1.0 + DENSITIES) * low:
                raise SpecError(
                    f"liquids {other.name!r} and {body.name!r} have densities of {other.physical.density:g} and "
                    f"{body.physical.density:g} kg/m³; allowed in one scene are those that differ by at most "
                    f"{DENSITIES:.0%}: take liquids that are closer, or put them into scenes of their own"
                )
            edge = max(body.spacing, other.spacing)
            cells = {tuple(cell) for cell in np.floor(_centers(other) / edge).astype(int).tolist()}
            inside = [tuple(cell) in cells for cell in np.floor(_centers(body) / edge).astype(int).tolist()]
            if np.mean(inside) > OVERLAP:
                _refuse(body, f"liquid {other.name!r}", np.array(inside))


def _refuse(body: BodyGranular | BodyFluid, place: str, inside: npt.NDArray[np.bool_]) -> None:
    if inside.any():
        raise SpecError(
            f"{int(inside.sum())} of {len(inside)} {'grains' if body.kind == 'granular' else 'particles'} of "
            f"{body.name!r} begin in {place}; allowed are none: move the region, or make it smaller"
        )


def _depth(body: BodyRigid, centers: Array) -> Array:
    """Return how deep points `(point, 3)` are inside a convex body [m]; negative outside."""
    mesh = body_mesh(body)
    local = (centers - np.asarray(body.position)) @ quat_to_matrix(body.orientation)
    depth = np.full(len(local), -np.inf)
    near = np.flatnonzero(np.linalg.norm(local, axis=1) < np.linalg.norm(mesh.vertices, axis=1).max())
    if len(near):
        a, b, c = (mesh.vertices[mesh.triangles[:, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        size = np.linalg.norm(normal, axis=1)
        normal, a = normal[size > 1e-12] / size[size > 1e-12, None], a[size > 1e-12]
        depth[near] = (np.einsum("ni,ni->n", normal, a) - local[near] @ normal.T).min(axis=1)
    return depth
