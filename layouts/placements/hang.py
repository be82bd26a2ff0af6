"""Hang: rings that hang on a peg by contact alone."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import REST_GAP, Stage, heading, is_free, moved, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodySolid, Box, Capsule, Torus
from simfactory.transforms import quat_from_axis_angle, quat_multiply

__all__ = ["Hang"]

Vector = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
EARTH = 9.81  # [m/s²]
ROUNDNESS = 0.005  # [1]; a ring collides as a polygon, whose sides are this much nearer to its axis than its corners


@dataclass(frozen=True, kw_only=True, slots=True)
class Hang(Placement):
    """Hangs rings on a level peg that stands out from a post.

    Nothing is tied: a ring rolls and slides on the peg, and falls off where it gets over the free end. Bodies on ropes
    or hinges need constraints, which the rigid backends do not have.

    The first two bodies of the role are the post and the peg (static, cut to measure), the others are rings, the first
    one next to the post.

    Attributes:
        height: Height of the peg above the floor [m]; more where the largest ring would be near the floor.
        thickness: Radius of the peg, over the inner radius of the smallest ring [1].
        gap: Distance between neighbours on the peg [m].
        swing: Rate at which each ring begins to swing about the peg under the Earth's gravity [rad/s], all to one side.
    """

    height: Range = (0.55, 0.85)
    thickness: Range = (0.2, 0.35)
    gap: Range = (0.05, 0.1)
    swing: Range = (0.0, 0.0)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with post, peg and what hangs on it.

        Raises:
            SpecError: There is no ring, or the place is taken.
        """
        post, peg, *rings = bodies
        if not rings:
            raise SpecError(f"the peg of {role!r} has no ring among {len(bodies)} bodies: give it one or more")
        draw = streams("hang", role)
        angle = draw.uniform(0.0, 2.0 * math.pi)
        out = heading(angle)
        radius = draw.uniform(*self.thickness) * min(_inner_radius(ring) for ring in rings)
        lowest = 2.0 * max(solid(ring).radius for ring in rings) + 0.1
        height = max(draw.uniform(*self.height), lowest)
        widths = [2.0 * _tube(ring) for ring in rings]
        gaps = [draw.uniform(*self.gap) for _ in rings]
        length = sum(widths) + sum(gaps) + 0.06
        level = quat_multiply(yaw(angle), quat_from_axis_angle((0.0, 1.0, 0.0), math.pi / 2))  # local z along the peg
        peg = moved(
            peg,
            geometry=Capsule(radius=radius, height=length),
            scale=1.0,
            aspect=(1.0, 1.0, 1.0),
            position=height * UP,
            orientation=level,
        )
        post = _post(post, angle, height + 2.0 * radius, back=0.5 * length + radius)
        hung, station = [], -0.5 * length
        rate = draw.uniform(*self.swing) * math.sqrt(stage.weight / EARTH) * draw.choice((-1.0, 1.0))
        for ring, width, gap in zip(rings, widths, gaps, strict=True):
            at = station + gap + 0.5 * width
            hung.append(_hung(ring, at * out + (height + radius) * UP, rate * out, level, draw))
            station += gap + width
        for body in (post, peg, *hung):
            if not is_free(body, stage.bodies, gap=0.02):
                raise SpecError(f"no place for body {body.name!r}: something is where the post of {role!r} stands")
        return stage.extended(
            groups={f"{role}_post": (post,), f"{role}_peg": (peg,), role: tuple(hung)},
            waypoints=[(np.asarray(ring.position), 1.2 * solid(ring).radius) for ring in hung],
            arrivals={ring.name: 0.0 for ring in hung},
        )


def _hung(ring: BodySolid, top: Vector, spin: Vector, level: Vector, draw: Stream) -> BodySolid:
    """A ring around the peg, its inner side above a point of the peg's upper side about which it swings."""
    arm = (1.0 - ROUNDNESS) * _inner_radius(ring) - REST_GAP
    turn = quat_from_axis_angle((0.0, 0.0, 1.0), draw.uniform(0.0, 2.0 * math.pi))
    return moved(
        ring,
        position=top - arm * UP,
        orientation=quat_multiply(level, turn),
        linear_velocity=np.cross(spin, -arm * UP),
        angular_velocity=spin,
    )


def _tube(ring: BodySolid) -> float:
    """Radius of a ring's tube [m]."""
    if not isinstance(ring.geometry, Torus):
        raise SpecError(f"body {ring.name!r} on a peg is a {ring.geometry.shape}; allowed is a torus: use a torus")
    return ring.geometry.tube * ring.factors[2]


def _inner_radius(ring: BodySolid) -> float:
    """Radius of a ring's hole [m]."""
    return solid(ring).radius - 2.0 * _tube(ring)


def _post(post: BodySolid, angle: float, height: float, *, back: float) -> BodySolid:
    """A square post on the floor, as high as asked, its front face so far behind the origin."""
    wide = 0.1
    shape = Box(size=(wide, wide, height))
    center = -(back + REST_GAP + 0.5 * wide) * heading(angle) + UP * (0.5 * height + REST_GAP)
    return moved(post, geometry=shape, scale=1.0, aspect=(1.0, 1.0, 1.0), position=center, orientation=yaw(angle))
