"""Clamp: plates close on what is in place, from both sides or from above, and open again."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import Stage, heading, is_free, moved, rested, snapped, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, MotionOscillation

__all__ = ["Clamp"]

Vector = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
DEEPEST = 0.6  # share of an extent that plates may take away: beyond it cells are crushed


@dataclass(frozen=True, kw_only=True, slots=True)
class Clamp(Placement):
    """Moves kinematic plates (thin along local x) in and out: half a period of a sine each.

    Two plates come from both sides, along the level axis of the first body in place; one comes from above.

    Attributes:
        squeeze: Share of the extent between the plates that they take away where they turn [1].
        period: Time from setting off to being back [s].
        gap: Free distance between each plate and what is in place, at first [m].
        start: When they set off [s].
        lift: Height of plates at the sides above the floor [m].
    """

    squeeze: Range
    period: Range = (1.0, 1.6)
    gap: Range = (0.02, 0.05)
    start: Range = (0.1, 0.3)
    lift: float = 0.003

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the plates and their motions.

        Raises:
            SpecError: Nothing is in place, there are more than two plates, or a plate's start is taken.
        """
        if not stage.bodies or len(bodies) > 2:
            raise SpecError(
                f"clamp {role!r} has {len(bodies)} plates around {len(stage.bodies)} bodies: allowed are one plate "
                "from above or two from the sides, around one body or more"
            )
        draw = streams("clamp", role)
        squeeze, period = min(draw.uniform(*self.squeeze), DEEPEST), draw.uniform(*self.period)
        gap, start = draw.uniform(*self.gap), round(draw.uniform(*self.start), 3)
        held = solid(stage.bodies[0])
        if len(bodies) == 1:
            ways, share = [-UP], squeeze
        else:
            level = held.rotation[:, 0] * (1.0, 1.0, 0.0)
            along = level / np.linalg.norm(level) if np.linalg.norm(level) > 0.5 else heading(0.0)
            ways, share = [along, -along], 0.5 * squeeze
        plates, motions = [], []
        for body, way in zip(bodies, ways, strict=True):
            plate = self._beside(body, held.center, way, gap, stage)
            if not is_free(plate, stage.bodies, gap=0.5 * gap):
                raise SpecError(f"no place for plate {body.name!r}: something is where it begins; use a larger `gap`")
            reach = held.extent(way) + held.extent(-way)
            stroke = gap + share * reach
            motion = {"body": plate.name, "start": start, "stop": round(start + period, 3), "frequency": 0.5 / period}
            motions.append(MotionOscillation.model_validate({**motion, "amplitude": snapped(stroke * way)}))
            plates.append(plate)
        return stage.extended(groups={role: tuple(plates)}, motions=motions)

    def _beside(self, body: BodySolid, center: Vector, way: Vector, gap: float, stage: Stage) -> BodySolid:
        """The plate at rest, its broad face towards what is in place."""
        front = max(solid(other).reach(-way) for other in stage.bodies)
        if way[2] < -0.5:
            turn = np.array([0.0, math.sqrt(0.5), 0.0, math.sqrt(0.5)])  # thin along z
            flat = moved(body, position=np.zeros(3), orientation=turn)
            return moved(flat, position=center * (1.0, 1.0, 0.0) + (front + gap + solid(flat).extent(-UP)) * UP)
        plate = rested(body, center[:2], orientation=yaw(math.atan2(way[1], way[0])), floor=self.lift)
        along = -(front + gap + solid(plate).extent(way)) - float(center @ way)
        return moved(plate, position=np.asarray(plate.position) + along * way)
