"""ArmCarry: an arm picks things up and puts them somewhere else."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from layouts.arms import BEFORE, OPEN, Bench, bench
from layouts.arms.items import Item, ItemKind, lying, standing
from layouts.building import UP, block
from layouts.placements.base import Placement
from layouts.stage import REST_GAP, Stage, yaw
from layouts.streams import Streams
from simfactory.arms import Planner
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodySolid, Condition, ConditionPlace, ConditionUpright
from simfactory.transforms import quat_from_axis_angle, quat_multiply

__all__ = ["ArmCarry"]

Goal = Literal["bench", "shelf", "stack", "tray", "hole", "air"]

SQUEEZE = 0.02  # [m] by which each finger is told to close beyond the surface
DROP = 0.003  # [m] above its place at which a thing is let go
PLAY = 0.009  # [m] of a peg in its hole, to each side


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmCarry(Placement):
    """Lets an arm pick one thing after the other up and put it where it goes.

    The bodies of the role are the bench, the things, and what the goal is made of: a shelf, a thing to stack on, or
    the four sides of a hole; a tray has a floor only. All are cut to measure. Done when every thing is there.

    Attributes:
        item: What is picked up.
        goal: Where it goes: to another place of the bench, onto a shelf, onto (or into) a thing of its own kind, onto
            a tray, into a hole, or up into the air, where it is held.
        count: How many things are picked up.
    """

    item: ItemKind
    goal: Goal = "bench"
    count: int = 1

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with bench, things, goal and the arm that carries them.

        Raises:
            SpecError: The number of bodies is not what the goal asks for, or a place cannot be reached.
        """
        wanted = 1 + self.count + {"bench": 0, "air": 0, "hole": 4}.get(self.goal, 1)
        if len(bodies) != wanted:
            raise SpecError(f"the arm of {role!r} has {len(bodies)} bodies; its goal {self.goal!r} asks for {wanted}")
        draw = streams("arm_carry", role)
        table = bench(bodies[0], stage, draw)
        things, extra = bodies[1 : 1 + self.count], bodies[1 + self.count :]
        items, spots = [], []
        for number, body in enumerate(things):
            spot = np.array([0.4 + 0.11 * number + draw.uniform(-0.02, 0.04), draw.uniform(0.1, 0.2)])
            spin = draw.uniform(-0.5, 0.5)
            items.append(self._item(table, body, spot, spin, draw))
            spots.append((spot, spin))
        goal_spot = np.array([draw.uniform(0.4, 0.52), -draw.uniform(0.12, 0.2)])
        built, floor = self._goal(table, extra, goal_spot, items, draw)
        spot, spin = spots[0]
        height = items[0].below + items[0].grip
        planner = table.planner(
            table.point(spot[0], spot[1], height + BEFORE + draw.uniform(0.0, 0.08)), table.down(spin)
        )
        success: list[Condition] = []
        for number, (item, (spot, spin)) in enumerate(zip(items, spots, strict=True)):
            last = number == self.count - 1
            to = goal_spot + (np.array([0.1 * (number - 0.5 * (self.count - 1)), 0.0]) if self.count > 1 else 0.0)
            success += self._carried(table, planner, item, spot, spin, to, floor, last=last)
        grip = max(table.grip(item.body) for item in items)
        return table.staged(stage, role, planner, [*(item.body for item in items), *built], grip=grip, success=success)

    def _item(self, table: Bench, body: BodySolid, spot: np.ndarray, spin: float, draw: Stream) -> Item:
        at, upright = table.point(spot[0], spot[1]), yaw(table.angle - spin)
        if self.item == "roller":
            level = quat_multiply(upright, quat_from_axis_angle((0.0, 1.0, 0.0), 0.5 * np.pi))
            return lying(body, at, level, draw)
        return standing(body, self.item, at, upright, draw)

    def _goal(
        self, table: Bench, extra: tuple[BodySolid, ...], spot: np.ndarray, items: list[Item], draw: Stream
    ) -> tuple[list[BodySolid], float]:
        """Return what the goal is made of and the height of its floor over the bench [m]."""
        turn, at = yaw(table.angle), table.point(spot[0], spot[1])
        if self.goal == "shelf":
            high = draw.uniform(0.12, 0.22)
            return [block(extra[0], (0.16, 0.16, high), at + (0.5 * high + REST_GAP) * UP, turn)], high
        if self.goal == "tray":
            return [block(extra[0], (0.1 + 0.1 * self.count, 0.16, 0.012), at + (0.006 + REST_GAP) * UP, turn)], 0.012
        if self.goal == "stack":
            under = standing(extra[0], self.item, at, turn, draw)
            if self.item in ("bowl", "cup"):  # of one set
                geometry = items[0].body.geometry
                body = type(under.body).model_validate({**dict(under.body), "geometry": geometry})
                body = body.model_copy(update={"position": tuple(at + (items[0].below + REST_GAP) * UP)})
                return [type(body).model_validate(dict(body))], 0.0
            return [under.body], under.height
        if self.goal == "hole":
            half, high = items[0].half + PLAY, draw.uniform(0.04, 0.06)
            wide, long = 0.03, 2.0 * (half + 0.03)
            sides = []
            for body, (x, y) in zip(extra, ((1, 0), (-1, 0), (0, 1), (0, -1)), strict=True):
                size = (wide, long, high) if x else (2.0 * half - 4e-4, wide, high)
                shift = table.point(spot[0] + x * (half + 0.5 * wide), spot[1] + y * (half + 0.5 * wide))
                sides.append(block(body, size, shift + (0.5 * high + REST_GAP) * UP, turn))
            return sides, 0.0
        return [], 0.0

    def _carried(
        self,
        table: Bench,
        planner: Planner,
        item: Item,
        spot: np.ndarray,
        spin: float,
        to: np.ndarray,
        floor: float,
        *,
        last: bool,
    ) -> list[Condition]:
        """Plan one way from spot to goal, and return when it is done."""
        level = item.below + item.grip
        planner.begin("reach")
        planner.move(table.point(spot[0], spot[1], level + 0.6 * BEFORE), table.down(spin))
        planner.move(table.point(spot[0], spot[1], level))
        planner.begin("grasp")
        planner.grip(max(item.half - SQUEEZE, -SQUEEZE), duration=0.35)
        planner.wait(0.1)
        planner.begin("lift")
        top = max(level + BEFORE, floor + level + 0.5 * BEFORE) + (0.06 if self.goal in ("hole", "stack") else 0.0)
        planner.move(table.point(spot[0], spot[1], top))
        if self.goal == "air":
            planner.begin("hold")
            planner.move(table.point(spot[0], 0.0, top + 0.05), table.down(spin))
            planner.wait(0.6)
            goal = table.point(spot[0], 0.0, top + 0.05 - item.grip)
            return [_at(item, goal, radius=0.03, height=0.03)]
        planner.begin("carry")
        planner.move(table.point(to[0], to[1], top), table.down(0.0))
        planner.begin("place")
        rest = floor
        if self.goal == "stack" and self.item in ("bowl", "cup"):
            rest = self._nested(item)
        planner.move(table.point(to[0], to[1], rest + level + DROP), speed=0.7)
        planner.grip(OPEN, duration=0.3)
        planner.begin("retreat")
        planner.move(table.point(to[0], to[1], rest + level + BEFORE))
        if last:
            planner.wait(0.2)
        goal = table.point(to[0], to[1], rest + item.below)
        fine = self.goal in ("hole", "stack")
        done: list[Condition] = [_at(item, goal, radius=0.015 if fine else 0.035, height=0.02)]
        if self.item != "roller":
            done.append(ConditionUpright(body=item.body.name, angle=0.2))
        return done

    def _nested(self, item: Item) -> float:
        """Height over the lower one of two equal vessels at which the upper one comes to rest [m]: walls touch."""
        geometry = item.body.geometry
        slope = (geometry.radius - geometry.base_radius) / geometry.height  # type: ignore[union-attr]  # a vessel
        return float(min(geometry.wall / max(slope, 1e-3), 0.8 * geometry.height))  # type: ignore[union-attr]  # as above


def _at(item: Item, goal: np.ndarray, *, radius: float, height: float) -> ConditionPlace:
    return ConditionPlace.model_validate(
        {"bodies": (item.body.name,), "target": tuple(goal.tolist()), "radius": radius, "height": height}
    )
