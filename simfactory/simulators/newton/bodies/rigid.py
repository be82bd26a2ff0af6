"""Rigid bodies: dynamic and kinematic ones are links without joints, static ones are shapes of the world."""

from typing import Any

import warp as wp

from simfactory.simulators.kinematics import start_orientation
from simfactory.simulators.newton.shapes import add_shapes, shape_config, solid_inertia
from simfactory.spec import BodyRigid

__all__ = ["add"]


def add(builder: Any, body: BodyRigid) -> int:  # Any: newton.ModelBuilder has no type information
    """Add a rigid body and return Newton's index of it, -1 if it is static.

    Links without joints keep the model free of joint coordinates: the solver's state is `body_q` and `body_qd`
    alone, so that a reset is a copy of rows.

    Raises:
        AssetError: A user mesh is missing or unreadable.
    """
    pose = wp.transform(wp.vec3(*body.position), wp.quat(*start_orientation(body)))
    if body.mobility == "static":
        add_shapes(builder, -1, body, shape_config(body.physical, density=0.0), frame=pose)
        return -1
    solid = solid_inertia(body)
    link = builder.add_link(
        xform=pose,
        mass=solid.mass,
        com=wp.vec3(*solid.center),
        inertia=wp.mat33(*solid.inertia.ravel()),
        lock_inertia=True,
        is_kinematic=body.mobility == "kinematic",
        label=body.name,
    )
    add_shapes(builder, link, body, shape_config(body.physical, density=0.0), frame=wp.transform_identity())
    builder.body_qd[link] = wp.spatial_vector(*body.linear_velocity, *body.angular_velocity)
    return int(link)
