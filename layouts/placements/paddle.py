"""Paddle: a board that turns about a level axis above a tank and dips into the liquid."""

from dataclasses import dataclass

import numpy as np

from layouts.placements.base import Placement, Range
from layouts.stage import Stage, moved, snapped
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Box, MotionRotation
from simfactory.transforms import quat_rotate

__all__ = ["Paddle"]

CLEAR = 0.012  # [m] of the board above the liquid when it lies level


@dataclass(frozen=True, kw_only=True, slots=True)
class Paddle(Placement):
    """Lays a kinematic board level above the liquid of a tank, and turns it about the axis across the tank.

    Attributes:
        tank: Role of the liquid in the tank; see `Tank`.
        depth: How deep its ends dip, over the depth of the liquid [1].
        width: Over that of the tank [1].
        thickness: Of the board [m].
        rate: Rate of turning [rad/s].
    """

    tank: str
    rate: Range
    depth: Range = (0.6, 0.8)
    width: Range = (0.6, 0.8)
    thickness: Range = (0.02, 0.03)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the board and its motion.

        Raises:
            SpecError: There is not one board.
        """
        if len(bodies) != 1:
            raise SpecError(f"a paddle {role!r} has {len(bodies)} bodies; needed is one board")
        draw = streams("paddle", role)
        (liquid,) = stage.groups[self.tank]
        assert isinstance(liquid.geometry, Box)
        _, breadth, level = liquid.geometry.size
        thick = draw.uniform(*self.thickness)
        dip = draw.uniform(*self.depth) * level
        axis = level + CLEAR + 0.5 * thick  # height of the axis
        reach = axis - level + dip
        across = quat_rotate(np.asarray(liquid.orientation), np.array([0.0, 1.0, 0.0]))
        board = moved(
            bodies[0],
            geometry=Box(size=(2.0 * reach, draw.uniform(*self.width) * breadth, thick)),
            scale=1.0,
            aspect=(1.0, 1.0, 1.0),
            position=np.array([liquid.position[0], liquid.position[1], axis]),
            orientation=liquid.orientation,
            mobility="kinematic",
        )
        rate = draw.uniform(*self.rate) * draw.choice((-1.0, 1.0))
        motion = MotionRotation.model_validate({"body": board.name, "angular_velocity": snapped(rate * across)})
        return stage.extended(groups={role: (board,)}, motions=[motion])
