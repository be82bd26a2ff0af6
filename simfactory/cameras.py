"""Where each camera is at each time, and its intrinsics."""

import math

import numpy as np
import numpy.typing as npt

from simfactory.spec import CameraFixed, CameraOrbit, CameraSpec
from simfactory.transforms import look_at

__all__ = ["camera_to_world", "intrinsics"]


def intrinsics(camera: CameraSpec) -> npt.NDArray[np.float64]:
    """Return the pinhole matrix K `(3, 3)` [px]; the principal point is the image centre."""
    focal = 0.5 * max(camera.width, camera.height) / math.tan(math.radians(camera.field_of_view) / 2.0)
    return np.array([[focal, 0.0, camera.width / 2], [0.0, focal, camera.height / 2], [0.0, 0.0, 1.0]])


def camera_to_world(camera: CameraSpec, times: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the camera's poses `(time, 4, 4)` at times `(time,)` [s]: OpenCV axes, world frame."""
    times = np.asarray(times, np.float64)
    path = camera.path
    match path:
        case CameraFixed():
            return look_at(np.tile(np.asarray(path.position), (len(times), 1)), np.asarray(path.target))
        case CameraOrbit():
            angle = path.azimuth + path.azimuth_rate * times
            circle = np.stack(
                [path.radius * np.cos(angle), path.radius * np.sin(angle), np.full_like(angle, path.height)], axis=-1
            )
            return look_at(np.asarray(path.target) + circle, np.asarray(path.target))
