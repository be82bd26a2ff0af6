"""Stack: bodies stand on each other."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layouts.placements.base import TRIES, Placement, Range
from layouts.solids import horizontal_faces, solid
from layouts.stage import Stage, heading, mass, moved, rested, snapped, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.polygons import convex_hull
from simfactory.rng import Stream
from simfactory.spec import BodySolid, Push

__all__ = ["Stack", "is_supported", "margin_inside"]

Points = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
FASTEST = 6.0  # [m/s] that a push gives
HEAVIEST = 8.0  # mass that a body carries over its own [1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack(Placement):
    """Builds one tower, each body half a millimetre above the one below it.

    The heaviest body is below: solvers that iterate let a light body sink under a much heavier one. Where such a
    tower would not stand, the widest one is below, unless a body would carry more than `HEAVIEST` times its own mass.

    Attributes:
        shift: Largest offset of a body from the one below, in inner radii of the smaller face [1].
        turn: Largest turn about the vertical from one body to the next [rad].
        push: How far an impulse is meant to drive the lowest body out [m]; sets its strength.
        push_time: When the impulse acts [s].
        center: Largest distance of the tower from the origin [m].
    """

    shift: float = 0.25
    turn: float = math.pi
    push: Range = (0.0, 0.0)
    push_time: Range = (0.2, 0.5)
    center: float = 0.0

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the tower on it.

        Raises:
            SpecError: No stable tower was found.
        """
        orders = [sorted(bodies, key=mass, reverse=True), sorted(bodies, key=_width, reverse=True)]
        draw = streams("stack", role)
        for attempt in range(TRIES):
            tower = self._tower(orders[2 * attempt // TRIES], draw)
            if is_supported(tower) and _burden(tower) <= HEAVIEST:
                break
        else:
            raise SpecError(
                f"no stable tower of {len(bodies)} bodies {role!r} in {TRIES} tries: allowed are bodies with level "
                f"faces that carry at most {HEAVIEST:g} times their mass; lower `shift` or use fewer bodies"
            )
        push, way = draw.uniform(*self.push), heading(draw.uniform(0.0, 2.0 * math.pi))
        triggers, waypoints, arrivals = [], [], {}
        if push > 0.0:
            strength = _impulse(tower, push, stage.weight)
            impulse = snapped(strength * way)
            # Driven out at an average of half its first speed; what stands on it falls about as far as it is high.
            arrivals[tower[0].name] = push * mass(tower[0]) / strength
            top, radius = np.asarray(tower[-1].position), solid(tower[-1]).radius
            waypoints = [
                (top * (1, 1, 0) + UP * radius + side * min(0.5 * top[2], 0.5) * way, radius) for side in (-1, 1)
            ]
            when = round(draw.uniform(*self.push_time), 3)
            triggers = [Push.model_validate({"body": tower[0].name, "time": when, "impulse": impulse})]
        return stage.extended(groups={role: tuple(tower)}, triggers=triggers, waypoints=waypoints, arrivals=arrivals)

    def _tower(self, ordered: list[BodySolid], draw: Stream) -> list[BodySolid]:
        at = self.center * math.sqrt(draw.uniform()) * heading(draw.uniform(0.0, 2.0 * math.pi))[:2]
        angle, floor = draw.uniform(0.0, 2.0 * math.pi), 0.0
        tower: list[BodySolid] = []
        for body in ordered:
            angle += draw.uniform(-self.turn, self.turn)
            upright = rested(body, at, orientation=yaw(angle), floor=floor)
            if tower:
                room = min(_inner_radius(tower[-1], upper=True), _inner_radius(upright, upper=False))
                offset = draw.uniform(0.0, self.shift) * room * heading(draw.uniform(0.0, 2.0 * math.pi))
                upright = moved(upright, position=np.asarray(upright.position) + offset)
            tower.append(upright)
            at, floor = np.asarray(upright.position[:2]), solid(upright).reach(UP)
        return tower


def _impulse(tower: list[BodySolid], distance: float, weight: float) -> float:
    """The impulse [N·s] that drives the lowest body out by a distance [m] against friction on both of its faces.

    v² = 2 a d with a = μ g (m + 2 M) / m: the floor carries m + M, the body above M.
    """
    own, above = mass(tower[0]), sum(mass(body) for body in tower[1:])
    braking = tower[0].physical.dynamic_friction * weight * (own + 2.0 * above) / own
    return own * min(math.sqrt(2.0 * braking * distance), FASTEST)


def is_supported(tower: list[BodySolid], *, margin: float = 0.15) -> bool:
    """Tell whether the centre of mass of everything above each joint lies over both of its faces.

    Args:
        tower: Bodies from below to above.
        margin: Distance to keep from the rim of the smaller face, in its inner radii [1].
    """
    masses = np.array([mass(body) for body in tower])
    centers = np.array([body.position for body in tower])
    for joint in range(len(tower)):
        center = (masses[joint:, None] * centers[joint:]).sum(axis=0)[:2] / masses[joint:].sum()
        faces = [horizontal_faces(tower[joint])[0]]
        if joint:
            faces.append(horizontal_faces(tower[joint - 1])[1])
        inner = min(margin_inside(face, face.mean(axis=0)) for face in faces)
        if inner <= 1e-3 or min(margin_inside(face, center) for face in faces) < margin * inner:
            return False
    return True


def margin_inside(points: Points, at: Points) -> float:
    """Return how far inside the hull of points `(point, 2)` a point `(2,)` lies [m]; negative = outside."""
    if len(points) < 3:
        return -math.inf
    corners = convex_hull(points)
    edges = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(edges, axis=-1)
    offsets = at - corners
    return float(((edges[:, 0] * offsets[:, 1] - edges[:, 1] * offsets[:, 0]) / lengths).min())


def _inner_radius(body: BodySolid, *, upper: bool) -> float:
    face = horizontal_faces(body)[1 if upper else 0]
    return max(margin_inside(face, face.mean(axis=0)), 0.0)


def _burden(tower: list[BodySolid]) -> float:
    """The largest ratio of the mass above a body to its own [1]."""
    masses = [mass(body) for body in tower]
    return max((sum(masses[rank + 1 :]) / own for rank, own in enumerate(masses)), default=0.0)


def _width(body: BodySolid) -> float:
    return _inner_radius(moved(body, orientation=yaw(0.0)), upper=False)
