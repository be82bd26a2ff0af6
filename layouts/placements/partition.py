"""Partition: a board across a tank, on its floor or with a gap below."""

from dataclasses import dataclass

import numpy as np

from layouts.placements.base import Placement, Range
from layouts.stage import REST_GAP, Stage, moved
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Box
from simfactory.transforms import quat_rotate

__all__ = ["Partition"]

FRONT_GAP = 3e-3  # [m] between a liquid and the board at t = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Partition(Placement):
    """Stands a static board across a tank that is in place: a step that a wave runs over, or a gate with a gap below.

    Attributes:
        tank: Role of the liquid in the tank; see `Tank`.
        height: Height of the board's upper side over that of the walls [1].
        lift: Height of its lower side above the floor [m]; 0 = it stands on it.
        thickness: Of the board [m].
        share: Where it stands, over the length of the tank from the liquid's end [1]; empty = at the liquid's front.
    """

    tank: str
    height: Range = (1.0, 1.0)
    lift: Range = (0.0, 0.0)
    thickness: Range = (0.03, 0.05)
    share: Range | None = None

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the board.

        Raises:
            SpecError: There is not one board.
        """
        if len(bodies) != 1:
            raise SpecError(f"a partition {role!r} has {len(bodies)} bodies; needed is one board")
        draw = streams("partition", role)
        end, side = stage.groups[f"{self.tank}_side"][:2]
        liquid = stage.groups[self.tank][0]
        assert isinstance(end.geometry, Box)
        assert isinstance(side.geometry, Box)
        assert isinstance(liquid.geometry, Box)
        way = quat_rotate(np.asarray(end.orientation), np.array([1.0, 0.0, 0.0]))  # from the liquid's end to the other
        length = 2.0 * float(np.linalg.norm(end.position[:2])) - end.geometry.size[0]
        width = 2.0 * float(np.linalg.norm(side.position[:2])) - side.geometry.size[0]
        thick, lift = draw.uniform(*self.thickness), max(draw.uniform(*self.lift), REST_GAP)
        top = draw.uniform(*self.height) * end.geometry.size[2]
        if self.share is None:
            at = float(np.asarray(liquid.position) @ way) + 0.5 * liquid.geometry.size[0] + FRONT_GAP + 0.5 * thick
        else:
            at = (draw.uniform(*self.share) - 0.5) * length
        board = moved(
            bodies[0],
            geometry=Box(size=(thick, width - 2.0 * REST_GAP, top - lift)),
            scale=1.0,
            aspect=(1.0, 1.0, 1.0),
            position=at * way + np.array([0.0, 0.0, 0.5 * (top + lift)]),
            orientation=end.orientation,
        )
        return stage.extended(groups={role: (board,)})
