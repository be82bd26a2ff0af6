"""Things that an arm handles, cut to measure: blocks, rollers, cups, bowls, bottles, pegs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from layouts.building import UP, block
from layouts.solids import lowest
from layouts.stage import REST_GAP, moved
from simfactory.rng import Stream
from simfactory.spec import BodySolid, Cylinder, Vessel

__all__ = ["Item", "ItemKind", "lying", "standing"]

Vector = npt.NDArray[np.float64]
ItemKind = Literal["block", "roller", "cup", "mug", "bowl", "can", "peg"]

DEEP = 0.016  # [m] of the finger tips below the upper edge of what they hold
VESSELS = {  # height, radius of the rim [m], radius of the base over that of the rim
    "cup": ((0.065, 0.095), (0.03, 0.036), (0.8, 0.95)),
    "mug": ((0.065, 0.095), (0.032, 0.036), (0.98, 1.0)),
    "bowl": ((0.04, 0.05), (0.034, 0.037), (0.68, 0.76)),
}
ROUND = (0.018, 0.034)  # [m] radius of what fits between the fingers


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A body to be held.

    Attributes:
        body: The body, in place.
        grip: Height of the finger tips over its origin when they hold it [m].
        half: Half its width between the fingers [m].
        below: Height of its origin over what it stands on [m].
        height: Its height [m].
    """

    body: BodySolid
    grip: float
    half: float
    below: float
    height: float


def standing(body: BodySolid, kind: ItemKind, at: Vector, orientation: Vector, draw: Stream) -> Item:
    """Return a thing cut to measure that stands on a place `(3,)` [m]; a roller lies across the arm's fingers.

    Args:
        body: Material and look.
        kind: What it becomes.
        at: Where it stands, world frame [m].
        orientation: `(4,)` xyzw of an upright thing.
        draw: Randomness of its measures.
    """
    if kind in ("block", "peg"):
        width, deep = draw.uniform(0.03, 0.055), draw.uniform(0.03, 0.07)
        height = draw.uniform(0.035, 0.08) if kind == "block" else draw.uniform(0.1, 0.14)
        if kind == "peg":
            width = deep = draw.uniform(0.026, 0.036)
        made = block(body, (deep, width, height), at + (0.5 * height + REST_GAP) * UP, orientation)
        return Item(
            body=made, grip=0.5 * height - min(DEEP, 0.5 * height), half=0.5 * width, below=0.5 * height, height=height
        )
    radius = draw.uniform(*ROUND)
    if kind in ("can", "roller"):
        height = draw.uniform(0.07, 0.11)
        made = _shaped(body, Cylinder(radius=radius, height=height), at + (0.5 * height + REST_GAP) * UP, orientation)
        return Item(body=made, grip=0.5 * height - DEEP, half=radius, below=0.5 * height, height=height)
    tall, broad, flare = VESSELS[kind]
    height, rim = draw.uniform(*tall), draw.uniform(*broad)
    base = rim * draw.uniform(*flare)
    vessel = Vessel(radius=rim, base_radius=base, height=height, wall=draw.uniform(0.003, 0.004))
    made = _shaped(body, vessel, at, orientation)
    below = -float(_lowest(made))
    made = moved(made, position=at + (below + REST_GAP) * UP)
    deep = 0.012 if kind == "bowl" else DEEP
    return Item(
        body=made, grip=height - below - deep, half=rim - (rim - base) * deep / height, below=below, height=height
    )


def lying(body: BodySolid, at: Vector, orientation: Vector, draw: Stream) -> Item:
    """Return a roller that lies on a place `(3,)` [m], its axis along local z of an orientation `(4,)`."""
    radius, length = draw.uniform(*ROUND), draw.uniform(0.08, 0.18)
    made = _shaped(body, Cylinder(radius=radius, height=length), at + (radius + REST_GAP) * UP, orientation)
    return Item(body=made, grip=0.0, half=radius, below=radius, height=2.0 * radius)


def _shaped(
    body: BodySolid, geometry: Cylinder | Vessel, at: Vector, orientation: Sequence[float] | Vector
) -> BodySolid:
    return moved(
        body, geometry=geometry, scale=1.0, aspect=(1.0, 1.0, 1.0), position=at, orientation=np.asarray(orientation)
    )


def _lowest(body: BodySolid) -> float:
    """Height of an upright body's lowest point over its origin [m]."""
    return lowest(moved(body, position=np.zeros(3)))
