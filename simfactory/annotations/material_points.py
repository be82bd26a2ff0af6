"""Material points: where points fixed to surfaces are at any frame, rigid and deforming bodies alike."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simfactory.episode import Surface, Trajectory
from simfactory.surfacing import liquid_surface
from simfactory.transforms import quat_to_matrix

__all__ = ["MaterialPoints"]

_KEPT_FRAMES = 4  # callers that go frame by frame look one back and one ahead

Float = npt.NDArray[np.floating]
Float64 = npt.NDArray[np.float64]
Integer = npt.NDArray[np.integer]


class MaterialPoints:
    """Follows points that are given by instance, triangle and barycentric weights; computes in float64.

    Args:
        surfaces: Surfaces of the scene.
        trajectory: States of all bodies.
    """

    def __init__(self, surfaces: Sequence[Surface], trajectory: Trajectory) -> None:
        self._trajectory = trajectory
        id_count = 1 + max((surface.instance for surface in surfaces), default=0)
        self._first = np.zeros(id_count, np.int64)  # row of a surface's first triangle
        self._body = np.full(id_count, -1, np.int64)  # rigid body that carries it; -1 = fixed
        self._deforming: dict[int, Surface] = {}
        self._liquid: dict[int, Surface] = {}
        self._rotations: dict[int, Float64] = {}
        vertices: list[Float64] = [np.zeros((0, 3))]
        triangles: list[npt.NDArray[np.int64]] = [np.zeros((0, 3), np.int64)]
        vertex_count = triangle_count = 0
        for surface in surfaces:
            self._first[surface.instance] = triangle_count
            if surface.liquid:
                self._liquid[surface.instance] = surface
                continue
            if surface.deforming:
                self._deforming[surface.instance] = surface
            elif surface.body is not None:
                self._body[surface.instance] = surface.body
            triangles.append(surface.mesh.triangles.astype(np.int64) + vertex_count)
            vertices.append(surface.mesh.vertices)
            vertex_count += len(surface.mesh.vertices)
            triangle_count += len(surface.mesh.triangles)
        self._vertices, self._triangles = np.concatenate(vertices), np.concatenate(triangles)

    def positions(
        self,
        instance: Integer,
        triangle: Integer,
        weights: Float,
        *,
        born: Integer | int = 0,
        frames: Sequence[int] | range | None = None,
    ) -> Float64:
        """Return world positions `(time, point, 3)` [m] of material points.

        Args:
            instance: `(point,)` instance ids of surfaces.
            triangle: `(point,)` triangle indices within each surface.
            weights: `(point, 3)` barycentric weights of the triangles' vertices; they sum to 1.
            born: Frame, of each point or of all, at which triangles of liquids are counted: they are others at every
                frame.
            frames: Frames wanted; None = all.
        """
        frames = range(self._trajectory.frame_count) if frames is None else frames
        fixed = ~np.isin(instance, list(self._liquid))
        corners = self._triangles[np.where(fixed, self._first[instance] + triangle, 0)]
        local = np.einsum("pk,pkx->px", weights.astype(np.float64), self._vertices[corners])
        body = self._body[instance]
        carried = np.flatnonzero(body >= 0)
        body, carried_local = body[carried], local[carried]
        world = np.repeat(local[None], len(frames), axis=0)
        for row, frame in enumerate(frames):
            if len(carried):
                world[row, carried] = np.matmul(self._rotation(frame)[body], carried_local[:, :, None])[..., 0]
                world[row, carried] += self._trajectory.position[frame].astype(np.float64)[body]
        for surface_id, surface in self._deforming.items():
            chosen = np.flatnonzero(instance == surface_id)
            if len(chosen) and surface.body is not None:
                corner = surface.mesh.triangles[triangle[chosen]]
                moving = self._trajectory.vertices[surface.body][list(frames)][:, corner].astype(np.float64)
                world[:, chosen] = np.einsum("pk,tpkx->tpx", weights[chosen].astype(np.float64), moving)
        born = np.broadcast_to(np.asarray(born), instance.shape)
        for surface_id, surface in self._liquid.items():
            for frame in np.unique(born[instance == surface_id]):
                chosen = np.flatnonzero((instance == surface_id) & (born == frame))
                world[:, chosen] = self._carried(surface, int(frame), triangle[chosen], weights[chosen], frames)
        return world

    def _carried(
        self, surface: Surface, born: int, triangle: Integer, weights: Float, frames: Sequence[int] | range
    ) -> Float64:
        """Return where points `(time, point, 3)` of a liquid's triangles at one frame are at others."""
        assert surface.body is not None
        particles = self._trajectory.particles[surface.body]
        made = liquid_surface(particles[born], spacing=surface.spacing)
        corner = made.triangles[triangle]
        start = np.einsum("pk,pkx->px", weights.astype(np.float64), made.vertices[corner].astype(np.float64))
        rows = made.particles[corner]  # (point, corner, carrier)
        shares = made.weights[corner].astype(np.float64) * weights.astype(np.float64)[:, :, None]
        before = particles[born].astype(np.float64)[rows]
        result = np.empty((len(frames), *start.shape))
        for row, frame in enumerate(frames):
            way = particles[frame].astype(np.float64)[rows] - before
            result[row] = start + np.einsum("pkc,pkcx->px", shares, way)
        return result

    def _rotation(self, frame: int) -> Float64:
        """Return body-to-world rotations `(body, 3, 3)` at a frame; those of the last few frames are kept."""
        if frame not in self._rotations:
            if len(self._rotations) >= _KEPT_FRAMES:
                self._rotations.pop(next(iter(self._rotations)))
            self._rotations[frame] = quat_to_matrix(self._trajectory.quat_xyzw[frame])
        return self._rotations[frame]
