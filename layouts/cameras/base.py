"""The contract of camera rigs, and the distance from which a region fills the picture."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from layouts.region import Region
from layouts.streams import Streams
from simfactory.rng import Stream
from simfactory.spec import CameraSpec

__all__ = [
    "MARGIN",
    "Rig",
    "aimed",
    "distance_to_fit",
    "farthest",
    "scale_to_fit",
    "standoff",
    "view_angles",
    "view_from",
]

Vector = npt.NDArray[np.float64]

FIELD_OF_VIEW = (35.0, 75.0)  # [deg]
MARGIN = (1.04, 1.18)  # distance over the smallest one that keeps the region in the picture
NEAREST = 1.0  # [m]
ROOMY = 3.0  # [m]; however small the action is, a camera may stand this far from it


class Rig(ABC):
    """A family of cameras; the k-th one draws from a stream of its own."""

    name: ClassVar[str]
    usual: ClassVar[int]  # how many cameras where nothing else is asked for

    @abstractmethod
    def camera(self, rank: int, region: Region, *, size: tuple[int, int], streams: Streams) -> CameraSpec:
        """Return the k-th camera.

        Args:
            rank: Number of the camera within the rig, 0 or more.
            region: What it must see, at all times.
            size: Image width and height [px].
            streams: Randomness; image size and other cameras change none of the draws.
        """


def view_angles(
    draw: Stream, size: tuple[int, int], *, angles: tuple[float, float] = FIELD_OF_VIEW
) -> tuple[float, Vector]:
    """Draw a field of view [deg], by default from `FIELD_OF_VIEW`.

    The drawn angle is meant for the shorter image side; the longer one is widened up to 75°, so that a wide picture
    needs no more distance than a square one at 35°.

    Returns:
        The angle over the longer side [deg], and the half angles `(2,)` over width and height [rad].
    """
    width, height = size
    drawn = math.tan(math.radians(draw.within("camera_fov", draw.uniform(*angles))) / 2)
    widest = math.tan(math.radians(FIELD_OF_VIEW[1]) / 2)
    longer = min(drawn * max(size) / min(size), widest)
    halves = np.arctan(np.array([width, height]) * (longer / max(size)))
    return 2.0 * math.degrees(math.atan(longer)), halves


def distance_to_fit(directions: Vector, target: Vector, region: Region, half_angles: Vector) -> Vector:
    """Return the smallest distances `(view,)` [m] from which all spheres of a region are within the picture.

    Args:
        directions: `(view, 3)` unit vectors from the target to the camera, none vertical.
        target: `(3,)` point at the centre of the picture [m].
        region: What must be seen.
        half_angles: `(2,)` over width and height [rad].
    """
    forward = -directions
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    offsets = region.centers - target
    depth = offsets @ forward.T  # (sphere, view)
    across = np.stack([offsets @ right.T, offsets @ np.cross(forward, right).T])
    # A sphere touches a side plane of the frustum where |x| cos α + r = (z + d) sin α.
    cos, sin = np.cos(half_angles)[:, None, None], np.sin(half_angles)[:, None, None]
    needed = (np.abs(across) * cos + region.radii[None, :, None]) / sin - depth
    return np.asarray(np.maximum(needed.max(axis=(0, 1)), NEAREST))


def aimed(direction: Vector, region: Region, half_angles: Vector) -> Vector:
    """Return the point `(3,)` [m] to look at so that a region is in the middle of the picture.

    Nearer things look larger, so this is not the middle of the region itself.

    Args:
        direction: `(3,)` unit vector from the target to the camera, not vertical.
        region: What must be seen.
        half_angles: `(2,)` over width and height [rad].
    """
    right = np.cross(-direction, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(-direction, right)])
    target = region.target
    for _ in range(4):
        distance = distance_to_fit(direction[None], target, region, half_angles)[0]
        offsets = region.centers - target
        depth = distance - offsets @ direction
        low = ((offsets @ axes.T - region.radii[:, None]) / depth[:, None]).min(axis=0)
        high = ((offsets @ axes.T + region.radii[:, None]) / depth[:, None]).max(axis=0)
        target = target + 0.5 * distance * (low + high) @ axes
    return np.asarray(target)


def scale_to_fit(shape: Vector, targets: Vector, region: Region, half_angles: Vector) -> float:
    """Return the smallest factor [m] by which a path must be widened so that a region is always in the picture.

    Args:
        shape: `(view, 3)` from the target to the camera, before the factor [1].
        targets: `(view, 3)` what the camera looks at [m].
        region: What must be seen.
        half_angles: `(2,)` over width and height [rad].
    """
    lengths = np.linalg.norm(shape, axis=-1)
    needed = [
        distance_to_fit(arrow[None] / length, target, region, half_angles)[0] / length
        for arrow, target, length in zip(shape, targets, lengths, strict=True)
    ]
    return float(max(needed))


def view_from(azimuth: float, elevation: float) -> Vector:
    """Return the unit vector `(3,)` at a bearing and an angle above the horizon [rad]."""
    level = math.cos(elevation)
    return np.array([level * math.cos(azimuth), level * math.sin(azimuth), math.sin(elevation)])


def farthest(region: Region) -> float:
    """Return the largest distance [m] from a region's target at which a rig puts a camera.

    A square picture at the narrowest angle needs this much; so does one up to 2.4 times as wide as high.
    """
    return MARGIN[1] * max(region.radius / math.sin(math.radians(FIELD_OF_VIEW[0] / 2)), ROOMY)


def standoff(fit: Vector, region: Region, draw: Stream) -> float:
    """Draw the distance [m] of a camera from the target, a little more than every one that fits `(view,)`."""
    return draw.within("camera_distance", min(float(fit.max()) * draw.uniform(*MARGIN), farthest(region)))
