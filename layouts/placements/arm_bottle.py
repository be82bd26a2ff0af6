"""ArmBottle: an arm shakes a bottle, or sets one upright that lies on its side."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from layouts.arms import BEFORE, OPEN, Bench, bench
from layouts.building import UP
from layouts.placements.base import Placement
from layouts.stage import REST_GAP, Stage, mass, moved, snapped, yaw
from layouts.streams import Streams
from simfactory.arms import Planner
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodySolid, Condition, ConditionPlace, ConditionUpright, Cylinder, JointWeld
from simfactory.transforms import quat_from_axis_angle, quat_multiply, quat_to_matrix

__all__ = ["ArmBottle"]

NECK = 0.045  # [m] length
SQUEEZE = 0.02  # [m] by which each finger is told to close beyond the surface


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmBottle(Placement):
    """Lets an arm handle a bottle: a cylinder with a neck welded to it.

    The bodies of the role are the bench, the bottle and its neck; all are cut to measure. Done when the bottle is held
    up at last (shake), or stands (adjust).

    Attributes:
        task: What the arm does with it.
        shakes: How often it is shaken, lowest and highest.
    """

    task: Literal["shake", "adjust"]
    shakes: tuple[int, int] = (3, 5)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with bench, bottle and arm.

        Raises:
            SpecError: The number of bodies is not three, or a place cannot be reached.
        """
        if len(bodies) != 3:
            raise SpecError(f"the arm of {role!r} has {len(bodies)} bodies; allowed are a bench, a bottle and a neck")
        draw = streams("arm_bottle", role)
        table = bench(bodies[0], stage, draw)
        radius, high = draw.uniform(0.024, 0.034), draw.uniform(0.09, 0.12)
        neck, spot = draw.uniform(0.009, 0.012), (draw.uniform(0.42, 0.52), draw.uniform(0.0, 0.15))
        if self.task == "shake":
            middle, turn = table.point(*spot, 0.5 * high + REST_GAP), yaw(table.angle)
        else:  # on its side, the neck to the left
            level = quat_multiply(yaw(table.angle), quat_from_axis_angle((1.0, 0.0, 0.0), -0.5 * math.pi))
            middle, turn = table.point(*spot, radius + REST_GAP), level
        up = quat_to_matrix(turn) @ UP
        bottle = _cylinder(bodies[1], radius, high, middle, turn)
        top = _cylinder(bodies[2], neck, NECK, middle + (0.5 * high + 0.5 * NECK) * up, turn)
        weld = JointWeld.model_validate(
            {"name": f"{top.name}_weld", "parent": bottle.name, "child": top.name, "anchor": snapped(top.position)}
        )
        grip = table.grip(bottle, load=mass(top))
        plan = self._shaken if self.task == "shake" else self._adjusted
        planner, done = plan(table, bottle, spot, radius, high, draw)
        return table.staged(stage, role, planner, [bottle, top], grip=1.5 * grip, success=done, joints=[weld])

    def _shaken(
        self, table: Bench, bottle: BodySolid, spot: tuple[float, float], radius: float, high: float, draw: Stream
    ) -> tuple[Planner, list[Condition]]:
        tool = table.down()
        hold = table.point(*spot, high + 0.5 * NECK)
        planner = table.planner(hold + (BEFORE + draw.uniform(0.0, 0.05)) * UP, tool)
        planner.begin("reach")
        planner.move(hold)
        _grasp(planner, 0.01)
        planner.begin("lift")
        lifted = hold + 0.16 * UP
        planner.move(lifted)
        planner.begin("shake")
        swing, lean = draw.uniform(0.03, 0.05), math.radians(draw.uniform(6.0, 14.0))
        for number in range(draw.integer(*self.shakes)):
            sign = -1.0 if number % 2 else 1.0
            planner.move(lifted + sign * swing * UP, table.down(lean=-0.1 + sign * lean), speed=1.6)
        planner.begin("hold")
        planner.move(lifted, tool)
        planner.wait(0.3)
        goal = table.point(*spot, 0.5 * high + 0.16)
        held = ConditionPlace.model_validate(
            {"bodies": (bottle.name,), "target": tuple(goal.tolist()), "radius": 0.04, "height": 0.04}
        )
        return planner, [held]

    def _adjusted(
        self, table: Bench, bottle: BodySolid, spot: tuple[float, float], radius: float, high: float, draw: Stream
    ) -> tuple[Planner, list[Condition]]:
        # Held about its middle from above, lifted, turned about the line of the fingers, set down.
        hold = table.point(*spot, radius + 0.004)
        planner = table.planner(hold + (BEFORE + draw.uniform(0.0, 0.05)) * UP, table.sideways())
        planner.begin("reach")
        planner.move(hold)
        _grasp(planner, radius)
        planner.begin("lift")
        lifted = hold + 0.14 * UP
        planner.move(lifted)
        planner.begin("turn")
        tool = table.sideways(math.radians(90.0))
        planner.move(lifted, tool, speed=0.8)
        planner.begin("place")
        # The tool was 4 mm above the axis; leaning by 90° that is 4 mm to the right of it.
        planner.move(table.point(spot[0], spot[1], 0.5 * high + 0.003), speed=0.7)
        planner.grip(OPEN, duration=0.35)
        planner.begin("retreat")
        planner.move(table.point(spot[0], spot[1] - 0.08, 0.5 * high + 0.003))
        planner.wait(0.2)
        goal = table.point(spot[0], spot[1], 0.5 * high)
        stands = ConditionPlace.model_validate(
            {"bodies": (bottle.name,), "target": tuple(goal.tolist()), "radius": 0.05, "height": 0.02}
        )
        return planner, [ConditionUpright(body=bottle.name, angle=0.15), stands]


def _grasp(planner: Planner, radius: float) -> None:
    planner.begin("grasp")
    planner.grip(max(radius - SQUEEZE, -SQUEEZE), duration=0.35)
    planner.wait(0.1)


def _cylinder(body: BodySolid, radius: float, height: float, at: np.ndarray, turn: np.ndarray) -> BodySolid:
    shape = Cylinder(radius=radius, height=height)
    return moved(body, geometry=shape, scale=1.0, aspect=(1.0, 1.0, 1.0), position=at, orientation=turn)
