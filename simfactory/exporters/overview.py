"""A PNG of one instant: colour, depth, flow, and the clip's 4D points seen from another place."""

from pathlib import Path
from typing import final

import numpy as np
import numpy.typing as npt

from simfactory.dataset import Clip
from simfactory.errors import StoreError
from simfactory.exporters.base import Exporter
from simfactory.exporters.painting import Image, painters, save_bytes
from simfactory.transforms import invert_pose, look_at, pixel_centers, project, transform_points, unproject

__all__ = ["EXPORTER", "paint_points", "side_view"]

_PANELS = ("rgb", "depth", "flow_forward")
_NEEDED = (*_PANELS, "points", "camera")
_GAP = 6
_DOT = 2  # px
_TURN, _LIFT = 0.45, 1.35  # the points are seen from this angle [rad] to the side, this much higher
_MOMENTS = 8  # instants whose moving points are shown, coloured from violet (first) to yellow (last)

Points = npt.NDArray[np.float64]


@final
class _Overview(Exporter):
    suffix = ".png"

    def export(self, clip: Clip, path: Path) -> Path:
        import cv2

        absent = [name for name in _NEEDED if name not in clip.modalities]
        if absent:
            raise StoreError(f"clip {clip.id} lacks {', '.join(absent)}; generate it with these modalities")
        frame = clip.frame_count // 2
        painted = painters(clip, [frame])
        panels = [painted[name](clip.window(frame, 1, modalities=[name])[name][0]) for name in _PANELS]
        panels.append(_points_panel(clip, frame))
        gap = np.full((clip.height, _GAP, 3), 255, np.uint8)
        row = np.concatenate([part for panel in panels for part in (panel, gap)][:-1], axis=1)
        done, data = cv2.imencode(self.suffix, row[..., ::-1])
        if not done:
            raise StoreError(f"{path}: OpenCV could not encode a PNG of {row.shape[1]} x {row.shape[0]} pixels")
        save_bytes(path, data.tobytes())
        return path


def _points_panel(clip: Clip, frame: int) -> Image:
    """Paint the visible surface at one frame, and the moving points of several, from a raised side view."""
    window = clip.window(frame, 1, modalities=["rgb", "depth", "instance", "camera"])
    intrinsics = window["camera/K"][0].astype(np.float64)
    pose = window["camera/camera_to_world"][0].astype(np.float64)
    depth = window["depth"][0].astype(np.float64)
    hit = np.isfinite(depth)
    pixels = pixel_centers(clip.height, clip.width)[hit]
    surface = transform_points(pose, unproject(pixels, depth[hit], intrinsics))
    moving, moments = _moving_points(clip)
    view = side_view(pose, np.median(moving if len(moving) else surface, axis=0))
    return paint_points(
        surface,
        window["rgb"][0][hit],
        moving,
        moments,
        view=view,
        intrinsics=intrinsics,
        size=(clip.height, clip.width),
    )


def paint_points(
    surface: Points,
    colors: Image,
    moving: Points,
    moments: npt.NDArray[np.float64],
    *,
    view: Points,
    intrinsics: Points,
    size: tuple[int, int],
) -> Image:
    """Paint a surface, dimmed, and over it what moves, from violet (first) to yellow (last).

    Args:
        surface: `(point, 3)` [m], world.
        colors: `(point, 3)` uint8, sRGB, of the surface.
        moving: `(point, 3)` [m], world.
        moments: `(point,)` when each was, 0–1.
        view: World to camera `(4, 4)`, e.g. a `side_view`.
        intrinsics: K `(3, 3)` [px].
        size: Rows and columns [px].
    """
    picture = np.full((*size, 3), 24, np.uint8)
    _splat(picture, transform_points(view, surface), (0.55 * colors).astype(np.uint8), intrinsics)
    _splat(picture, transform_points(view, moving), _moment_colors(moments), intrinsics)
    return picture


def _moving_points(clip: Clip) -> tuple[Points, npt.NDArray[np.float64]]:
    """Return moving points `(point, 3)` [m] of evenly spaced frames and when each was, 0–1."""
    frames = sorted({round(k * (clip.frame_count - 1) / _MOMENTS) for k in range(_MOMENTS + 1)})
    rows = [clip.window(frame, 1, modalities=["points/position"])["points/position"][:, :3] for frame in frames]
    when = [np.full(len(row), frame / max(clip.frame_count - 1, 1)) for row, frame in zip(rows, frames, strict=True)]
    return np.concatenate(rows).astype(np.float64), np.concatenate(when)


def side_view(camera_to_world: Points, center: Points) -> Points:
    """Return world to camera `(4, 4)` of one that looks at the same things from the side and from higher up."""
    offset = camera_to_world[:3, 3] - center
    cos, sin = np.cos(_TURN), np.sin(_TURN)
    x, y, z = offset
    position = center + np.array([cos * x - sin * y, sin * x + cos * y, _LIFT * z])
    return np.asarray(invert_pose(look_at(position, center)), np.float64)


def _moment_colors(moments: npt.NDArray[np.float64]) -> Image:
    import cv2

    level = (moments * 255).astype(np.uint8)[:, None]
    return np.asarray(cv2.applyColorMap(level, cv2.COLORMAP_PLASMA)[:, 0, ::-1], np.uint8).reshape(-1, 3)


def _splat(picture: Image, points_camera: Points, colors: Image, intrinsics: Points) -> None:
    """Paint points as small squares, far ones first."""
    ahead = points_camera[:, 2] > 0.05
    order = np.argsort(-points_camera[ahead, 2])
    pixels = np.floor(project(points_camera[ahead][order], intrinsics)).astype(np.int64)
    painted = colors[ahead][order]
    height, width = picture.shape[:2]
    for dv in range(_DOT):
        for du in range(_DOT):
            u, v = pixels[:, 0] + du, pixels[:, 1] + dv
            inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
            picture[v[inside], u[inside]] = painted[inside]


EXPORTER = _Overview()
