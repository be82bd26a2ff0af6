"""Follow: the tool goes through places without stopping."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from simfactory.actions.base import Action
from simfactory.actions.observation import Observation
from simfactory.arms import Planner
from simfactory.errors import SpecError
from simfactory.spec import Vec3

__all__ = ["Follow"]

SPACING = 0.03  # [m] of the poses that are solved
SPEED = 0.3  # [m/s] on average


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Follow(Action):
    """Takes the tool through places on straight lines, at rest only at the ends; it keeps its rotation.

    Attributes:
        places: Where it goes, world frame [m]; the first line begins where the tool is.
    """

    name: ClassVar[str] = "follow"

    places: tuple[Vec3, ...]

    def motion(self, seen: Observation, planner: Planner) -> None:
        """Plan one motion through all places.

        Raises:
            SpecError: There are none, or one is out of reach.
        """
        start = planner.tool
        corners = np.array([start[:3, 3], *self.places])
        reach = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
        if reach[-1] < 1e-6:
            raise SpecError("follow has nowhere to go; allowed are places that are not all where the tool is")
        poses = []
        for way in np.linspace(0.0, reach[-1], max(2, int(np.ceil(reach[-1] / SPACING))) + 1)[1:]:
            pose = start.copy()
            pose[:3, 3] = [np.interp(way, reach, column) for column in corners.T]
            poses.append(pose)
        planner.begin(self.name)
        planner.follow(poses, duration=float(reach[-1]) / SPEED)


ACTION = Follow
