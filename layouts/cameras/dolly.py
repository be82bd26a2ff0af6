"""Dolly: cameras that drive along a straight line, towards the action or past it."""

import math

import numpy as np
import numpy.typing as npt

from layouts.cameras.base import MARGIN, Rig, farthest, scale_to_fit, view_angles, view_from
from layouts.region import Region
from layouts.stage import snapped
from layouts.streams import Streams
from simfactory.spec import CameraDolly, CameraSpec

__all__ = ["RIG", "RigDolly"]

Vector = npt.NDArray[np.float64]

ELEVATIONS = (10.0, 35.0)  # [deg]
DURATION = (1.5, 3.0)  # [s]
APPROACH = (1.2, 1.5)  # distance at the start over that at the end
SWEEP = (20.0, 38.0)  # [deg] between the bearings of both ends of a drive past the action
DRIFT = (0.1, 0.3)  # of the region's radius: how far the target moves along
VIEWS = 9  # along the drive are fitted


class RigDolly(Rig):
    """Driving cameras: the first one towards the action or away from it, the second one past it, and so on."""

    name = "dolly"
    usual = 2

    def camera(self, rank: int, region: Region, *, size: tuple[int, int], streams: Streams) -> CameraSpec:
        """Return the k-th driving camera."""
        draw = streams("camera", self.name, rank)
        azimuth = draw.uniform(0.0, 2.0 * math.pi)
        elevation = math.radians(draw.within("camera_elevation", draw.uniform(*ELEVATIONS)))
        angle, halves = view_angles(draw, size)
        duration, margin, way = draw.uniform(*DURATION), draw.uniform(*MARGIN), draw.choice((-1.0, 1.0))
        sweep, drift = math.radians(draw.uniform(*SWEEP)), draw.uniform(*DRIFT) * region.radius
        ratio, reverse = draw.uniform(*APPROACH), draw.chance(0.3)
        targets = np.tile(region.target, (2, 1))
        if rank % 2:
            ends = np.stack(
                [view_from(azimuth - 0.5 * way * sweep, elevation), view_from(azimuth + 0.5 * way * sweep, elevation)]
            )
            along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
            targets = targets + np.outer((-0.5, 0.5), drift * along)
            ratio = 1.0
        else:
            ends = np.stack([view_from(azimuth, elevation), view_from(azimuth + 0.25 * way * sweep, elevation)])
        far = farthest(region)
        scale = self._scale(ends, targets, region, halves)
        ratio = min(ratio, max(0.98 * far / scale, 1.0))
        ends = ends * np.array([[ratio], [1.0]])
        scale = min(self._scale(ends, targets, region, halves) * margin, 0.98 * far / ratio)
        positions = targets + scale * ends
        if reverse:
            positions, targets = positions[::-1], targets[::-1]
        path = CameraDolly.model_validate(
            {
                "position": snapped(positions[0]),
                "position_end": snapped(positions[1]),
                "target": snapped(targets[0]),
                "target_end": snapped(targets[1]),
                "duration": duration,
            }
        )
        width, height = size
        return CameraSpec(
            name=f"{self.name}_{rank}", rig=self.name, width=width, height=height, field_of_view=angle, path=path
        )

    @staticmethod
    def _scale(ends: Vector, targets: Vector, region: Region, halves: Vector) -> float:
        share = np.linspace(0.0, 1.0, VIEWS)[:, None]
        shape = ends[0] + (ends[1] - ends[0]) * share
        return scale_to_fit(shape, targets[0] + (targets[1] - targets[0]) * share, region, halves)


RIG = RigDolly()
