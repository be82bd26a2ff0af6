"""ArmPush: an arm pushes bodies over its bench."""

from dataclasses import dataclass

from layouts.arms import BEFORE, bench
from layouts.building import block
from layouts.placements.base import Placement, Range
from layouts.stage import REST_GAP, Stage, mass, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, ConditionPlace

__all__ = ["ArmPush"]

THICK = 0.026  # [m] from the tool to the outside of closed fingers


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmPush(Placement):
    """Lets an arm push one body after the other to the side, with closed fingers.

    The bodies of the role are the bench and the bodies to push, which are cut to blocks. Done when all are where they
    were to go.

    Attributes:
        size: Edge of a block [m].
        way: How far it is pushed [m].
        load: Largest weight times friction that is pushed [N].
    """

    size: Range = (0.05, 0.09)
    way: Range = (0.12, 0.22)
    load: float = 25.0

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with bench, blocks and the arm that pushes them.

        Raises:
            SpecError: There is no body to push, one is too heavy, or a place cannot be reached.
        """
        if len(bodies) < 2:
            raise SpecError(f"the arm of {role!r} has {len(bodies)} bodies; allowed are a bench and what it pushes")
        draw = streams("arm_push", role)
        table = bench(bodies[0], stage, draw)
        spots = []
        for number, body in enumerate(bodies[1:]):
            edges = draw.uniform(*self.size), draw.uniform(*self.size), draw.uniform(*self.size)
            ahead, left = 0.38 + 0.13 * number + draw.uniform(0.0, 0.05), draw.uniform(0.02, 0.1)
            at = table.point(ahead, left, 0.5 * edges[2] + REST_GAP)
            placed = block(body, edges, at, yaw(table.angle + draw.uniform(-0.15, 0.15)))
            if mass(placed) * table.weight * placed.physical.dynamic_friction > self.load:
                raise SpecError(f"body {body.name!r} is too heavy to push; allowed is friction of {self.load:g} N")
            spots.append((placed, ahead, left, edges, draw.uniform(*self.way)))
        first = spots[0]
        side = first[1], first[2] + 0.5 * first[3][1] + 0.05
        planner = table.planner(table.point(*side, first[3][2] * 0.5 + BEFORE), table.down(), opening=0.0)
        success = []
        for placed, ahead, left, edges, way in spots:
            # Low enough not to topple it, high enough for the palm, 37 mm above the tool, to pass over it.
            level, start = max(0.45 * edges[2], edges[2] - 0.03, 0.022), left + 0.5 * edges[1] + 0.05
            planner.begin("reach")
            planner.move(table.point(ahead, start, level + BEFORE))
            planner.move(table.point(ahead, start, level))
            planner.begin("push")
            end = left + 0.5 * edges[1] + THICK - way
            planner.move(table.point(ahead, end, level), speed=0.8)
            planner.begin("retreat")
            planner.move(table.point(ahead, end + 0.03, level))
            planner.move(table.point(ahead, end + 0.03, level + BEFORE))
            goal = table.point(ahead, left - way, 0.5 * edges[2])
            success.append(
                ConditionPlace.model_validate(
                    {"bodies": (placed.name,), "target": tuple(goal.tolist()), "radius": 0.04, "height": 0.02}
                )
            )
        return table.staged(stage, role, planner, [spot[0] for spot in spots], grip=20.0, success=success)
