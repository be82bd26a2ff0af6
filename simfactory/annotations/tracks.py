"""Tracks: material points followed through the whole clip, also while they are hidden."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simfactory.annotations.base import Annotation, Arrays, ClipContext, Keyframe
from simfactory.annotations.material_points import MaterialPoints
from simfactory.episode import SKY
from simfactory.pixels import SurfaceBuffer
from simfactory.signals import Signal
from simfactory.transforms import invert_pose, project, transform_points

__all__ = ["ANNOTATION"]

_SAME_DEPTH = 0.02  # relative: a point this close to an earlier frame's depth was seen there already

_FRAMES = 16  # whose positions are computed at a time

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seeds:
    """Material points picked from frames: `(point,)` ids, triangles and frames, `(point, 3)` weights."""

    instance: npt.NDArray[np.uint16]
    triangle: npt.NDArray[np.int32]
    bary: Float32
    frame: npt.NDArray[np.int32]

    def chosen(self, which: Bool) -> "_Seeds":
        return _Seeds(
            instance=self.instance[which],
            triangle=self.triangle[which],
            bary=self.bary[which],
            frame=self.frame[which],
        )

    @classmethod
    def joined(cls, parts: list["_Seeds"]) -> "_Seeds":
        return cls(
            instance=np.concatenate([part.instance for part in parts]),
            triangle=np.concatenate([part.triangle for part in parts]),
            bary=np.concatenate([part.bary for part in parts]),
            frame=np.concatenate([part.frame for part in parts]),
        )


def _clip(context: ClipContext) -> Arrays:
    points = MaterialPoints(context.surfaces, context.trajectory)
    seeds = _seeds(context, points)
    world = _positions(points, seeds, context.trajectory.frame_count)
    return {
        "tracks/position": world,
        "tracks/visible": np.ascontiguousarray(context.visible(world.transpose(2, 1, 0), seeds.instance).T),
        "tracks/instance": seeds.instance,
        "tracks/frame": seeds.frame,
        "tracks/triangle": seeds.triangle,
        "tracks/bary": seeds.bary,
    }


def _positions(points: MaterialPoints, seeds: _Seeds, frame_count: int) -> Float32:
    """Return where the points are `(3, point, time)` [m], some frames at a time: float64 of all would not fit."""
    world = np.empty((3, len(seeds.frame), frame_count), np.float32)
    for begin in range(0, frame_count, _FRAMES):
        frames = range(begin, min(begin + _FRAMES, frame_count))
        some = points.positions(seeds.instance, seeds.triangle, seeds.bary, born=seeds.frame, frames=frames)
        world[:, :, begin : frames.stop] = some.transpose(2, 1, 0)
    return world


def _seeds(context: ClipContext, points: MaterialPoints) -> _Seeds:
    """Pick a grid of points on frame 0, and on later keyframes those that no earlier keyframe saw."""
    parts: list[_Seeds] = []
    earlier: list[int] = []
    for frame in sorted(context.keyframes):
        seeds = _grid(context.keyframes[frame].grid, frame)
        for before in earlier:
            seeds = seeds.chosen(~_seen(context, context.keyframes[before], points, seeds, before))
        parts.append(seeds)
        earlier.append(frame)
    return _Seeds.joined(parts)


def _grid(surface: SurfaceBuffer, frame: int) -> _Seeds:
    hit = surface.instance != SKY
    bary = surface.bary[hit]
    return _Seeds(
        instance=surface.instance[hit],
        triangle=surface.triangle[hit],
        bary=np.concatenate([bary, 1.0 - bary.sum(axis=-1, keepdims=True)], axis=-1),
        frame=np.full(int(hit.sum()), frame, np.int32),
    )


def _seen(context: ClipContext, earlier: Keyframe, points: MaterialPoints, seeds: _Seeds, frame: int) -> Bool:
    """Return which points an earlier keyframe shows: its pixel has the same id at about the same depth.

    Only decides where tracks begin, so the nearest pixel is precise enough.
    """
    height, width = earlier.depth.shape
    world = points.positions(seeds.instance, seeds.triangle, seeds.bary, born=seeds.frame, frames=[frame])[0]
    camera = transform_points(invert_pose(context.camera_to_world[frame]), world)
    raster = project(camera, context.intrinsics)
    inside = (camera[:, 2] > 0.0) & (raster >= 0.0).all(axis=-1) & (raster < (width, height)).all(axis=-1)
    columns, rows = np.where(inside[:, None], raster, 0.0).astype(np.int64).T
    near = np.abs(earlier.depth[rows, columns] - camera[:, 2]) < _SAME_DEPTH * camera[:, 2]
    return np.asarray(inside & near & (earlier.instance[rows, columns] == seeds.instance))


def _signal(name: str, dims: tuple[str, ...], dtype: str, unit: str, description: str) -> Signal:
    return Signal(name=f"tracks/{name}", dims=dims, dtype=dtype, unit=unit, description=description)


ANNOTATION = Annotation(
    name="tracks",
    signals=(
        _signal("position", ("xyz", "point", "time"), "float32", "m", "Position at every frame, world frame."),
        _signal(
            "visible",
            ("point", "time"),
            "bool",
            "1",
            "Whether this clip's camera sees the point: in front, inside the frame, not hidden.",
        ),
        _signal("instance", ("point",), "uint16", "id", "Instance id of the surface that carries the point."),
        _signal("frame", ("point",), "int32", "1", "Frame on which the point was picked, at a pixel's centre."),
        _signal(
            "triangle",
            ("point",),
            "int32",
            "1",
            "Index of the surface's triangle that carries the point; of a liquid: among those at `tracks/frame`.",
        ),
        _signal("bary", ("point", "vertex"), "float32", "1", "Barycentric weights of the triangle's three vertices."),
    ),
    clip=_clip,
)
