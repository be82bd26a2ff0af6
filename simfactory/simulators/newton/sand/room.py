"""Whether a scene has room for its grains at t = 0: a floor below them, nothing else where they are."""

import numpy as np
import numpy.typing as npt

from simfactory.collision import may_split
from simfactory.errors import SpecError
from simfactory.grains import body_grains
from simfactory.meshes import body_mesh
from simfactory.simulators.kinematics import start_orientation
from simfactory.spec import BodyGranular, BodyRigid, SceneSpec
from simfactory.transforms import quat_rotate, quat_to_matrix

__all__ = ["check_room"]

DEEP = 0.5  # [grain radius] how far a grain's centre may be nearer to a surface than its radius

Array = npt.NDArray[np.float64]


def check_room(spec: SceneSpec) -> None:
    """Refuse scenes whose grains begin where something else is; bodies that are not convex are not looked at.

    Raises:
        SpecError: There is no floor, or grains begin in it, in a wall or in a rigid body.
    """
    for body in spec.bodies:
        if not isinstance(body, BodyGranular):
            continue
        if spec.ground is None:
            raise SpecError(
                f"there is no floor under granular body {body.name!r}, and its grains would fall for ever: give the "
                "scene a `ground`"
            )
        centers = quat_rotate(start_orientation(body), body_grains(body).centers) + np.asarray(body.position)
        gap = DEEP * body.grain_radius
        _refuse(body, "the ground", centers[:, 2] < gap)
        if spec.room is not None:
            half = 0.5 * np.asarray(spec.room.size[:2])
            out = (np.abs(centers[:, :2]) > half - gap).any(axis=1)
            _refuse(body, "a wall of the room", out | (spec.room.ceiling & (centers[:, 2] > spec.room.size[2] - gap)))
        for other in spec.bodies:
            if isinstance(other, BodyRigid) and not may_split(other.geometry):
                _refuse(body, f"body {other.name!r}", _depth(other, centers) > -gap)


def _refuse(body: BodyGranular, place: str, inside: npt.NDArray[np.bool_]) -> None:
    if inside.any():
        raise SpecError(
            f"{int(inside.sum())} of {len(inside)} grains of {body.name!r} begin in {place}; allowed are none: move "
            "the region, or make it smaller"
        )


def _depth(body: BodyRigid, centers: Array) -> Array:
    """Return how deep points `(point, 3)` are inside a convex body [m]; negative outside."""
    mesh = body_mesh(body)
    local = (centers - np.asarray(body.position)) @ quat_to_matrix(start_orientation(body))
    depth = np.full(len(local), -np.inf)
    near = np.flatnonzero(np.linalg.norm(local, axis=1) < np.linalg.norm(mesh.vertices, axis=1).max())
    if len(near):
        a, b, c = (mesh.vertices[mesh.triangles[:, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        size = np.linalg.norm(normal, axis=1)
        normal, a = normal[size > 1e-12] / size[size > 1e-12, None], a[size > 1e-12]
        depth[near] = (np.einsum("ni,ni->n", normal, a) - local[near] @ normal.T).min(axis=1)
    return depth
