"""ArmPress: an arm presses a button, a stapler or a lever."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from layouts.arms import BEFORE, Bench, bench
from layouts.building import UP, bar, block, hinge
from layouts.placements.base import Placement, Range
from layouts.stage import REST_GAP, Stage, heading, snapped, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodySolid, ConditionJoint, Drive, Joint, JointSlider, Waypoint

__all__ = ["ArmPress"]

Made = tuple[list[BodySolid], Joint, list[tuple[float, float, float]], ConditionJoint]
TIP = 0.011  # [m] by which the finger tips reach beyond the tool


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmPress(Placement):
    """Lets an arm press down, with closed fingers, what a spring holds up or friction holds.

    The bodies of the role are the bench, a stand and the part that gives way; all are cut to measure. Done when the
    part was down once (a lever: when it is down).

    Attributes:
        target: A button on a slider, the arm of a stapler on a hinge, or a lever that stays where it is put.
        force: That the arm needs at least to press it down [N].
    """

    target: Literal["button", "stapler", "lever"]
    force: Range = (3.0, 12.0)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with bench, mechanism and the arm that presses it.

        Raises:
            SpecError: The number of bodies is not three, or a place cannot be reached.
        """
        if len(bodies) != 3:
            raise SpecError(f"the arm of {role!r} has {len(bodies)} bodies; allowed are a bench, a stand and a part")
        draw = streams("arm_press", role)
        table = bench(bodies[0], stage, draw)
        make = {"button": self._button, "stapler": self._stapler, "lever": self._lever}[self.target]
        parts, joint, way, done = make(table, bodies[1], bodies[2], draw)
        above = table.point(way[0][0], way[0][1], way[0][2] + BEFORE + draw.uniform(0.0, 0.08))
        planner = table.planner(above, table.down(), opening=0.0)
        planner.begin("reach")
        planner.move(table.point(way[0][0], way[0][1], way[0][2] + 0.02))
        planner.begin("press")
        for place in way:
            planner.move(table.point(*place), speed=0.7)
        planner.wait(0.15)
        planner.begin("retreat")
        planner.move(above)
        return table.staged(stage, role, planner, parts, grip=20.0, success=[done], joints=[joint])

    def _button(self, table: Bench, stand: BodySolid, part: BodySolid, draw: Stream) -> Made:
        ahead, left, height = draw.uniform(0.42, 0.56), draw.uniform(-0.15, 0.15), draw.uniform(0.04, 0.08)
        width, deep = draw.uniform(0.05, 0.08), draw.uniform(0.012, 0.02)
        turn = yaw(table.angle)
        box = block(stand, (2.0 * width, 2.0 * width, height), table.point(ahead, left, 0.5 * height + REST_GAP), turn)
        top = height + deep + 0.012
        knob = block(part, (width, width, 0.02), table.point(ahead, left, top), turn)
        stiffness = draw.uniform(*self.force) / deep
        # Drawn up with as much as holds its weight.
        spring = _spring(stiffness, rest=knob.physical.density * width * width * 0.02 * table.weight / stiffness)
        joint = JointSlider(
            name=f"{part.name}_slider",
            parent=stand.name,
            child=part.name,
            anchor=snapped(table.point(ahead, left, top)),  # type: ignore[arg-type]  # three numbers
            axis=(0.0, 0.0, 1.0),
            lower=-deep,
            upper=0.0,
            drive=spring,
        )
        face = top + 0.01 + TIP
        return (
            [box, knob],
            joint,
            [(ahead, left, face - 1.15 * deep)],
            ConditionJoint(joint=joint.name, upper=-0.8 * deep, once=True),
        )

    def _stapler(self, table: Bench, stand: BodySolid, part: BodySolid, draw: Stream) -> Made:
        ahead, left, length = draw.uniform(0.36, 0.42), draw.uniform(-0.15, 0.15), draw.uniform(0.15, 0.2)
        width, gape = draw.uniform(0.035, 0.05), math.radians(draw.uniform(10.0, 18.0))
        out, across = heading(table.angle), heading(table.angle + math.pi / 2)
        base = block(
            stand, (length, width, 0.02), table.point(ahead + 0.5 * length, left, 0.01 + REST_GAP), yaw(table.angle)
        )
        pivot = table.point(ahead, left, 0.045)
        tip = pivot + length * (math.cos(gape) * out + math.sin(gape) * UP)
        arm = bar(part, pivot, tip, width, height=0.024)
        weight = arm.physical.density * length * width * 0.024 * table.weight
        stiffness = draw.uniform(*self.force) * length / gape
        joint = hinge(
            f"{part.name}_hinge",
            part.name,
            pivot,
            across,
            parent=stand.name,
            lower=0.0,
            upper=gape,
            damping=0.02,
            drive=_spring(stiffness, rest=-0.5 * weight * length / stiffness),
        )
        way = []
        for share in (0.0, 0.5, 0.85):
            angle, back = gape * (1.0 - share), 0.8 * length
            place = pivot + back * (math.cos(angle) * out + math.sin(angle) * UP) + 0.012 * UP - table.point(0.0, 0.0)
            way.append((float(place @ out), float(place @ across), float(place[2]) + TIP))
        return [base, arm], joint, way, ConditionJoint(joint=joint.name, lower=0.7 * gape, once=True)

    def _lever(self, table: Bench, stand: BodySolid, part: BodySolid, draw: Stream) -> Made:
        ahead, left, length = draw.uniform(0.42, 0.48), draw.uniform(0.05, 0.15), draw.uniform(0.2, 0.24)
        height, down = draw.uniform(0.24, 0.3), math.radians(draw.uniform(25.0, 40.0))
        out, across = heading(table.angle), heading(table.angle + math.pi / 2)
        tall = height + 0.04
        wall = block(
            stand, (0.04, 0.05, tall), table.point(ahead + 0.035, left, 0.5 * tall + REST_GAP), yaw(table.angle)
        )
        pivot = table.point(ahead, left, height)
        rod = bar(part, pivot, pivot - length * across, 0.02)
        weight = rod.physical.density * length * 0.02 * 0.02 * table.weight
        joint = hinge(
            f"{part.name}_hinge",
            part.name,
            pivot,
            out,
            parent=stand.name,
            lower=-0.1,
            upper=1.4,
            friction=0.5 * weight * length + draw.uniform(*self.force) * 0.05,
            damping=0.02,
        )
        way = []
        for share in np.linspace(0.0, 1.0, 5).tolist():
            angle, back = share * down, 0.88 * length
            place = pivot - back * math.cos(angle) * across - back * math.sin(angle) * UP + 0.011 * UP
            place = place - table.point(0.0, 0.0)
            way.append((float(place @ out), float(place @ across), float(place[2]) + TIP))
        return [wall, rod], joint, way, ConditionJoint(joint=joint.name, lower=0.75 * down)


def _spring(stiffness: float, *, rest: float) -> Drive:
    """A spring and a little damping, at rest at a joint position [rad or m]."""
    return Drive(
        waypoints=(Waypoint(time=0.0, position=rest),), stiffness=stiffness, damping=0.01 * stiffness, strength=200.0
    )
