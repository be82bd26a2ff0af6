"""ArmRope: an arm takes a rope by its end and hangs it over a peg, or drags it over the bench."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from layouts.arms import BEFORE, OPEN, Bench, bench
from layouts.building import UP, block
from layouts.lines import as_rope, laid
from layouts.placements.base import Placement, Range
from layouts.stage import REST_GAP, Stage, moved, yaw
from layouts.streams import Streams
from simfactory.arms import Planner
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodyRope, BodySolid, Capsule, ConditionWithin
from simfactory.transforms import quat_from_axis_angle, quat_multiply

__all__ = ["ArmRope"]

Vector = npt.NDArray[np.float64]

SQUEEZE = 1.5e-4  # [m] by which each finger presses into the rope: some 20 N on every sample between the pads
GRIP = 40.0  # [N]
FROM_END = 0.035  # [m] of the grip from the rope's end
TIP = 0.011  # [m] by which the finger tips reach beyond the tool
POST = 0.05  # [m] width of the post


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmRope(Placement):
    """Lets an arm take the end of a rope that lies across the bench.

    The bodies of the role are the bench and the rope, for "hang" with a post and a peg between them; all are cut to
    measure. The fingers hold by friction alone.

    Attributes:
        task: "hang": the end goes over the peg and down behind it, done when the rope hangs over it to both sides;
            "drag": over the bench, done when the end lies where it shall.
        height: Of the peg over the bench [m].
    """

    task: Literal["hang", "drag"]
    height: Range = (0.2, 0.25)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with bench, rope and the arm.

        Raises:
            SpecError: The number of bodies is not what the task asks for, or a place cannot be reached.
        """
        wanted = 4 if self.task == "hang" else 2
        if len(bodies) != wanted:
            raise SpecError(f"the arm of {role!r} has {len(bodies)} bodies; its task {self.task!r} asks for {wanted}")
        draw = streams("arm_rope", role)
        table = bench(bodies[0], stage, draw)
        rope = as_rope(bodies[-1])
        act = self._hang if self.task == "hang" else self._drag
        return act(role, bodies[1:-1], rope, table, stage, draw)

    def _hang(
        self, role: str, stands: tuple[BodySolid, ...], rope: BodyRope, table: Bench, stage: Stage, draw: Stream
    ) -> Stage:
        ahead, aside, high = draw.uniform(0.46, 0.49), draw.uniform(-0.08, -0.02), draw.uniform(*self.height)
        thick = draw.uniform(0.012, 0.018)
        post, peg = _peg(table, stands, aside, high, thick)
        made, grasp = _across(table, rope, ahead, 0.32)
        planner = table.planner(grasp + (BEFORE + draw.uniform(0.0, 0.04)) * UP, table.sideways())
        self._take(planner, rope, grasp)
        planner.begin("lift")
        over = high + thick + 0.1
        planner.move(grasp + over * UP)
        planner.begin("hang")
        planner.move(table.point(ahead, aside, over))
        planner.move(table.point(ahead, aside - 0.14, over))
        planner.move(table.point(ahead, aside - 0.2, 0.08))
        planner.grip(OPEN, duration=0.3)
        planner.begin("retreat")
        planner.move(table.point(ahead, aside - 0.24, 0.3))
        planner.wait(0.4)
        low, top = 0.04, high + thick + 2.5 * rope.geometry.radius
        sides = [(aside - sign * 0.16, 0.32) for sign in (-1.0, 1.0)]
        done = [_within(table, rope.name, (ahead, left), (0.4, wide), (low, high), share=0.1) for left, wide in sides]
        done.append(_within(table, rope.name, (ahead, aside), (0.4, 0.1), (high, top), share=0.015))
        return table.staged(stage, role, planner, [post, peg, made], grip=GRIP, success=done)

    def _drag(
        self, role: str, stands: tuple[BodySolid, ...], rope: BodyRope, table: Bench, stage: Stage, draw: Stream
    ) -> Stage:
        ahead = draw.uniform(0.48, 0.52)
        made, grasp = _across(table, rope, ahead, 0.3)
        goal = draw.uniform(0.34, 0.38), draw.uniform(-0.22, -0.1)
        level = float(grasp[2] - table.top)
        planner = table.planner(grasp + (BEFORE + draw.uniform(0.0, 0.08)) * UP, table.sideways())
        self._take(planner, rope, grasp)
        planner.begin("drag")
        planner.move(table.point(0.38, 0.16, level), speed=0.7)
        planner.move(table.point(*goal, level), table.sideways(spin=0.5), speed=0.7)
        planner.begin("release")
        planner.grip(OPEN, duration=0.3)
        planner.begin("retreat")
        planner.move(table.point(*goal, level + BEFORE))
        planner.wait(0.3)
        done = _within(table, rope.name, goal, (0.16, 0.16), (0.0, 0.08), share=0.08)
        return table.staged(stage, role, planner, [made], grip=GRIP, success=[done])

    def _take(self, planner: Planner, rope: BodyRope, grasp: Vector) -> None:
        planner.begin("reach")
        planner.move(grasp)
        planner.begin("grasp")
        planner.grip(rope.geometry.radius - SQUEEZE, duration=0.35)
        planner.wait(0.05)


def _across(table: Bench, rope: BodyRope, ahead: float, end: float) -> tuple[BodyRope, Vector]:
    """Return a rope that lies straight across the bench up to `end` on the left, and where it is taken."""
    level = rope.geometry.radius + REST_GAP
    ends = [table.point(ahead, end - rope.chord, level), table.point(ahead, end, level)]
    line = ends[0] + np.linspace(0.0, 1.0, 3)[:, None] * (ends[1] - ends[0])
    return laid(rope, line), table.point(ahead, end - FROM_END, max(level, TIP + 2e-3))


def _peg(
    table: Bench, stands: tuple[BodySolid, ...], aside: float, high: float, thick: float
) -> tuple[BodySolid, BodySolid]:
    """Return a post at the far side of the bench and a level peg that stands out from it towards the arm."""
    level = quat_multiply(yaw(table.angle), quat_from_axis_angle((0.0, 1.0, 0.0), 0.5 * np.pi))
    tall, near, far = high + 0.04, 0.41, 0.58
    post = block(
        stands[0],
        (POST, POST, tall),
        table.point(far + 0.5 * POST + REST_GAP, aside, 0.5 * tall + REST_GAP),
        yaw(table.angle),
    )
    peg = moved(
        stands[1],
        geometry=Capsule(radius=thick, height=far - near - 2.0 * thick),
        scale=1.0,
        aspect=(1.0, 1.0, 1.0),
        position=table.point(0.5 * (near + far), aside, high),
        orientation=level,
    )
    return post, peg


def _within(
    table: Bench,
    name: str,
    spot: tuple[float, float],
    wide: tuple[float, float],
    heights: tuple[float, float],
    *,
    share: float,
) -> ConditionWithin:
    low, high = heights
    center = table.point(*spot, 0.5 * (low + high))
    return ConditionWithin.model_validate(
        {
            "body": name,
            "share": share,
            "center": tuple(round(float(value), 6) for value in center),
            "size": tuple(round(value, 6) for value in (*wide, high - low)),
            "bearing": round(table.angle, 6),
        }
    )
