"""Fluid bodies: the particles that carry a liquid."""

from functools import lru_cache
from typing import Any

import numpy as np

from simfactory.liquids import liquid_particles
from simfactory.simulators.newton.fitting import NodeBody, add_loose
from simfactory.spec import BodyFluid

__all__ = ["add", "node_body"]


@lru_cache(maxsize=64)
def node_body(body: BodyFluid) -> NodeBody:
    """Return what a body is made of."""
    particles = liquid_particles(body)
    count = len(particles.centers)
    return NodeBody(
        rest=particles.centers,
        mass=np.full(count, particles.mass),
        held=np.zeros(count, bool),
        surface=None,
        loose=True,
        drag_as_ball=False,
    )


def add(builder: Any, body: BodyFluid) -> int:  # Any: newton.ModelBuilder has no type information
    """Add a body's particles; return -1, as it is none of Newton's rigid bodies."""
    add_loose(builder, body, node_body(body), radius=0.5 * body.spacing)
    return -1
