"""Rail: carriages that slide along a beam."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layouts.building import UP, bar, block, check_free, pitched, post
from layouts.placements.base import Placement, Range
from layouts.stage import Stage, heading, moved, snapped
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, JointSlider

__all__ = ["Rail"]

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rail(Placement):
    """Lays a beam on two posts; carriages ride on it, the first one from the upper end, the others from further down.

    The first three bodies of the role are two posts and the beam (static), then come the carriages; all are cut to
    measure. Carriages hit each other where they meet and stop at the beam's ends.

    Attributes:
        slope: Of the beam [deg].
        length: Of the beam [m].
        speed: Of the first carriage at the start [m/s].
        friction: Dry friction of each carriage, over its weight [1].
        stretch: Between neighbours at the start, over the carriage's length [1].
    """

    slope: Range = (0.0, 0.0)
    length: Range = (1.1, 1.5)
    speed: Range = (0.0, 0.0)
    friction: Range = (0.0, 0.05)
    stretch: Range = (0.5, 1.0)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the rail.

        Raises:
            SpecError: There is no carriage, the beam is too short for them, or the place is taken.
        """
        one, other, beam, *carriages = bodies
        if not carriages:
            raise SpecError(f"the rail of {role!r} has no carriage among {len(bodies)} bodies: give it one or more")
        draw = streams("rail", role)
        angle, length = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.length)
        slope = math.radians(draw.uniform(*self.slope))
        out = heading(angle)
        down = math.cos(slope) * out - math.sin(slope) * UP
        normal = math.sin(slope) * out + math.cos(slope) * UP
        middle = (0.3 + 0.5 * length * math.sin(slope)) * UP
        head, tail = middle - 0.5 * length * down, middle + 0.5 * length * down
        frame = [
            post(
                body,
                (sign * 0.4 * length * math.cos(slope) * out)[:2],
                self._under(middle, sign, slope, length),
                0.08,
                angle,
            )
            for body, sign in ((one, -1.0), (other, 1.0))
        ]
        frame.append(bar(beam, head, tail, 0.06, height=0.05))
        size, station, speed = 0.16, 0.1, draw.uniform(*self.speed)
        gap = draw.uniform(*self.stretch) * size
        riding, joints = [], []
        for number, body in enumerate(carriages):
            center = head + (station + 0.5 * size) * down + (0.025 + 0.004 + 0.06) * normal
            if station + size > length:
                raise SpecError(
                    f"the rail of {role!r} is {length:.2f} m long, too short for {len(carriages)} carriages"
                )
            placed = block(body, (size, 0.14, 0.12), center, pitched(angle, -slope))
            moving = {"linear_velocity": down * speed} if number == 0 else {}
            riding.append(moved(placed, **moving))
            weight = body.physical.density * size * 0.14 * 0.12 * stage.weight
            joint = {
                "name": f"{body.name}_rail",
                "child": body.name,
                "anchor": snapped(center),
                "axis": snapped(down),
                "lower": -station,
                "upper": length - station - size,
                "friction": draw.uniform(*self.friction) * weight,
            }
            joints.append(JointSlider.model_validate(joint))
            station += size + gap
        check_free(role, [*frame, *riding], stage)
        return stage.extended(
            groups={f"{role}_frame": tuple(frame), role: tuple(riding)},
            joints=joints,
            waypoints=[(head + 0.1 * normal, 0.12), (tail + 0.1 * normal, 0.12)],
            arrivals={body.name: 0.0 for body in riding},
        )

    def _under(self, middle: Vector, sign: float, slope: float, length: float) -> float:
        """Height of a post whose top is under the beam all over."""
        return (
            float(middle[2])
            - sign * 0.4 * length * math.sin(slope)
            - 0.026 / math.cos(slope)
            - 0.04 * math.tan(slope)
            - 0.001
        )
