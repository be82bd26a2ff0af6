"""Crane: cameras that swing up or down over the action."""

import math

import numpy as np

from layouts.cameras.base import Rig, distance_to_fit, standoff, view_angles, view_from
from layouts.region import Region
from layouts.stage import snapped
from layouts.streams import Streams
from simfactory.spec import CameraCrane, CameraSpec

__all__ = ["RIG", "RigCrane"]

LOW, HIGH = (6.0, 14.0), (40.0, 62.0)  # [deg]
DURATION = (1.6, 3.2)  # [s]
VIEWS = 13  # along the arc are fitted


class RigCrane(Rig):
    """Swinging cameras, one going up and one coming down."""

    name = "crane"
    usual = 2

    def camera(self, rank: int, region: Region, *, size: tuple[int, int], streams: Streams) -> CameraSpec:
        """Return the k-th swinging camera."""
        draw = streams("camera", self.name, rank)
        azimuth, duration = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*DURATION)
        ends = (draw.within("camera_elevation", draw.uniform(*span), (LOW[0], HIGH[1])) for span in (LOW, HIGH))
        low, high = (math.radians(end) for end in ends)
        angle, halves = view_angles(draw, size)
        directions = np.stack([view_from(azimuth, elevation) for elevation in np.linspace(low, high, VIEWS)])
        distance = standoff(distance_to_fit(directions, region.target, region, halves), region, draw)
        path = CameraCrane.model_validate(
            {
                "target": snapped(region.target),
                "distance": distance,
                "azimuth": azimuth,
                "elevation": high if rank % 2 else low,
                "elevation_end": low if rank % 2 else high,
                "duration": duration,
            }
        )
        width, height = size
        return CameraSpec(
            name=f"{self.name}_{rank}", rig=self.name, width=width, height=height, field_of_view=angle, path=path
        )


RIG = RigCrane()
