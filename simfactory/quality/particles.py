"""How many grains or particles of liquids are where none can be: in the floor, walls or solid bodies, or far away."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simfactory.episode import Surface, Trajectory
from simfactory.meshes import TriangleMesh
from simfactory.spec import BodyFluid, BodyGranular, BodyRigid, Box, Capsule, Cone, Cylinder, Prism, SceneSpec, Sphere
from simfactory.transforms import quat_to_matrix

__all__ = ["lost_grains"]

FAR = 6.0  # [m] from where the body began; a slide of that length takes 5 m/s on dry sand
SUNK = 0.6  # [grain radius] closest that a grain's centre may come to a surface: its solver holds it at 0.95
FRAME_LIMIT = 24  # frames looked at for grains inside bodies
LIQUID_RADIUS = 0.2  # [spacing] the solver keeps liquids 0.15 of the finest one's spacing from surfaces
CONVEX = Box | Sphere | Capsule | Cylinder | Cone | Prism

Array = npt.NDArray[np.float64]


def lost_grains(spec: SceneSpec, trajectory: Trajectory, surfaces: Sequence[Surface]) -> float:
    """Return the largest share of a body's grains that are lost at one frame [1].

    A grain is lost where its centre is in the floor or a wall, or inside a convex rigid body by more than both move in
    a solver step, or `FAR` from where its body began. What its solver put back onto the floor still counts.

    Args:
        spec: The scene.
        trajectory: All states.
        surfaces: Surfaces of the scene.
    """
    worst = 0.0
    finest = min((body.spacing for body in spec.bodies if isinstance(body, BodyFluid)), default=0.0)
    solids = [
        surface
        for surface in surfaces
        if surface.body is not None
        and isinstance(body := spec.bodies[surface.body], BodyRigid)
        and isinstance(body.geometry, CONVEX)
    ]
    for index, body in enumerate(spec.bodies):
        if not isinstance(body, BodyFluid | BodyGranular) or index not in trajectory.particles:
            continue
        places = trajectory.particles[index].astype(np.float64)
        lost = np.linalg.norm(places - np.asarray(body.position), axis=-1) > FAR
        radius = body.grain_radius if isinstance(body, BodyGranular) else LIQUID_RADIUS * finest
        lost |= _beyond(spec, places, SUNK * radius)
        frames = np.unique(np.linspace(0, trajectory.frame_count - 1, FRAME_LIMIT).round().astype(np.int64))
        speed = np.linalg.norm(trajectory.particle_velocities[index].astype(np.float64), axis=-1)
        for surface in solids:
            assert surface.body is not None
            pace = speed[frames] + np.linalg.norm(trajectory.linear_velocity[frames, surface.body], axis=-1)[:, None]
            slack = pace / (spec.fps * spec.substep_count) + (1.0 - SUNK) * radius
            lost[frames] |= _depth(surface.mesh, trajectory, surface.body, places, frames) > slack
        worst = max(worst, float(lost.mean(axis=1).max()))
    return worst


def _beyond(spec: SceneSpec, places: Array, margin: float) -> npt.NDArray[np.bool_]:
    """Return which centres `(time, grain)` are nearer to the floor or a wall than a margin [m], or beyond it."""
    out = np.zeros(places.shape[:2], np.bool_)
    if spec.ground is not None:
        out |= places[..., 2] < margin
    if spec.room is not None:
        half = 0.5 * np.asarray(spec.room.size[:2]) - margin
        out |= (np.abs(places[..., :2]) > half).any(axis=-1)
        if spec.room.ceiling:
            out |= places[..., 2] > spec.room.size[2] - margin
    return out


def _depth(
    mesh: TriangleMesh, trajectory: Trajectory, body: int, places: Array, frames: npt.NDArray[np.int64]
) -> Array:
    """Return how deep centres `(frame, grain)` are inside a convex body [m]; negative outside."""
    a, b, c = (mesh.vertices[mesh.triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    size = np.linalg.norm(normal, axis=1)
    normal = normal[size > 1e-12] / size[size > 1e-12, None]
    normal, kept = np.unique(normal.round(6), axis=0, return_index=True)
    reach = np.einsum("ni,ni->n", normal, a[size > 1e-12][kept])
    rotation = quat_to_matrix(trajectory.quat_xyzw[frames, body])
    radius = float(np.linalg.norm(mesh.vertices, axis=1).max())
    depth = np.full((len(frames), places.shape[1]), -np.inf)
    for row, frame in enumerate(frames):
        local = (places[frame] - trajectory.position[frame, body]) @ rotation[row]
        near = np.flatnonzero(np.linalg.norm(local, axis=1) < radius)
        if len(near):
            depth[row, near] = (reach - local[near] @ normal.T).min(axis=1)
    return depth
