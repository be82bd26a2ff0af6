"""Hopper: grains above a slot between two steep boards."""

import math
from dataclasses import dataclass

from layouts.building import UP, block, check_free, pitched
from layouts.grains import filled
from layouts.placements.base import Placement, Range
from layouts.stage import REST_GAP, Stage, heading, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodyGranular, BodySolid, Box

__all__ = ["Hopper"]

CLEAR = 0.012  # [m] between grains and boards at first


@dataclass(frozen=True, kw_only=True, slots=True)
class Hopper(Placement):
    """Holds two boards that slope towards each other above the floor, closes their ends, and fills them with grains.

    The first four bodies of the role are the boards (static, cut to measure): two ends, two slopes; the last one is
    the grains.

    Attributes:
        slot: Width of the slot [m].
        width: Distance between the ends [m].
        slope: Angle of the boards above the level [deg].
        height: Height of the slot above the floor [m].
        thickness: Thickness of all boards [m].
        fill: Height of the grains [m].
        mouth: Width of the grains at first [m].
    """

    slot: Range = (0.2, 0.26)
    width: Range = (0.22, 0.28)
    slope: Range = (50.0, 60.0)
    height: Range = (0.2, 0.28)
    thickness: Range = (0.06, 0.08)
    fill: Range = (0.22, 0.3)
    mouth: Range = (0.3, 0.36)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the hopper and its grains.

        Raises:
            SpecError: There are not four boards and one body of grains, or their place is taken.
        """
        if len(bodies) != 5 or not isinstance(bodies[4], BodyGranular):
            raise SpecError(f"a hopper for {role!r} has {len(bodies)} bodies; needed are four boards and one of grains")
        draw = streams("hopper", role)
        angle = draw.uniform(0.0, 2.0 * math.pi)
        slot, width, steep = (
            draw.uniform(*self.slot),
            draw.uniform(*self.width),
            math.radians(draw.uniform(*self.slope)),
        )
        low, thick = draw.uniform(*self.height), draw.uniform(*self.thickness)
        fill, mouth = draw.uniform(*self.fill), draw.uniform(*self.mouth)
        along, across = heading(angle), heading(angle + math.pi / 2)
        base = low + 0.5 * (mouth - slot) * math.tan(steep) + CLEAR  # of the grains
        length = (base + 0.4 * fill - low) / math.sin(steep)
        reach = 0.5 * slot + length * math.cos(steep) + thick
        top = length * math.sin(steep) + 0.04
        boards = []
        for number, side in enumerate((-1.0, 1.0)):
            center = side * 0.5 * (width + thick) * across + UP * (low - 0.02 + 0.5 * top)
            boards.append(block(bodies[number], (2.0 * reach, thick, top), center, yaw(angle)))
        for number, side in enumerate((-1.0, 1.0)):
            bearing = angle if side > 0.0 else angle + math.pi
            upward = math.cos(steep) * side * along + math.sin(steep) * UP
            out = math.sin(steep) * side * along - math.cos(steep) * UP
            center = 0.5 * slot * side * along + low * UP + 0.5 * length * upward + 0.5 * thick * out
            size = (length, width - 2.0 * REST_GAP, thick)
            boards.append(block(bodies[2 + number], size, center, pitched(bearing, steep)))
        box = Box(size=(mouth - 2.0 * CLEAR, width - 2.0 * CLEAR, fill))
        grains = filled(bodies[4], box, (base + 0.5 * fill) * UP, yaw(angle))
        check_free(role, [*boards, grains], stage)
        return stage.extended(groups={f"{role}_board": tuple(boards), role: (grains,)}, waypoints=[(0.1 * UP, 0.3)])
