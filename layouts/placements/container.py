"""Container: bodies fall into an open box."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from layouts.placements.base import Placement, Range, first_free, initial
from layouts.solids import solid
from layouts.stage import REST_GAP, Stage, heading, mass, moved, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodySolid, Box

__all__ = ["Container"]

Vector = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Container(Placement):
    """Stands four boards on the floor around a square, and lets bodies go above it.

    The first four bodies of the role are the sides (static, cut to measure), all others fall in; heavier ones begin
    lower. Each is wholly above the square, so that without collisions it would land inside.

    Attributes:
        inner: Edge of the square between the sides [m]; larger where the largest body needs it.
        height: Height of the sides [m].
        thickness: Thickness of the sides [m].
        drop: Height of the lowest body's lowest point above the floor [m].
        rise: How much higher each further body begins [m].
        spin: Initial rate [rad/s] about a random axis.
        gap: Distance between bodies [m].
    """

    inner: Range = (0.5, 0.75)
    height: Range = (0.16, 0.26)
    thickness: Range = (0.06, 0.1)
    drop: Range = (0.25, 0.4)
    rise: float = 0.22
    spin: Range = (0.0, 3.0)
    gap: float = 0.03

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the box and the bodies above it.

        Raises:
            SpecError: There are fewer than four sides and one body, or no free place was found.
        """
        if len(bodies) < 5:
            raise SpecError(f"a container for {role!r} has {len(bodies)} bodies; needed are four sides and one body")
        sides, contents = bodies[:4], bodies[4:]
        draw = streams("container", role)
        angle, floor = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.drop)
        widest = max(solid(body).radius for body in contents)
        inner = max(draw.uniform(*self.inner), 2.4 * widest)
        walls = self._walls(sides, inner, angle, draw)
        order = sorted(range(len(contents)), key=lambda k: -mass(contents[k]))
        placed: dict[int, BodySolid] = {}
        for rank, number in enumerate(order):
            body = contents[number]
            own = streams("container", role, body.name)
            free = moved(
                body,
                orientation=np.array(own.quat_xyzw()),
                angular_velocity=np.array(own.direction()) * initial(own, "spin", self.spin),
            )
            height = floor + rank * self.rise + solid(free).extent(-UP)
            candidate = partial(self._candidate, free, height, inner, angle, own)
            others = (*stage.bodies, *walls, *placed.values())
            placed[number] = first_free(body.name, candidate, others, gap=self.gap)
        return stage.extended(
            groups={f"{role}_side": walls, role: tuple(placed[number] for number in range(len(contents)))}
        )

    def _walls(self, sides: tuple[BodySolid, ...], inner: float, angle: float, draw: Stream) -> tuple[BodySolid, ...]:
        """Two boards that span the corners, two between them, all made like the first."""
        height, thickness = draw.uniform(*self.height), draw.uniform(*self.thickness)
        walls = []
        for number, side in enumerate(sides):
            bearing = angle + number * math.pi / 2
            length = inner - 2.0 * REST_GAP if number % 2 else inner + 2.0 * thickness
            center = 0.5 * (inner + thickness) * heading(bearing) + UP * (0.5 * height + REST_GAP)
            shape = Box(size=(thickness, length, height))
            walls.append(
                moved(
                    sides[0],
                    name=side.name,
                    geometry=shape,
                    scale=1.0,
                    aspect=(1.0, 1.0, 1.0),
                    position=center,
                    orientation=yaw(bearing),
                )
            )
        return tuple(walls)

    def _candidate(self, body: BodySolid, height: float, inner: float, angle: float, draw: Stream) -> BodySolid:
        room = 0.5 * inner - solid(body).radius
        along, across = draw.uniform(-room, room), draw.uniform(-room, room)
        offset = along * heading(angle) + across * heading(angle + math.pi / 2)
        return moved(body, position=offset + UP * height)
