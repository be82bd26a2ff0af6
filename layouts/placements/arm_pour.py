"""ArmPour: an arm pours beads from a cup into a bowl."""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

from layouts.arms import BEFORE, bench
from layouts.arms.items import standing
from layouts.building import UP
from layouts.placements.base import Placement, Range
from layouts.solids import lowest
from layouts.stage import REST_GAP, Stage, mass, moved, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, ConditionPlace, Sphere, Vessel
from simfactory.transforms import quat_from_axis_angle, quat_multiply, quat_to_matrix

__all__ = ["ArmPour"]

STEADY = 25.0  # [N] of a finger at least, so that the cup does not turn between them as it is tipped
SQUEEZE = 0.02  # [m] by which each finger is told to close beyond the surface


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmPour(Placement):
    """Lets an arm take a cup of beads, carry it to a bowl and tip it over.

    The bodies of the role are the bench, the cup, the bowl and the beads; all are cut to measure. Done when most beads
    are in the bowl.

    Attributes:
        bead: Radius of a bead [m].
        tip: By how much the cup is tipped [deg].
        share: Of the beads that must be in the bowl [1].
    """

    bead: Range = (0.007, 0.009)
    tip: Range = (115.0, 130.0)
    share: float = 0.6

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with bench, cup, beads, bowl and the arm that pours.

        Raises:
            SpecError: There are no beads, they do not fit into the cup, or a place cannot be reached.
        """
        if len(bodies) < 4:
            raise SpecError(
                f"the arm of {role!r} has {len(bodies)} bodies; allowed are a bench, a cup, a bowl and beads"
            )
        draw = streams("arm_pour", role)
        table = bench(bodies[0], stage, draw)
        spot = draw.uniform(0.42, 0.5), -draw.uniform(0.06, 0.12)
        cup = standing(bodies[1], "mug", table.point(*spot), yaw(table.angle), draw)
        aim = draw.uniform(0.45, 0.52), draw.uniform(0.1, 0.16)
        wide = draw.uniform(0.085, 0.1)
        bowl = moved(
            bodies[2],
            geometry=Vessel(radius=wide, base_radius=0.65 * wide, height=0.05, wall=0.005),
            scale=1.0,
            aspect=(1.0, 1.0, 1.0),
            position=table.point(*aim),
            orientation=yaw(table.angle),
        )
        bowl = moved(bowl, position=np.asarray(bowl.position) + (table.top + REST_GAP - lowest(bowl)) * UP)
        beads = self._beads(bodies[3:], cup.body, cup.below, draw.uniform(*self.bead))
        level = max(0.6 * cup.height, 0.05)
        tool = table.sideways(0.5 * math.pi)
        planner = table.planner(table.point(spot[0], spot[1] - BEFORE, level), tool)
        planner.begin("reach")
        planner.move(table.point(*spot, level), speed=0.9)
        planner.begin("grasp")
        planner.grip(max(cup.half - SQUEEZE, -SQUEEZE), duration=0.35)
        planner.wait(0.1)
        planner.begin("lift")
        high = level + 0.14
        planner.move(table.point(*spot, high))
        planner.begin("carry")
        # Held from its right and tipped about the line in which the tool looks: the rim comes to lie ahead.
        ahead = aim[0] - 0.05
        planner.move(table.point(ahead, aim[1], high), speed=0.8)
        planner.begin("pour")
        turn = math.radians(draw.uniform(*self.tip))
        poses = []
        for share in np.linspace(0.0, 1.0, 13)[1:].tolist():
            pose = np.eye(4)
            pose[:3, :3] = table.sideways(0.5 * math.pi, spin=turn * share)
            pose[:3, 3] = table.point(ahead, aim[1], high)
            poses.append(pose)
        planner.follow(poses, duration=1.3)
        planner.wait(0.5)
        target = np.asarray(bowl.position)
        done = ConditionPlace.model_validate(
            {
                "bodies": tuple(bead.name for bead in beads),
                "share": self.share,
                "target": tuple(target.tolist()),
                "radius": wide,
                "height": 0.05,
            }
        )
        grip = max(STEADY, table.grip(cup.body, load=sum(mass(bead) for bead in beads)))
        return table.staged(stage, role, planner, [cup.body, bowl, *beads], grip=grip, success=[done])

    def _beads(self, bodies: tuple[BodySolid, ...], cup: BodySolid, below: float, radius: float) -> list[BodySolid]:
        """Return the beads in layers of four in the cup."""
        geometry = cup.geometry
        assert isinstance(geometry, Vessel)
        inside, step = geometry.base_radius - geometry.wall, 2.0 * radius + 6e-4
        if (step * 0.5) * math.sqrt(2.0) + radius > 0.97 * inside:
            raise SpecError(f"four beads of {radius:g} m do not lie in a cup of {inside:g} m: make them smaller")
        corners = list(product((-0.5, 0.5), repeat=2))
        placed = []
        for number, body in enumerate(bodies):
            layer, (x, y) = number // 4, corners[number % 4]
            up = geometry.wall - below + radius + 6e-4 + layer * step
            if up + radius > geometry.height - below:
                raise SpecError(f"{len(bodies)} beads of {radius:g} m do not fit into the cup: take fewer")
            spin = quat_multiply(cup.orientation, quat_from_axis_angle((0.0, 0.0, 1.0), 0.3 * layer))
            at = np.asarray(cup.position) + quat_to_matrix(spin) @ np.array([x * step, y * step, up])
            placed.append(moved(body, geometry=Sphere(radius=radius), scale=1.0, aspect=(1.0, 1.0, 1.0), position=at))
        return placed
