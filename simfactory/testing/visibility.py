"""What cameras really see of the action: moving area, its share of the frame, and whether a camera is inside a body."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simfactory.cameras import camera_to_world
from simfactory.episode import FIRST_BODY, Surface, Trajectory, scene_surfaces
from simfactory.quality.action import frames_inside, moving_bodies
from simfactory.rendering import Renderer
from simfactory.spec import SceneSpec

__all__ = ["Sighting", "sightings"]

Array = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """What one camera sees of one episode.

    Attributes:
        camera: Name of the camera.
        rig: Name of its rig.
        area: Share of the pixels that show moving bodies, mean over the frames in which any moves [1]; nan where
            none does.
        least: The smallest such share [1].
        span: The longer side of the box around all moving pixels of all frames, over the image's shorter side [1].
        seen: Share of those frames with at least one moving pixel [1].
        inside: Whether the camera is inside a body at any frame of the episode.
    """

    camera: str
    rig: str
    area: float
    least: float
    span: float
    seen: float
    inside: bool


def sightings(spec: SceneSpec, trajectory: Trajectory, *, frames: Sequence[int]) -> tuple[Sighting, ...]:
    """Look at an episode of rigid bodies with all its cameras.

    Args:
        spec: The scene; all cameras have one resolution.
        trajectory: What happened.
        frames: Frames that are looked at; `inside` looks at all.
    """
    surfaces = scene_surfaces(spec)
    moving = moving_bodies(trajectory, surfaces)
    frames = [frame for frame in frames if moving[frame].any()]
    views = [image for _, image in _views(spec, trajectory, surfaces, moving, frames)]
    stack = np.stack(views) if views else np.zeros((0, len(spec.cameras), 1, 1), np.bool_)
    return tuple(
        _sighting(spec, tile, stack[:, tile], inside=frames_inside(spec, spec.cameras[tile], trajectory, surfaces) > 0)
        for tile in range(len(spec.cameras))
    )


def _sighting(spec: SceneSpec, tile: int, seen: Bool, *, inside: bool) -> Sighting:
    camera, shares = spec.cameras[tile], seen.mean(axis=(1, 2)) if len(seen) else np.array([np.nan])
    rows, columns = np.nonzero(seen.any(axis=0))
    span = max(np.ptp(rows), np.ptp(columns)) + 1 if rows.size else 0
    return Sighting(
        camera=camera.name,
        rig=camera.rig,
        area=float(shares.mean()),
        least=float(shares.min()),
        span=float(span) / min(camera.width, camera.height),
        seen=float((shares > 0.0).mean()),
        inside=inside,
    )


def _views(
    spec: SceneSpec, trajectory: Trajectory, surfaces: tuple[Surface, ...], moving: Bool, frames: Sequence[int]
) -> Iterator[tuple[int, Bool]]:
    """For each frame the pixels `(camera, height, width)` that show a moving body."""
    renderer = Renderer([(spec, surfaces)])
    poses = np.stack([camera_to_world(camera, trajectory.time) for camera in spec.cameras], axis=1)
    try:
        for frame in frames:
            placed = renderer.place([trajectory.state(frame)], slot=0)
            buffers = renderer.surface(placed, poses[frame], slot=0)
            instance = np.stack([buffers.tile(tile).instance for tile in range(len(spec.cameras))])
            table = np.zeros(FIRST_BODY + moving.shape[1], np.bool_)
            table[FIRST_BODY:] = moving[frame]
            yield frame, table[instance]
    finally:
        renderer.close()
