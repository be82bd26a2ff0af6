"""Where a camera is and what it looks at at one time, derived from its spec anew, in scalar arithmetic."""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from simfactory.spec import (
    CameraCrane,
    CameraDolly,
    CameraFirstPerson,
    CameraFixed,
    CameraOrbit,
    CameraPath,
    CameraTracking,
    Keyframe,
)

__all__ = ["oracle_gaze"]

Float64 = npt.NDArray[np.float64]


def oracle_gaze(path: CameraPath, time: float) -> tuple[Float64, Float64]:
    """Return a camera's position and the point it looks at, each `(3,)` [m], at a time [s]."""
    match path:
        case CameraFixed(position=position, target=target):
            return np.array(position), np.array(target)
        case CameraOrbit(target=target, radius=radius, height=height, azimuth=azimuth, azimuth_rate=rate):
            return _around(target, radius, azimuth + rate * time, height), np.array(target)
        case CameraDolly():
            done = _eased(time, path.duration)
            return _mixed(path.position, path.position_end, done), _mixed(path.target, path.target_end, done)
        case CameraCrane():
            done = _eased(time, path.duration)
            angle = (1.0 - done) * path.elevation + done * path.elevation_end
            level, height = path.distance * math.cos(angle), path.distance * math.sin(angle)
            return _around(path.target, level, path.azimuth, height), np.array(path.target)
        case CameraTracking(keyframes=keyframes):
            return _tracked(keyframes, time)
        case CameraFirstPerson():
            return _walked(path, time), np.array(path.target)


def _eased(time: float, duration: float) -> float:
    """∫ 6 u (1 - u) du up to the share of the time that has passed."""
    share = max(0.0, min(1.0, time / duration))
    return 3.0 * share**2 - 2.0 * share**3


def _around(target: tuple[float, float, float], level: float, angle: float, height: float) -> Float64:
    return np.array([target[0] + level * math.cos(angle), target[1] + level * math.sin(angle), target[2] + height])


def _mixed(start: tuple[float, float, float], end: tuple[float, float, float], share: float) -> Float64:
    return np.array([(1.0 - share) * a + share * b for a, b in zip(start, end, strict=True)])


def _tracked(keyframes: tuple[Keyframe, ...], time: float) -> tuple[Float64, Float64]:
    """Position and target by the Bézier form of the curve, with de Casteljau's scheme."""
    time = max(keyframes[0].time, min(keyframes[-1].time, time))
    last = len(keyframes) - 1
    left = max(k for k in range(last) if keyframes[k].time <= time)
    span = keyframes[left + 1].time - keyframes[left].time
    share = (time - keyframes[left].time) / span
    found = []
    for field in ("position", "target"):
        points = [np.array(getattr(keyframe, field)) for keyframe in keyframes]
        slopes = [
            (points[k + 1] - points[k - 1]) / (keyframes[k + 1].time - keyframes[k - 1].time)
            if 0 < k < last
            else np.zeros(3)
            for k in range(last + 1)
        ]
        control = [
            points[left],
            points[left] + slopes[left] * span / 3.0,
            points[left + 1] - slopes[left + 1] * span / 3.0,
            points[left + 1],
        ]
        while len(control) > 1:
            control = [(1.0 - share) * a + share * b for a, b in pairwise(control)]
        found.append(control[0])
    return found[0], found[1]


def _walked(path: CameraFirstPerson, time: float) -> Float64:
    eye = _mixed(path.position, path.position_end, _eased(time, path.duration))
    way = [end - start for start, end in zip(path.position, path.position_end, strict=True)]
    length = math.sqrt(sum(part * part for part in way))
    if length == 0.0:
        return eye
    swing = math.sin(math.pi * length * _eased(time, path.duration) / path.stride)
    # (way / length) × z, to the right of the way.
    right = np.array([way[1], -way[0], 0.0]) / length
    return np.asarray(eye + 0.5 * path.bob * swing * right + np.array([0.0, 0.0, path.bob * swing * swing]))
