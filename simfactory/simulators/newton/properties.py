"""Effective physical parameters of Newton's bodies: what the solver used and how it combines pairs."""

import numpy as np

from simfactory.collision import body_parts
from simfactory.episode import FIRST_BODY, BodyProperties
from simfactory.simulators.newton.forces import DRAG_COEFFICIENT
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import BodyRigid, MeshAsset

__all__ = ["effective_properties"]

RULES = {
    "friction": "one Coulomb coefficient a body: the spec's dynamic one; a pair uses the mean of its two bodies'. "
    "Static friction is not modelled separately: a pair sticks up to the same mean",
    "restitution": "a pair uses the mean of its two bodies'; impacts slower than 2 g dt count as rest",
    "mass": "density × volume of the shape",
    "inertia": "of the homogeneous shape; of a mesh: of the mesh itself, not of its convex parts",
    "young_modulus": "not used: rigid bodies do not deform",
    "poisson_ratio": "not used: rigid bodies do not deform",
    "damping": "linear and angular velocity decay by exp(-damping · dt) every solver step",
    "drag": f"½ ρ C_d A |v - wind| (v - wind) with C_d = {DRAG_COEFFICIENT} and A the cross-section of the ball of "
    "equal volume; no torque; air viscosity, temperature and turbulence are not used",
    "ground": "an unbounded plane, also beyond its visible edge",
    "room": "walls and ceiling are unbounded planes",
    "collision": "exact shapes for boxes, balls, ellipsoids, capsules, cylinders and cones; convex parts of the mesh "
    "otherwise, planes are met by its convex hull",
}


def effective_properties(worlds: Worlds, environment: int) -> BodyProperties:
    """Return an environment's effective parameters, read back from the model."""
    spec, model = worlds.specs[environment], worlds.model
    mass, inertia = model.body_mass.numpy(), model.body_inertia.numpy()
    friction, restitution = model.shape_material_mu.numpy(), model.shape_material_restitution.numpy()
    count = len(spec.bodies)
    masses, inertias = np.full(count, np.inf), np.zeros((count, 3, 3))
    for index, (body, row) in enumerate(zip(spec.bodies, worlds.body_rows[environment], strict=True)):
        if isinstance(body, BodyRigid) and body.mobility == "dynamic":
            masses[index], inertias[index] = mass[row], inertia[row]
    shapes = np.flatnonzero(worlds.shape_environment == environment)
    instances = worlds.shape_instance[shapes]
    own = shapes[[int(np.argmax(instances == FIRST_BODY + index)) for index in range(count)]]
    parts = {
        body.name: len(body_parts(body))
        for body in spec.bodies
        if isinstance(body, BodyRigid) and isinstance(body.geometry, MeshAsset)
    }
    split = ", ".join(f"{name} ({number})" for name, number in parts.items() if number > 1)
    rules = {**RULES, "parts": f"collide as so many convex parts of their mesh: {split}"} if split else RULES
    return BodyProperties(
        mass=masses,
        inertia=inertias,
        friction=friction[own].astype(np.float64),
        restitution=restitution[own].astype(np.float64),
        ground_friction=float(friction[shapes[0]]) if spec.ground is not None else float("nan"),
        rules=rules,
    )
