"""Ring: cameras that stand still around the action, low, middle and high."""

import math

import numpy as np

from layouts.cameras.base import Rig, aimed, distance_to_fit, farthest, standoff, view_angles, view_from
from layouts.region import Region
from layouts.stage import snapped
from layouts.streams import Streams
from simfactory.spec import CameraFixed, CameraSpec

__all__ = ["RIG", "RigRing"]

ELEVATIONS = ((8.0, 20.0), (20.0, 35.0), (35.0, 55.0))  # [deg]
JITTER = 20.0  # [deg]


class RigRing(Rig):
    """Fixed cameras a third of a circle apart."""

    name = "ring"
    usual = 3

    def camera(self, rank: int, region: Region, *, size: tuple[int, int], streams: Streams) -> CameraSpec:
        """Return the k-th fixed camera."""
        shared, draw = streams("camera", self.name), streams("camera", self.name, rank)
        first, order = shared.uniform(0.0, 2.0 * math.pi), shared.integer(0, 2)
        # Further rounds of three stand between the first three.
        turn = rank / 3 + (rank // 3) * 0.1
        azimuth = first + 2.0 * math.pi * turn + math.radians(draw.uniform(-JITTER, JITTER))
        elevation = math.radians(draw.within("camera_elevation", draw.uniform(*ELEVATIONS[(rank + order) % 3])))
        angle, halves = view_angles(draw, size)
        direction = view_from(azimuth, elevation)
        target = aimed(direction, region, halves)
        distance = standoff(distance_to_fit(direction[None], target, region, halves), region, draw)
        if not draw.asks("camera_distance"):
            distance = min(distance, farthest(region) - float(np.linalg.norm(target - region.target)))
        path = CameraFixed.model_validate(
            {"position": snapped(target + distance * direction), "target": snapped(target)}
        )
        width, height = size
        return CameraSpec(
            name=f"{self.name}_{rank}", rig=self.name, width=width, height=height, field_of_view=angle, path=path
        )


RIG = RigRing()
