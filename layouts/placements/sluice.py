"""Sluice: grains in a box whose fourth side is a gate, and what stands before it."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.building import UP, block, check_free
from layouts.grains import filled
from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import REST_GAP, Stage, heading, moved, snapped, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodyGranular, BodySolid, Box, MotionLinear

__all__ = ["Sluice"]

CLEAR = 0.012  # [m] between grains and boards at first
STEP = 0.02  # [m] between the gate and the boards beside it


@dataclass(frozen=True, kw_only=True, slots=True)
class Sluice(Placement):
    """Builds a box on the floor, fills it with grains, and pulls the gate at one of its sides up.

    The first five bodies of the role are its back and two sides (static), the gate (kinematic) and the grains, cut to
    measure; all others stand before the gate, one after another.

    Attributes:
        chamber: Inner length of the box, towards the gate [m].
        width: Its inner width [m].
        depth: Height of the grains [m].
        run: How far its sides go on beyond the gate [m].
        thickness: Thickness of its boards [m].
        speed: Speed of the gate [m/s].
        start: When it sets off [s].
        space: Free distance between the gate and the first body in the way, and from one to the next [m].
    """

    chamber: Range = (0.22, 0.3)
    width: Range = (0.24, 0.32)
    depth: Range = (0.22, 0.32)
    run: Range = (0.02, 0.08)
    thickness: Range = (0.06, 0.08)
    speed: Range = (0.5, 1.5)
    start: Range = (0.1, 0.25)
    space: Range = (0.08, 0.12)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the sluice.

        Raises:
            SpecError: Boards, gate or grains are missing, or their place is taken.
        """
        if len(bodies) < 5 or not isinstance(bodies[4], BodyGranular):
            raise SpecError(
                f"a sluice for {role!r} has {len(bodies)} bodies; needed are three boards, a gate and grains"
            )
        draw = streams("sluice", role)
        angle = draw.uniform(0.0, 2.0 * math.pi)
        spans = (self.chamber, self.width, self.depth, self.run, self.thickness)
        chamber, width, depth, run, thick = (draw.uniform(*span) for span in spans)
        speed, start = draw.uniform(*self.speed), round(draw.uniform(*self.start), 3)
        along, across, turn = heading(angle), heading(angle + math.pi / 2), yaw(angle)
        top, origin = depth + 0.04, -0.3 * chamber  # where the gate's inner face is
        middle = UP * (0.5 * top + REST_GAP)
        back = (origin - chamber - 0.5 * thick) * along + middle
        boards = [block(bodies[0], (thick, width + 2.0 * thick, top), back, turn)]
        length = chamber + thick + run
        for number, side in enumerate((-1.0, 1.0)):
            center = (origin - chamber + 0.5 * length) * along + side * 0.5 * (width + thick) * across + middle
            boards.append(block(bodies[1 + number], (length - 2.0 * REST_GAP, thick, top), center, turn))
        gate = block(
            bodies[3],
            (thick, width - 2.0 * STEP, top),
            (origin + 0.5 * thick) * along + middle + 0.002 * UP,
            turn,
        )
        stop = round(start + (top + 0.12) / speed, 3)
        motion = MotionLinear.model_validate(
            {"body": gate.name, "start": start, "stop": stop, "velocity": snapped(speed * UP)}
        )
        box = Box(size=(chamber - 2.0 * CLEAR, width - 2.0 * CLEAR, depth))
        grains = filled(bodies[4], box, (origin - 0.5 * chamber) * along + UP * (0.5 * depth + REST_GAP), turn)
        check_free(role, [*boards, gate, grains], stage)
        standing: list[BodySolid] = []
        front = origin + thick
        for body in bodies[5:]:
            turned = moved(body, position=np.zeros(3), orientation=turn)
            front += draw.uniform(*self.space) + solid(turned).extent(-along)
            standing.append(moved(turned, position=front * along + (REST_GAP + solid(turned).extent(-UP)) * UP))
            front += solid(turned).extent(along)
        return stage.extended(
            groups={f"{role}_board": tuple(boards), f"{role}_gate": (gate,), role: (grains, *standing)},
            motions=[motion],
            waypoints=[((origin + thick + 0.25) * along + 0.1 * UP, 0.25)],
        )
