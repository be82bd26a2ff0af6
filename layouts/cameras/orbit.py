"""Orbit: cameras that circle about the action."""

import math

import numpy as np

from layouts.cameras.base import Rig, distance_to_fit, standoff, view_angles
from layouts.region import Region
from layouts.stage import snapped
from layouts.streams import Streams
from simfactory.spec import CameraOrbit, CameraSpec

__all__ = ["RIG", "RigOrbit"]

ELEVATIONS = ((12.0, 28.0), (28.0, 45.0))  # [deg]
RATE = (0.15, 0.6)  # [rad/s]
BEARINGS = 36  # of the whole circle are fitted, so that a longer clip needs no other camera


class RigOrbit(Rig):
    """Moving cameras, one turning left and one turning right."""

    name = "orbit"
    usual = 2

    def camera(self, rank: int, region: Region, *, size: tuple[int, int], streams: Streams) -> CameraSpec:
        """Return the k-th circling camera."""
        draw = streams("camera", self.name, rank)
        first, way = draw.uniform(0.0, 2.0 * math.pi), 1.0 if rank % 2 else -1.0
        rate = way * draw.within("camera_speed", draw.uniform(*RATE))
        elevation = math.radians(draw.within("camera_elevation", draw.uniform(*ELEVATIONS[rank % 2])))
        angle, halves = view_angles(draw, size)
        bearings = np.arange(BEARINGS) * (2.0 * math.pi / BEARINGS)
        directions = np.stack(
            [
                math.cos(elevation) * np.cos(bearings),
                math.cos(elevation) * np.sin(bearings),
                np.full(BEARINGS, math.sin(elevation)),
            ],
            axis=-1,
        )
        distance = standoff(distance_to_fit(directions, region.target, region, halves), region, draw)
        path = CameraOrbit.model_validate(
            {
                "target": snapped(region.target),
                "radius": distance * math.cos(elevation),
                "height": distance * math.sin(elevation),
                "azimuth": first,
                "azimuth_rate": rate,
            }
        )
        width, height = size
        return CameraSpec(
            name=f"{self.name}_{rank}", rig=self.name, width=width, height=height, field_of_view=angle, path=path
        )


RIG = RigOrbit()
