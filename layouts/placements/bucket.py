"""Bucket: a vessel with grains in it that is tilted or turned."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from layouts.building import UP, check_free, pitched
from layouts.grains import filled
from layouts.placements.base import Placement, Range
from layouts.stage import Stage, heading, moved, snapped
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.meshes import geometry_mesh
from simfactory.spec import BodyGranular, BodySolid, Cylinder, MotionRotation, Vessel

__all__ = ["Bucket"]

CLEAR = 0.012  # [m] between grains and vessel at first


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket(Placement):
    """Holds a vessel above the floor and grains in it; it is tilted until they pour out, or turns about its own axis.

    The first body of the role is the vessel (kinematic, cut to measure), the second one is the grains.

    Attributes:
        motion: "tip": upright at first, tilted about a level axis. "tumble": lying, it turns about its own axis.
        radius: Inner radius at its rim [m].
        depth: Depth inside [m].
        wall: Thickness of the wall [m].
        fill: Depth of the grains over that of the vessel [1].
        height: Height of the vessel's middle above the floor [m].
        lean: Angle of its axis from the vertical at first [deg].
        rate: How fast it turns [rad/s].
        turn: By how much it is tilted [deg]; "tip" only.
        start: When it sets off [s].
    """

    motion: Literal["tip", "tumble"]
    radius: Range = (0.16, 0.19)
    depth: Range = (0.24, 0.3)
    wall: Range = (0.05, 0.06)
    fill: Range = (0.6, 0.75)
    height: Range = (0.42, 0.5)
    lean: Range = (0.0, 0.0)
    rate: Range = (1.8, 2.8)
    turn: Range = (115.0, 140.0)
    start: Range = (0.15, 0.3)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the vessel, its grains and its motion.

        Raises:
            SpecError: There is not one vessel and one body of grains, or their place is taken.
        """
        if len(bodies) != 2 or not isinstance(bodies[1], BodyGranular):
            raise SpecError(f"a bucket for {role!r} has {len(bodies)} bodies; needed are one vessel and one of grains")
        draw = streams("bucket", role)
        angle, lean = draw.uniform(0.0, 2.0 * math.pi), math.radians(draw.uniform(*self.lean))
        inner, depth, wall = (draw.uniform(*span) for span in (self.radius, self.depth, self.wall))
        fill, height, rate = draw.uniform(*self.fill) * depth, draw.uniform(*self.height), draw.uniform(*self.rate)
        shape = Vessel(radius=inner + wall, base_radius=0.9 * inner + wall, height=depth + wall, wall=wall)
        floor = float(geometry_mesh(shape).vertices[:, 2].min()) + wall  # inside, from the vessel's origin
        out, axis = heading(angle), heading(angle + math.pi / 2)
        up = math.cos(lean) * UP + math.sin(lean) * out
        pose = pitched(angle, -lean)
        vessel = moved(
            bodies[0], geometry=shape, scale=1.0, aspect=(1.0, 1.0, 1.0), position=height * UP, orientation=pose
        )
        region = Cylinder(radius=0.88 * inner - CLEAR, height=fill - CLEAR)
        center = height * UP + (floor + CLEAR + 0.5 * (fill - CLEAR)) * up
        grains = filled(bodies[1], region, center, pose)
        check_free(role, [vessel, grains], stage)
        start = round(draw.uniform(*self.start), 3)
        spin = rate * axis if self.motion == "tip" else rate * draw.choice((-1.0, 1.0)) * up
        timing = {"start": start}
        if self.motion == "tip":
            timing["stop"] = round(start + math.radians(draw.uniform(*self.turn)) / rate, 3)
        motion = MotionRotation.model_validate({"body": vessel.name, "angular_velocity": snapped(spin), **timing})
        spill = [(0.1 * UP + 0.3 * out, 0.25)] if self.motion == "tip" else []
        return stage.extended(
            groups={f"{role}_vessel": (vessel,), role: (grains,)},
            motions=[motion],
            waypoints=[(np.asarray(vessel.position), inner + wall + 0.05), *spill],
        )
