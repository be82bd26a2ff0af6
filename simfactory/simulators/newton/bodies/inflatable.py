"""Inflatables: the nodes, membrane triangles and bending edges of a closed shell, and the gas in it."""

import math
from typing import Any

import numpy as np

from simfactory.shells import enclosed_volume, shell, shell_area
from simfactory.simulators.newton.bodies.cloth import add_membrane, cloth_mesh, lame
from simfactory.simulators.newton.fitting import NodeBody
from simfactory.spec import BodyInflatable

__all__ = ["ATMOSPHERE", "add", "gas_energy", "node_body", "stretch"]

ATMOSPHERE = 101325.0  # [Pa] outside, whether or not air brakes what flies


def node_body(body: BodyInflatable) -> NodeBody:
    """Return what a body is made of."""
    mesh = cloth_mesh(body)
    return NodeBody(
        rest=mesh.vertices,
        mass=body.area_density * mesh.node_area,
        held=np.zeros(len(mesh.vertices), np.bool_),
        surface=lambda nodes: nodes,
    )


def gas_energy(body: BodyInflatable) -> float:
    """Return n R T = p V [J] of the gas, p the absolute pressure."""
    made = shell(body.geometry, body.factors, body.resolution)
    return (ATMOSPHERE + body.gauge_pressure) * float(enclosed_volume(made.vertices, made.triangles))


def stretch(body: BodyInflatable) -> float:
    """Return the factor [1] by which the shell is stretched at t = 0, in all directions.

    In a ball the tension T = (λ + μ)(s² - 1) of Newton's neo-Hookean membrane balances the gas: p = 2 T/r. Other shapes
    are stretched as much as the ball with their volume over area, r = 3 V/A, and then find their own.

    Source: P. S. de Laplace, "Traité de mécanique céleste", supplement to book X (1806); B. Smith et al., "Stable
    Neo-Hookean Flesh Simulation", ACM Transactions on Graphics 37 (2018), on a membrane.
    """
    made = shell(body.geometry, body.factors, body.resolution)
    radius = 3.0 * enclosed_volume(made.vertices, made.triangles) / shell_area(made.vertices, made.triangles)
    return math.sqrt(1.0 + 0.5 * body.gauge_pressure * float(radius) / sum(lame(body)))


def add(builder: Any, body: BodyInflatable) -> int:  # Any: newton.ModelBuilder has no type information
    """Add an inflatable; return -1, as it is none of Newton's rigid bodies."""
    first, first_edge = len(builder.tri_indices), len(builder.edge_indices)
    add_membrane(builder, body, node_body(body))
    factor = stretch(body)
    for row in range(first, len(builder.tri_indices)):
        builder.tri_poses[row] = (np.asarray(builder.tri_poses[row]) * factor).tolist()
        builder.tri_areas[row] /= factor**2
    for row in range(first_edge, len(builder.edge_indices)):
        builder.edge_rest_length[row] /= factor
    return -1
