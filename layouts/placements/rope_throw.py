"""RopeThrow: a straight rope flies across an upright post."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.building import UP, check_free, post
from layouts.lines import as_rope, laid
from layouts.placements.base import Placement, Range
from layouts.stage import EARTH, Stage, heading
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid

__all__ = ["RopeThrow"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RopeThrow(Placement):
    """Throws a level rope broadside at a post; its middle is stopped, and its ends fly on around it.

    The first body of the role is the post (static, cut to measure), the second the rope.

    Attributes:
        speed: At the post, level [m/s], under the Earth's gravity.
        distance: From the rope to the post [m].
        height: Of the rope above the floor where it meets the post [m].
        aside: How far from the rope's middle it meets the post, over its length [1].
        width: Of the post [m].
    """

    speed: Range = (3.0, 5.0)
    distance: Range = (0.3, 0.6)
    height: Range = (0.5, 0.7)
    aside: Range = (0.0, 0.1)
    width: Range = (0.05, 0.08)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the post, and the rope on its way.

        Raises:
            SpecError: There are not two bodies, or the place is taken.
        """
        if len(bodies) != 2:
            raise SpecError(f"{role!r} is thrown with {len(bodies)} bodies; needed are a post and a rope")
        draw, rope = streams("rope_throw", role), as_rope(bodies[1])
        angle, width, height = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.width), draw.uniform(*self.height)
        way, across = heading(angle), heading(angle + math.pi / 2)
        speed = draw.uniform(*self.speed) * min(math.sqrt(stage.weight / EARTH), 1.0)
        time = draw.uniform(*self.distance) / speed
        aside = draw.uniform(*self.aside) * draw.choice((-1.0, 1.0)) * rope.chord
        foot = post(bodies[0], np.zeros(2), height + 0.3, width, angle)
        goal = height * UP + aside * across - (0.5 * width + rope.geometry.radius) * way
        velocity = speed * way - 0.5 * stage.gravity * time
        start = goal - velocity * time - 0.5 * stage.gravity * time**2
        line = start + np.linspace(-0.5, 0.5, 3)[:, None] * rope.chord * across
        thrown = laid(rope, line, linear_velocity=velocity)
        check_free(role, [foot, thrown], stage)
        ends = [height * UP + 0.4 * rope.chord * way + side * 0.3 * rope.chord * across for side in (-1.0, 1.0)]
        return stage.extended(
            groups={f"{role}_post": (foot,), role: (thrown,)},
            waypoints=[(end, 0.1) for end in ends],
            arrivals={thrown.name: time},
        )
