"""Ropes: nodes along a line, and one beside its first node that tells how the rope has turned about itself."""

from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.cords import centre_line, first_director, tube_vertices
from simfactory.simulators.kinematics import start_orientation
from simfactory.simulators.newton.fitting import NodeBody
from simfactory.spec import BodyRope
from simfactory.transforms import quat_rotate

__all__ = ["add", "fixed_nodes", "node_body", "node_masses"]

TIP_MASS = 1e-6  # of the rope's; only so that fitted poses of straight ropes know their turn about themselves

Array = npt.NDArray[np.float64]


def node_masses(body: BodyRope) -> Array:
    """Return the masses of a rope's nodes `(node,)` [kg]: half of the segments beside each.

    Raises:
        SpecError: The rope turns too sharply or runs into itself.
    """
    half = 0.5 * body.line_density * np.linalg.norm(np.diff(centre_line(body), axis=0), axis=-1)
    return np.asarray(np.concatenate([half, [0.0]]) + np.concatenate([[0.0], half]))


def fixed_nodes(body: BodyRope) -> npt.NDArray[np.bool_]:
    """Return which of a rope's nodes `(node,)` do not move: held ends, of clamped ones the first segment."""
    fixed = np.zeros(body.segment_count + 1, bool)
    count = 2 if body.clamped else 1
    if "start" in body.held:
        fixed[:count] = True
    if "end" in body.held:
        fixed[-count:] = True
    return fixed


def node_body(body: BodyRope) -> NodeBody:
    """Return what a rope is made of: the nodes of its line, and the tip of its first director as the last one.

    Raises:
        SpecError: The rope turns too sharply or runs into itself.
    """
    line, mass, radius = centre_line(body), node_masses(body), body.geometry.radius

    def surface(nodes: Array) -> Array:
        return tube_vertices(nodes[:-1], nodes[-1] - nodes[0], radius)

    return NodeBody(
        rest=np.concatenate([line, line[:1] + radius * first_director(line)]),
        mass=np.append(mass, TIP_MASS * mass.sum()),
        held=np.append(fixed_nodes(body), True),
        surface=surface,
        drag_as_ball=False,
    )


def add(builder: Any, body: BodyRope) -> int:  # Any: newton.ModelBuilder has no type information
    """Add a rope's nodes; return -1, as it is none of Newton's rigid bodies.

    Newton's own solvers leave them alone: they are moved by `simfactory.simulators.newton.ropes`.

    Raises:
        SpecError: The rope turns too sharply or runs into itself.
    """
    made = node_body(body)
    turned = quat_rotate(start_orientation(body), made.rest)
    center = made.mass @ turned / made.mass.sum()
    velocity = np.asarray(body.linear_velocity) + np.cross(np.asarray(body.angular_velocity), turned - center)
    velocity[:-1][made.held[:-1]] = 0.0
    builder.add_particles(
        pos=[wp.vec3(*point) for point in turned + np.asarray(body.position)],
        vel=[wp.vec3(*row) for row in velocity],
        mass=np.where(made.held, 0.0, made.mass).tolist(),
        radius=[body.geometry.radius] * len(turned),
        flags=[0] * len(turned),
    )
    return -1
