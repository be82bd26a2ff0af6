"""ArmOpen: an arm opens a drawer or a door by its handle."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from layouts.arms import BEFORE, OPEN, Bench, bench
from layouts.building import UP, block, hinge
from layouts.placements.base import Placement, Range
from layouts.stage import REST_GAP, Stage, heading, mass, snapped, yaw
from layouts.streams import Streams
from simfactory.arms import Planner, approach
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodySolid, ConditionJoint, Joint, JointSlider, JointWeld

__all__ = ["ArmOpen"]

KNOB, STICK = 0.014, 0.07  # [m] breadth of a handle, and how far it sticks out
LEAN = math.radians(15.0)  # of the tool, towards the front


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmOpen(Placement):
    """Lets an arm take a handle and pull a drawer out or a door open.

    The bodies of the role are the bench, the case (a drawer's has a top, a floor and two sides; a door's is a post),
    the part that opens, and its handle, which is welded to it. All are cut to measure. Done when it is open.

    Attributes:
        target: What is opened.
        friction: Dry friction of slider or hinge, over the part's weight (times its width) [1].
    """

    target: Literal["drawer", "door"]
    friction: Range = (0.05, 0.3)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with bench, furniture and the arm that opens it.

        Raises:
            SpecError: The number of bodies is not that of the furniture, or a place cannot be reached.
        """
        wanted = 7 if self.target == "drawer" else 4
        if len(bodies) != wanted:
            raise SpecError(f"the arm of {role!r} has {len(bodies)} bodies; a {self.target} asks for {wanted}")
        draw = streams("arm_open", role)
        table = bench(bodies[0], stage, draw, depth=1.02)
        if self.target == "drawer":
            parts, joints, done, planner = self._drawer(table, bodies[1:], draw)
        else:
            parts, joints, done, planner = self._door(table, bodies[1:], draw)
        return table.staged(stage, role, planner, parts, grip=25.0, success=[done], joints=joints)

    def _drawer(
        self, table: Bench, bodies: tuple[BodySolid, ...], draw: Stream
    ) -> tuple[list[BodySolid], list[Joint], ConditionJoint, Planner]:
        width, high, deep = draw.uniform(0.2, 0.28), draw.uniform(0.06, 0.08), draw.uniform(0.2, 0.24)
        front, left, low = draw.uniform(0.54, 0.58), draw.uniform(-0.1, 0.1), draw.uniform(0.05, 0.12)
        turn, thick, gap = yaw(table.angle), 0.015, 0.004
        middle = low + 0.5 * high
        outer = 0.5 * width + gap + 0.5 * thick

        def panel(
            body: BodySolid, size: tuple[float, float, float], ahead: float, aside: float, up: float
        ) -> BodySolid:
            return block(body, size, table.point(ahead, left + aside, up), turn)

        back, wide = front + 0.5 * deep + 0.01, width + 2.0 * gap + 2.0 * thick
        tall = middle + 0.5 * high + gap
        case = [
            panel(bodies[0], (deep, wide, thick), back, 0.0, tall + 0.5 * thick + REST_GAP),
            panel(bodies[1], (deep, width, low - gap - REST_GAP), back, 0.0, 0.5 * (low - gap - REST_GAP) + REST_GAP),
            panel(bodies[2], (deep, thick, tall - REST_GAP), back, outer, 0.5 * tall),
            panel(bodies[3], (deep, thick, tall - REST_GAP), back, -outer, 0.5 * tall),
        ]
        box = panel(bodies[4], (deep, width, high), front + 0.5 * deep, 0.0, middle)
        grip = panel(bodies[5], (STICK, KNOB, 0.03), front - 0.5 * STICK, 0.0, middle)
        travel = draw.uniform(0.1, 0.15)
        pull = -heading(table.angle)
        slider = JointSlider.model_validate(
            {
                "name": f"{box.name}_slider",
                "parent": case[1].name,
                "child": box.name,
                "anchor": snapped(np.asarray(box.position)),
                "axis": snapped(pull),
                "lower": 0.0,
                "upper": travel + 0.03,
                "friction": draw.uniform(*self.friction) * mass(box) * table.weight,
                "damping": 2.0,
            }
        )
        weld = _weld(box, grip)
        tool = table.down(lean=LEAN)
        hold = table.point(front - STICK + 0.015, left, middle)
        planner = _taken(table, hold, tool, draw)
        planner.begin("pull")
        planner.move(hold + travel * pull, speed=0.7)
        planner.begin("release")
        planner.grip(OPEN, duration=0.3)
        planner.wait(0.2)
        return [*case, box, grip], [slider, weld], ConditionJoint(joint=slider.name, lower=0.8 * travel), planner

    def _door(
        self, table: Bench, bodies: tuple[BodySolid, ...], draw: Stream
    ) -> tuple[list[BodySolid], list[Joint], ConditionJoint, Planner]:
        width, high = draw.uniform(0.18, 0.24), draw.uniform(0.12, 0.16)
        front, swing = draw.uniform(0.54, 0.58), math.radians(draw.uniform(35.0, 50.0))
        side = 0.5 * width + draw.uniform(-0.03, 0.03)
        out, across = heading(table.angle), heading(table.angle + math.pi / 2)
        turn, pivot = yaw(table.angle), table.point(front, side)
        post = block(
            bodies[0], (0.04, 0.04, high + 0.04), pivot + 0.024 * across + (0.5 * high + 0.02 + REST_GAP) * UP, turn
        )
        middle = pivot - 0.5 * width * across + (0.5 * high + 0.02) * UP
        leaf = block(bodies[1], (0.02, width - 0.004, high), middle, turn)
        at = pivot - 0.82 * width * across + (0.65 * high + 0.02) * UP - (0.01 + 0.5 * STICK) * out
        knob = block(bodies[2], (STICK, KNOB, 0.03), at, turn)
        joint = hinge(
            f"{leaf.name}_hinge",
            leaf.name,
            pivot + (0.5 * high + 0.02) * UP,
            -UP,
            parent=post.name,
            lower=0.0,
            upper=1.6,
            friction=draw.uniform(*self.friction) * 0.1 * mass(leaf) * table.weight * width,
            damping=0.02,
        )
        arm, poses = at - (0.5 * STICK - 0.015) * out - pivot, []
        for share in np.linspace(0.0, 1.0, 12)[1:].tolist():
            angle = -swing * share
            turned = np.array(
                [[math.cos(angle), -math.sin(angle), 0.0], [math.sin(angle), math.cos(angle), 0.0], [0.0, 0.0, 1.0]]
            )
            pose = np.eye(4)
            pose[:3, 3] = pivot + turned @ arm
            pose[:3, :3] = approach(table.angle + angle, lean=LEAN)
            poses.append(pose)
        planner = _taken(table, pivot + arm, table.down(lean=LEAN), draw)
        planner.begin("pull")
        planner.follow(poses, duration=draw.uniform(1.4, 2.0))
        planner.begin("release")
        planner.grip(OPEN, duration=0.3)
        planner.wait(0.2)
        return (
            [post, leaf, knob],
            [joint, _weld(leaf, knob)],
            ConditionJoint(joint=joint.name, lower=0.75 * swing),
            planner,
        )


def _weld(parent: BodySolid, child: BodySolid) -> JointWeld:
    return JointWeld.model_validate(
        {"name": f"{child.name}_weld", "parent": parent.name, "child": child.name, "anchor": snapped(child.position)}
    )


def _taken(table: Bench, hold: np.ndarray, tool: np.ndarray, draw: Stream) -> Planner:
    """Return a plan that ends with the handle between the fingers."""
    away = -tool[:, 2]
    planner = table.planner(hold + (BEFORE + draw.uniform(0.0, 0.05)) * away, tool)
    planner.begin("reach")
    planner.move(hold)
    planner.begin("grasp")
    planner.grip(-0.01, duration=0.35)
    planner.wait(0.1)
    return planner
