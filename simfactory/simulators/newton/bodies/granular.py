"""Granular bodies: a particle for every grain."""

from functools import lru_cache
from typing import Any

import numpy as np

from simfactory.grains import body_grains
from simfactory.simulators.kinematics import start_orientation
from simfactory.simulators.newton.fitting import NodeBody, add_loose
from simfactory.spec import BodyGranular
from simfactory.transforms import quat_to_matrix

__all__ = ["add", "node_body"]


@lru_cache(maxsize=64)
def node_body(body: BodyGranular) -> NodeBody:
    """Return what a body is made of.

    Raises:
        SpecError: Its region is too thin for its grains.
    """
    grains, rotation = body_grains(body), quat_to_matrix(start_orientation(body))
    count = len(grains.centers)
    return NodeBody(
        rest=grains.centers,
        mass=np.full(count, grains.mass),
        held=np.zeros(count, bool),
        surface=lambda nodes: grains.vertices(nodes, rotation),
        loose=True,
        drag_as_ball=False,
    )


def add(builder: Any, body: BodyGranular) -> int:  # Any: newton.ModelBuilder has no type information
    """Add a body's grains; return -1, as it is none of Newton's rigid bodies.

    Raises:
        SpecError: Its region is too thin for its grains.
    """
    add_loose(builder, body, node_body(body), radius=0.5 * body.spacing)
    return -1
