"""Door: a leaf that swings about an upright or a level hinge."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.building import UP, bar, block, check_free, hinge, post, ring
from layouts.placements.base import Placement, Range
from layouts.stage import Stage, heading, moved, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid

__all__ = ["Door"]

THICK = 0.04  # [m]


@dataclass(frozen=True, kw_only=True, slots=True)
class Door(Placement):
    """Hangs a leaf on a post, or by its upper edge on a beam between two posts.

    The bodies of the role are, with an upright hinge, post and leaf; with a level one, two posts, beam and leaf. All
    but the leaf are static; all are cut to measure.

    Attributes:
        level: Whether the hinge is level, above the leaf: a flap.
        width: Width of the leaf [m].
        height: Its height [m].
        angle: By which it stands open at the start [deg].
        rate: At which it begins to turn [rad/s].
        limit: How far it turns at most, to either side [deg]; 0 = as far as it goes.
        friction: Dry friction of the hinge, over its weight × width [1].
    """

    level: bool = False
    width: Range = (0.4, 0.55)
    height: Range = (0.5, 0.7)
    angle: Range = (0.0, 0.0)
    rate: Range = (0.0, 0.0)
    limit: float = 0.0
    friction: Range = (0.0, 0.0)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the door.

        Raises:
            SpecError: The number of bodies is not that of the kind of door, or the place is taken.
        """
        if len(bodies) != (4 if self.level else 2):
            raise SpecError(f"the door of {role!r} has {len(bodies)} bodies; allowed are {4 if self.level else 2}")
        draw = streams("door", role)
        angle = draw.uniform(0.0, 2.0 * math.pi)
        width, height = draw.uniform(*self.width), draw.uniform(*self.height)
        side = draw.choice((-1.0, 1.0))
        opened, rate = side * math.radians(draw.uniform(*self.angle)), side * draw.uniform(*self.rate)
        out, along = heading(angle), heading(angle + math.pi / 2)
        if self.level:
            pivot, axis = (height + 0.1) * UP, along
            hang = math.sin(opened) * out - math.cos(opened) * UP
            panel = bar(bodies[3], pivot + 0.03 * hang, pivot + height * hang, width, height=THICK)
            frame = [
                post(bodies[k], (s * (0.5 * width + 0.08) * along)[:2], height + 0.14, 0.06, angle)
                for k, s in ((0, 1), (1, -1))
            ]
            frame.append(
                bar(bodies[2], pivot - (0.5 * width + 0.04) * along, pivot + (0.5 * width + 0.04) * along, 0.03)
            )
            middle, centers = (
                np.asarray(panel.position),
                [pivot - height * UP, pivot + height * out, pivot - height * out],
            )
        else:
            pivot, axis = -0.5 * width * out, UP
            away = math.cos(opened) * out + math.sin(opened) * along
            middle = pivot + (0.06 + 0.5 * width) * away + (0.05 + 0.5 * height) * UP
            panel = block(bodies[1], (width, THICK, height), middle, yaw(angle + opened))
            frame = [post(bodies[0], pivot[:2], height + 0.1, 0.06, angle)]
            centers = ring(pivot + 0.5 * height * UP, width, angle)
        spin = rate * axis
        panel = moved(panel, angular_velocity=spin, linear_velocity=np.cross(spin, middle - pivot))
        check_free(role, [*frame, panel], stage)
        mass = panel.physical.density * width * THICK * height
        options: dict[str, object] = {"friction": draw.uniform(*self.friction) * mass * stage.weight * width}
        if self.limit:
            bound = math.radians(self.limit)
            options |= {"lower": min(-bound - opened, 0.0), "upper": max(bound - opened, 0.0)}
        joint = hinge(f"{panel.name}_hinge", panel.name, pivot, axis, parent=frame[-1].name, **options)
        return stage.extended(
            groups={f"{role}_frame": tuple(frame), role: (panel,)},
            joints=[joint],
            waypoints=[(center, 0.05) for center in centers],
            arrivals={panel.name: 0.0},
        )
