"""Where each camera is at each time, and its intrinsics."""

import math

import numpy as np
import numpy.typing as npt

from simfactory.spec import (
    CameraCrane,
    CameraDolly,
    CameraFirstPerson,
    CameraFixed,
    CameraOrbit,
    CameraPath,
    CameraSpec,
    CameraTracking,
)
from simfactory.transforms import look_at

__all__ = ["NEAR_PLANE", "camera_course", "camera_to_world", "intrinsics"]

NEAR_PLANE = 1.0e-4  # a point nearer to the camera plane than this has no image [m]

Array = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])


def intrinsics(camera: CameraSpec) -> Array:
    """Return the pinhole matrix K `(3, 3)` [px]; the principal point is the image centre."""
    focal = 0.5 * max(camera.width, camera.height) / math.tan(math.radians(camera.field_of_view) / 2.0)
    return np.array([[focal, 0.0, camera.width / 2], [0.0, focal, camera.height / 2], [0.0, 0.0, 1.0]])


def camera_to_world(camera: CameraSpec, times: npt.ArrayLike) -> Array:
    """Return the camera's poses `(time, 4, 4)` at times `(time,)` [s]: OpenCV axes, world frame."""
    return look_at(*camera_course(camera.path, times))


def camera_course(path: CameraPath, times: npt.ArrayLike) -> tuple[Array, Array]:
    """Return a camera's positions and the points it looks at, both `(time, 3)` [m], at times `(time,)` [s]."""
    times = np.asarray(times, np.float64)
    match path:
        case CameraFixed():
            return _spread(path.position, len(times)), _spread(path.target, len(times))
        case CameraOrbit():
            angle = path.azimuth + path.azimuth_rate * times
            return path.target + _polar(path.radius, angle, path.height), _spread(path.target, len(times))
        case CameraDolly():
            gone = _progress(times, path.duration)[:, None]
            return _between(path.position, path.position_end, gone), _between(path.target, path.target_end, gone)
        case CameraCrane():
            elevation = path.elevation + (path.elevation_end - path.elevation) * _progress(times, path.duration)
            arm = _polar(path.distance * np.cos(elevation), path.azimuth, path.distance * np.sin(elevation))
            return path.target + arm, _spread(path.target, len(times))
        case CameraTracking():
            moments = np.array([keyframe.time for keyframe in path.keyframes])
            positions = np.array([keyframe.position for keyframe in path.keyframes])
            targets = np.array([keyframe.target for keyframe in path.keyframes])
            return _curve(moments, positions, times), _curve(moments, targets, times)
        case CameraFirstPerson():
            return _walk(path, times), _spread(path.target, len(times))


def _spread(point: npt.ArrayLike, count: int) -> Array:
    return np.tile(np.asarray(point, np.float64), (count, 1))


def _progress(times: Array, duration: float) -> Array:
    """Share of a travel that is done at times `(time,)`: 0 to 1, starting and ending at rest."""
    share = np.clip(times / duration, 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def _polar(radius: npt.ArrayLike, angle: npt.ArrayLike, height: npt.ArrayLike) -> Array:
    """Points `(time, 3)` at a level distance, a bearing and a height, any of them `(time,)`."""
    x, y, z = np.broadcast_arrays(radius * np.cos(angle), radius * np.sin(angle), height)
    return np.stack([x, y, z], axis=-1)


def _between(start: npt.ArrayLike, end: npt.ArrayLike, share: Array) -> Array:
    start = np.asarray(start, np.float64)
    return np.asarray(start + (np.asarray(end) - start) * share)


def _curve(moments: Array, points: Array, times: Array) -> Array:
    """Cubic Hermite curve `(time, 3)` through points `(keyframe, 3)`, at rest at both ends and beyond them."""
    slopes = np.zeros_like(points)
    slopes[1:-1] = (points[2:] - points[:-2]) / (moments[2:] - moments[:-2])[:, None]
    times = np.clip(times, moments[0], moments[-1])
    left = np.clip(np.searchsorted(moments, times, side="right") - 1, 0, len(moments) - 2)
    span = (moments[left + 1] - moments[left])[:, None]
    u = (times - moments[left])[:, None] / span
    start, end = points[left], points[left + 1]
    leave, arrive = slopes[left] * span, slopes[left + 1] * span
    return np.asarray(
        start + (end - start) * (u * u * (3.0 - 2.0 * u)) + leave * (u * (1.0 - u) ** 2) + arrive * (u * u * (u - 1.0))
    )


def _walk(path: CameraFirstPerson, times: Array) -> Array:
    """Positions `(time, 3)` of a walker's eye."""
    gone = _progress(times, path.duration)[:, None]
    way = np.asarray(path.position_end) - np.asarray(path.position)
    length = float(np.linalg.norm(way))
    aside = np.cross(way / length, UP) if length > 0.0 else np.zeros(3)
    phase = math.pi * length * gone / path.stride
    bob = path.bob * (np.sin(phase) ** 2 * UP + 0.5 * np.sin(phase) * aside)
    return np.asarray(_between(path.position, path.position_end, gone) + bob)
