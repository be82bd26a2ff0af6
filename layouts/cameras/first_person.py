"""First person: somebody who walks by at eye height and looks at the action."""

import math

import numpy as np
import numpy.typing as npt

from layouts.cameras.base import MARGIN, Rig, distance_to_fit, farthest, view_angles
from layouts.region import Region
from layouts.stage import heading, snapped
from layouts.streams import Streams
from simfactory.spec import CameraFirstPerson, CameraSpec

__all__ = ["RIG", "RigFirstPerson"]

Vector = npt.NDArray[np.float64]

EYE = (1.2, 1.7)  # [m] above the floor
ANGLES = (35.0, 55.0)  # [deg]; what a walker attends to, not all that is seen
SPEED = (0.3, 0.7)  # [m/s], mean of the walk
DURATION = (1.8, 3.0)  # [s]
OBLIQUE = (10.0, 60.0)  # [deg] between the way and the direction of the action, to either side
BOB, STRIDE = (0.015, 0.035), (0.55, 0.8)  # [m]
VIEWS = 9  # along the walk are fitted
CLOSER, STEPS = 1.04, 80  # distances are tried from the nearest on, each 4 % farther


class RigFirstPerson(Rig):
    """Walking cameras."""

    name = "first_person"
    usual = 1

    def camera(self, rank: int, region: Region, *, size: tuple[int, int], streams: Streams) -> CameraSpec:
        """Return the k-th walker."""
        draw = streams("camera", self.name, rank)
        azimuth, eye = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*EYE)
        duration, speed = draw.uniform(*DURATION), draw.uniform(*SPEED)
        oblique = draw.choice((-1.0, 1.0)) * math.radians(draw.uniform(*OBLIQUE))
        bob, stride = draw.uniform(*BOB), draw.uniform(*STRIDE)
        angle, halves = view_angles(draw, size, angles=ANGLES)
        margin = draw.uniform(*MARGIN)
        walk = -duration * speed * heading(azimuth + oblique)
        limit = 0.98 * farthest(region)
        end = self._arrival(region, heading(azimuth), walk, eye, halves, limit) * margin
        ends = np.stack([end * heading(azimuth) - walk, end * heading(azimuth)])
        level = math.sqrt(max(limit**2 - (eye - region.target[2]) ** 2, 0.0))
        ends *= np.minimum(level / np.linalg.norm(ends, axis=-1, keepdims=True), 1.0)
        ends += np.array([*region.target[:2], eye])
        path = CameraFirstPerson.model_validate(
            {
                "position": snapped(ends[0]),
                "position_end": snapped(ends[1]),
                "target": snapped(region.target),
                "duration": duration,
                "bob": bob,
                "stride": stride,
            }
        )
        width, height = size
        return CameraSpec(
            name=f"{self.name}_{rank}", rig=self.name, width=width, height=height, field_of_view=angle, path=path
        )

    @staticmethod
    def _arrival(region: Region, way: Vector, walk: Vector, eye: float, halves: Vector, limit: float) -> float:
        """The smallest level distance [m] of the walk's end at which the region is in the picture all the way."""
        behind = np.linspace(1.0, 0.0, VIEWS)[:, None] * -walk
        rise = np.array([0.0, 0.0, eye - region.target[2]])
        level = 0.6
        for _ in range(STEPS):
            arrows = level * way + behind + rise
            lengths = np.linalg.norm(arrows, axis=-1)
            fits = distance_to_fit(arrows / lengths[:, None], region.target, region, halves) <= lengths
            if fits.all() or level > limit:
                break
            level *= CLOSER
        return level


RIG = RigFirstPerson()
