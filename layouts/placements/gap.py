"""Gap: a ram pushes a body through a gap between two posts that is narrower than the body."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.building import block
from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import REST_GAP, Stage, heading, is_free, moved, rested, snapped, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Cylinder, MotionLinear

__all__ = ["Gap"]

UP = np.array([0.0, 0.0, 1.0])
LIFT = 0.003  # [m] of the ram above the floor
POST_SHARE = 0.5  # diameter of a post over the width of the body: thin or sharp ones cut into it
RAM_SHARE = 0.8  # width of the ram over that of the gap, and its height over the body's


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap(Placement):
    """Stands two round posts, a body before them, and behind it a ram that moves through between them.

    The bodies of the role are: two posts (static), the body, the ram (kinematic); posts and ram are cut to measure.

    Attributes:
        width: Width of the gap over that of the body [1].
        speed: Speed of the ram [m/s].
        distance: Free distance between the body and posts, and between ram and body, at first [m].
        beyond: How far the front of the ram goes beyond the posts' middle, in widths of the body [1].
        start: When the ram sets off [s].
    """

    width: Range
    speed: Range = (0.25, 0.4)
    distance: Range = (0.01, 0.04)
    beyond: Range = (0.2, 0.5)
    start: Range = (0.05, 0.2)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with posts, body and ram.

        Raises:
            SpecError: The bodies are not four, or the place is taken.
        """
        if len(bodies) != 4:
            raise SpecError(f"gap {role!r} has {len(bodies)} bodies: it needs four: two posts, a body, a ram")
        one, other, body, ram = bodies
        draw = streams("gap", role)
        angle, share = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.width)
        way, side, turn = heading(angle), heading(angle + math.pi / 2), yaw(angle)
        body = rested(body, np.zeros(2), orientation=turn)
        hull = solid(body)
        wide, deep, high = (2.0 * hull.extent(axis) for axis in (side, way, UP))
        free, thick = share * wide, POST_SHARE * wide
        ahead, behind = draw.uniform(*self.distance), draw.uniform(*self.distance)
        post = 0.5 * deep + ahead + 0.5 * thick  # the posts' middle
        posts = [
            moved(
                piece,
                geometry=Cylinder(radius=0.5 * thick, height=1.2 * high),
                scale=1.0,
                aspect=(1.0, 1.0, 1.0),
                position=post * way + sign * 0.5 * (free + thick) * side + UP * (0.6 * high + REST_GAP),
                orientation=turn,
            )
            for piece, sign in ((one, 1.0), (other, -1.0))
        ]
        length, stroke = 0.5 * deep, behind + deep + ahead + 0.5 * thick + draw.uniform(*self.beyond) * wide
        ram = block(
            ram,
            (length, RAM_SHARE * free, RAM_SHARE * high),
            -(0.5 * deep + behind + 0.5 * length) * way + UP * (0.5 * RAM_SHARE * high + LIFT),
            turn,
        )
        for piece in (*posts, body, ram):
            if not is_free(piece, stage.bodies, gap=0.02):
                raise SpecError(f"no place for {piece.name!r} of the gap {role!r}: something is in its way")
        speed, start = draw.uniform(*self.speed), round(draw.uniform(*self.start), 3)
        motion = MotionLinear.model_validate(
            {
                "body": ram.name,
                "start": start,
                "stop": round(start + stroke / speed, 3),
                "velocity": snapped(speed * way),
            }
        )
        groups = {f"{role}_posts": tuple(posts), role: (body,), f"{role}_ram": (ram,)}
        return stage.extended(
            groups=groups, motions=[motion], waypoints=[((post + wide) * way + 0.5 * high * UP, wide)]
        )
