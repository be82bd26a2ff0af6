"""Paddles: two bars that turn about upright axes side by side; a motor turns one, which drives the other."""

import math
from dataclasses import dataclass

from layouts.building import UP, bar, check_free, hinge, post, ring
from layouts.placements.base import Placement, Range
from layouts.stage import Stage, heading, mass
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Drive, Waypoint

__all__ = ["Paddles"]

LEVEL, WIDE, HIGH = 0.16, 0.05, 0.08  # [m] height of the bars' middle, their width and thickness


@dataclass(frozen=True, kw_only=True, slots=True)
class Paddles(Placement):
    """Stands two posts with a bar across each on the floor; the circles of the bars' ends overlap.

    The bars begin across each other. The motor turns the first against the second, which yields the other way, like a
    tooth of a gear. The bodies of the role are two posts (static) and the two bars, cut to measure.

    Attributes:
        length: Of each bar [m].
        apart: Distance of the axes, in lengths of a bar [1].
        rate: That the motor reaches [rad/s].
        strength: Of the motor, over the weight of both bars times their length [1].
        friction: Dry friction of the driven bar's hinge, over its weight × length [1].
    """

    length: Range = (0.6, 0.8)
    apart: Range = (0.72, 0.82)
    rate: Range = (2.0, 4.0)
    strength: Range = (0.5, 1.5)
    friction: Range = (0.01, 0.03)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with both paddles.

        Raises:
            SpecError: There are not two posts and two bars, or the place is taken.
        """
        if len(bodies) != 4:
            raise SpecError(f"the paddles of {role!r} have {len(bodies)} bodies; needed are two posts and two bars")
        draw = streams("paddles", role)
        angle, length = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.length)
        apart, rate = draw.uniform(*self.apart) * length, draw.uniform(*self.rate) * draw.choice((-1.0, 1.0))
        strong, rub = draw.uniform(*self.strength), draw.uniform(*self.friction)
        out, across = heading(angle), heading(angle + math.pi / 2)
        axes = [side * 0.5 * apart * out + LEVEL * UP for side in (-1.0, 1.0)]
        bars = [
            bar(body, at - 0.5 * length * way, at + 0.5 * length * way, WIDE, height=HIGH)
            for body, at, way in zip(bodies[2:], axes, (across, out), strict=True)
        ]
        posts = [
            post(body, at[:2], LEVEL - 0.5 * HIGH - 0.01, 0.08, angle)
            for body, at in zip(bodies[:2], axes, strict=True)
        ]
        weight = [mass(body) * stage.weight for body in bars]
        strength = strong * sum(weight) * length
        points = (Waypoint(time=0.0, position=0.0), Waypoint(time=60.0, position=60.0 * rate))
        motor = Drive(waypoints=points, stiffness=0.0, damping=4.0 * strength / abs(rate), strength=strength)
        check_free(role, [*posts, *bars], stage)
        return stage.extended(
            groups={f"{role}_posts": tuple(posts), role: tuple(bars)},
            joints=[
                hinge(f"{bars[0].name}_shaft", bars[0].name, axes[0], UP, drive=motor),
                hinge(f"{bars[1].name}_shaft", bars[1].name, axes[1], UP, friction=rub * weight[1] * length),
            ],
            waypoints=[(point, 0.06) for at in axes for point in ring(at, 0.5 * length, angle)],
            arrivals={body.name: 0.0 for body in bars},
        )
