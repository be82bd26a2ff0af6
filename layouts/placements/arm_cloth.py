"""ArmCloth: an arm takes a cloth by a corner that hangs over a board's edge, and folds, lifts or pulls it off."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from layouts.arms import OPEN, Bench, bench
from layouts.building import UP, block
from layouts.placements.base import Placement, Range
from layouts.stage import REST_GAP, Stage, moved, yaw
from layouts.streams import Streams
from simfactory.arms import Planner
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodyCloth, BodySolid, Condition, ConditionFolded, ConditionWithin, Rectangle

__all__ = ["ArmCloth"]

Vector = npt.NDArray[np.float64]

EDGE = 0.03  # [m] of the cloth's mesh
LEAN = math.radians(45.0)  # of the tool as it takes the corner: hand and board keep clear of each other
THICK, STAND = 0.018, 0.08  # [m] of the board, of what it stands on
AHEAD = 0.46  # [m] near side of the cloth, about
ABOVE = 4e-3  # [m] of the cloth over the board at first: more than it keeps from rigid bodies
CLOSED = 2.4e-3  # [m] each finger: a little more than half a layer of cloth, which does not press on it
SIDE, TUCK = 0.008, 0.02  # [m] of the grip from the sides of the cloth that meet in the corner
GRIP = 15.0  # [N]
BACK = 0.05  # [m] along the tool from the grip to where it begins
SETTLE = 1.2  # [s] in which what is over the edge falls and swings
HANGS = 0.025  # [m] beyond the edge at which it hangs


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmCloth(Placement):
    """Lets an arm take a square of cloth by the corner nearest to it, which hangs over the side of a board.

    The bodies of the role are the bench, a stand, a board and the cloth; all are cut to measure.

    Attributes:
        task: "fold": the corner goes over to the opposite one, done when enough of the cloth lies double; "lift": up
            into the air, done while all hangs there; "pull": off the board, done when all lies beside it.
        size: Of the sides of the cloth [m].
        overhang: How far it hangs over the board's edge [m].
        height: Of the board over the bench [m].
    """

    task: Literal["fold", "lift", "pull"]
    size: Range = (0.24, 0.28)
    overhang: Range = (0.085, 0.1)
    height: Range = (0.32, 0.35)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with bench, board, cloth and the arm.

        Raises:
            SpecError: The bodies are not what is asked for, or a place cannot be reached.
        """
        if len(bodies) != 4 or not isinstance(bodies[3], BodyCloth):
            raise SpecError(f"the arm of {role!r} has {len(bodies)} bodies; allowed are bench, stand, board and cloth")
        draw = streams("arm_cloth", role)
        table = bench(bodies[0], stage, draw, depth=0.98)
        spot = self._spot(draw)
        parts = _parts(table, bodies[1], bodies[2], bodies[3], spot)
        grasp = table.point(spot.near + SIDE, spot.edge - HANGS, spot.top - spot.overhang + TUCK)
        tilted = table.down(lean=LEAN)
        before = grasp - BACK * (math.sin(LEAN) * _out(table) - math.cos(LEAN) * UP)
        planner = table.planner(before, tilted)
        planner.begin("reach")
        planner.wait(SETTLE + draw.uniform(0.0, 0.1))
        planner.move(grasp, tilted, speed=0.6)
        planner.begin("grasp")
        planner.grip(CLOSED, duration=0.35)
        planner.wait(0.05)
        done = {"fold": _folded, "lift": _lifted, "pull": _pulled}[self.task](table, planner, spot, bodies[3].name)
        return table.staged(stage, role, planner, parts, grip=GRIP, success=[done])

    def _spot(self, draw: Stream) -> "_Spot":
        edge = {"fold": -0.04, "lift": 0.0, "pull": 0.06}[self.task]
        return _Spot(
            near=AHEAD + draw.uniform(0.0, 0.015),
            edge=edge + draw.uniform(-0.02, 0.02),
            top=draw.uniform(*self.height),
            size=draw.uniform(*self.size),
            overhang=draw.uniform(*self.overhang),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spot:
    """Where the cloth is: its near side and the board's right edge, before and left of the arm; heights over the bench.

    Attributes:
        near: [m].
        edge: [m].
        top: Height of the board's top [m].
        size: Side of the cloth [m].
        overhang: Of the cloth beyond the edge [m].
    """

    near: float
    edge: float
    top: float
    size: float
    overhang: float


def _out(table: Bench) -> Vector:
    return table.point(1.0, 0.0) - table.point(0.0, 0.0)


def _parts(
    table: Bench, stand: BodySolid, board: BodySolid, cloth: BodyCloth, spot: _Spot
) -> tuple[BodySolid, BodySolid, BodySolid]:
    turn, deep, wide = yaw(table.angle), spot.size, spot.size - spot.overhang + 0.03
    ahead, left = spot.near + 0.02 + 0.5 * deep, spot.edge + 0.5 * wide
    high = spot.top - THICK - REST_GAP
    foot = block(stand, (STAND, STAND, high - REST_GAP), table.point(ahead, left, 0.5 * (high + REST_GAP)), turn)
    plate = block(board, (deep, wide, THICK), table.point(ahead, left, spot.top - 0.5 * THICK), turn)
    middle = spot.near + 0.5 * spot.size, spot.edge - spot.overhang + 0.5 * spot.size
    sheet = moved(
        cloth,
        geometry=Rectangle(size=(round(spot.size, 6), round(spot.size, 6))),
        resolution=round(spot.size / EDGE),
        position=table.point(*middle, spot.top + ABOVE),
        orientation=turn,
    )
    return foot, plate, sheet


def _freed(table: Bench, planner: Planner, spot: _Spot) -> None:
    """Take the corner up beside the board's edge, until the hand is above it."""
    planner.begin("lift")
    planner.move(table.point(spot.near - 0.02, spot.edge - 0.02, spot.top - 0.01), speed=0.8)
    planner.move(table.point(spot.near, spot.edge - 0.03, spot.top + 0.06), table.down(lean=math.radians(35.0)))


def _folded(table: Bench, planner: Planner, spot: _Spot, name: str) -> Condition:
    """Take the corner up and over to the opposite one, in half a circle about the diagonal between."""
    grip = np.array([spot.near + SIDE, spot.edge - spot.overhang + TUCK])
    center = np.array([spot.near, spot.edge - spot.overhang]) + 0.5 * spot.size
    way = np.full(2, math.sqrt(0.5))
    middle = grip + way * float((center - grip) @ way)
    radius = float((center - grip) @ way)
    _freed(table, planner, spot)
    planner.begin("fold")
    for angle, lean in ((50.0, 40.0), (90.0, 30.0), (120.0, 30.0), (150.0, 30.0)):
        turn = math.radians(angle)
        at = middle - 0.97 * radius * math.cos(turn) * way
        up = max(0.97 * radius * math.sin(turn), 0.03)
        planner.move(table.point(at[0], at[1], spot.top + up), table.down(lean=math.radians(lean)), speed=0.9)
    planner.begin("release")
    planner.grip(OPEN, duration=0.3)
    planner.begin("retreat")
    planner.move(table.point(middle[0] - 0.05, middle[1], spot.top + 0.25))
    planner.wait(0.3)
    return ConditionFolded(body=name, share=0.35, radius=0.02, height=0.04, apart=0.1)


def _lifted(table: Bench, planner: Planner, spot: _Spot, name: str) -> Condition:
    """Take the corner up until all hangs from it."""
    high = spot.top + math.sqrt(2.0) * spot.size + 0.06
    _freed(table, planner, spot)
    place = table.point(0.48, spot.edge, high)
    planner.move(place, table.down(lean=math.radians(75.0)), speed=0.8)
    planner.begin("hold")
    planner.wait(0.6)
    deep = high - spot.top - 0.005
    return _within(table, name, place - (0.5 * deep - 0.02) * UP, (0.5, 0.5, deep + 0.04), share=0.97)


def _pulled(table: Bench, planner: Planner, spot: _Spot, name: str) -> Condition:
    """Take the corner aside until the rest has slid off the board, and let go."""
    far = spot.edge - 0.75 * spot.size - 0.12
    planner.begin("pull")
    planner.move(table.point(0.48, far, spot.top), table.down(lean=math.radians(15.0)))
    planner.begin("release")
    planner.grip(OPEN, duration=0.3)
    planner.begin("retreat")
    planner.wait(0.7)
    wide = 0.6
    place = table.point(0.5, spot.edge - 0.5 * wide, 0.5 * (spot.top - THICK))
    return _within(table, name, place, (0.8, wide, spot.top - THICK), share=0.97)


def _within(
    table: Bench, name: str, center: Vector, size: tuple[float, float, float], *, share: float
) -> ConditionWithin:
    return ConditionWithin.model_validate(
        {
            "body": name,
            "share": share,
            "center": tuple(round(float(value), 6) for value in center),
            "size": tuple(round(value, 6) for value in size),
            "bearing": round(table.angle, 6),
        }
    )
