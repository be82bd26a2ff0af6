"""Tank: a liquid stands in an open box of four walls."""

import math
from dataclasses import dataclass

from layouts.placements.base import Placement, Range, initial
from layouts.stage import REST_GAP, Stage, heading, moved, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodyFluid, BodySolid, Box

__all__ = ["Tank"]

WALL_GAP = 1.5e-3  # [m] between a liquid and the walls at t = 0
FREEBOARD = 0.9  # share of the walls' height up to which a tank may be filled: more would run over


@dataclass(frozen=True, kw_only=True, slots=True)
class Tank(Placement):
    """Stands four boards on the floor around a rectangle, and fills it with a liquid, wholly or at one end.

    The first four bodies of the role are the walls (static, cut to measure), the fifth is the liquid: its region
    becomes a box, with about as many particles as it had. A sixth is another liquid, at the other end. Further bodies
    belong to other roles.

    Attributes:
        length: Inner length [m].
        width: Inner width [m].
        height: Height of the walls [m].
        thickness: Thickness of the walls [m].
        fill: Depth of the liquid over the height of the walls [1].
        share: Share of the length that each liquid fills at first [1]: less than 1 is a dam that is taken away.
        speed: Initial speed along the length [m/s].
    """

    length: Range = (0.55, 0.7)
    width: Range = (0.38, 0.48)
    height: Range = (0.15, 0.2)
    thickness: Range = (0.05, 0.08)
    fill: Range = (0.65, 0.8)
    share: Range = (1.0, 1.0)
    speed: Range = (0.0, 0.0)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the tank and its liquid.

        Raises:
            SpecError: There are not four walls and one or two liquids, or the tank would run over.
        """
        liquids = [body for body in bodies[4:] if isinstance(body, BodyFluid)]
        if len(bodies) not in (5, 6) or len(liquids) < len(bodies) - 4:
            raise SpecError(
                f"a tank for {role!r} has {len(bodies)} bodies; needed are four walls and one or two liquids"
            )
        if self.fill[1] > FREEBOARD:
            raise SpecError(
                f"a tank for {role!r} is to be filled up to {self.fill[1]:g} of its height; allowed is at most "
                f"{FREEBOARD:g}, else it runs over: fill it less"
            )
        draw = streams("tank", role)
        angle = draw.uniform(0.0, 2.0 * math.pi)
        length, width, height = (draw.uniform(*span) for span in (self.length, self.width, self.height))
        thickness, depth = draw.uniform(*self.thickness), draw.uniform(*self.fill) * height
        walls = []
        for number, side in enumerate(bodies[:4]):
            bearing = angle + number * math.pi / 2
            across, along = (length, width) if number % 2 == 0 else (width, length)
            span = along + (2.0 * thickness if number % 2 == 0 else -2.0 * REST_GAP)
            center = 0.5 * (across + thickness) * heading(bearing)
            walls.append(
                moved(
                    bodies[0],
                    name=side.name,
                    geometry=Box(size=(thickness, span, height)),
                    scale=1.0,
                    aspect=(1.0, 1.0, 1.0),
                    position=(center[0], center[1], 0.5 * height + REST_GAP),
                    orientation=yaw(bearing),
                )
            )
        filled = []
        for liquid, end in zip(liquids, (angle, angle + math.pi), strict=False):
            size = (draw.uniform(*self.share) * (length - 2.0 * WALL_GAP), width - 2.0 * WALL_GAP, depth)
            shift = -0.5 * (length - 2.0 * WALL_GAP - size[0]) * heading(end)
            filled.append(
                moved(
                    liquid,
                    geometry=Box(size=size),
                    scale=1.0,
                    aspect=(1.0, 1.0, 1.0),
                    spacing=(math.prod(size) / liquid.particle_estimate) ** (1.0 / 3.0),
                    position=(shift[0], shift[1], 0.5 * depth + REST_GAP),
                    orientation=yaw(end),
                    linear_velocity=initial(draw, "speed", self.speed) * heading(end),
                )
            )
        return stage.extended(groups={f"{role}_side": tuple(walls), role: tuple(filled)})
