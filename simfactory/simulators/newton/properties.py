"""Effective physical parameters of Newton's bodies: what the solver used and how it combines pairs."""

import numpy as np

from simfactory.arms import acting_bodies, is_guided
from simfactory.collision import body_parts, may_split
from simfactory.episode import FIRST_BODY, BodyProperties
from simfactory.simulators.newton.bodies import node_body
from simfactory.simulators.newton.forces import DRAG_COEFFICIENT
from simfactory.simulators.newton.grip import has_firm
from simfactory.simulators.newton.steps import steps_for
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import BodyRigid

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
    "equal volume, the wind that at its origin, with gusts, plumes, jets and vortices; no torque; air viscosity is not "
    "used",
    "joints": "constraints without compliance between otherwise free bodies; two bodies that a joint holds together "
    "pass through each other; dry friction holds up to its bound; a blow is first resolved as if there were no joints",
    "ground": "an unbounded plane, also beyond its visible edge",
    "room": "walls and ceiling are unbounded planes",
    "collision": "exact shapes for boxes, balls, ellipsoids, capsules, cylinders and cones; convex parts of the mesh "
    "otherwise, planes are met by its convex hull",
}
GUIDED = {
    "robot": "beside cloth or ropes it is moved along its commands, within the limits and largest rates of its joints: "
    "what these pull with does not move it, and its mass is not used. Its links and fingers push and rub as any "
    "kinematic body does",
}
FIRM = {
    "firm": "contacts of robots and vessels do not rebound; their impulses are summed and bounded point by point. "
    "Parts of a robot have the masses and inertias of its model and pass through each other, its fingers are geared; "
    "a vessel meets robots and what stands still with its convex hull, all else with its parts",
}


def effective_properties(worlds: Worlds, environment: int) -> BodyProperties:
    """Return an environment's effective parameters, read back from the model."""
    spec, model = worlds.specs[environment], worlds.model
    mass, inertia = (model.body_mass.numpy(), model.body_inertia.numpy()) if model.body_count else ((), ())
    friction, restitution = np.zeros(0), np.zeros(0)
    if model.shape_count:
        friction, restitution = model.shape_material_mu.numpy(), model.shape_material_restitution.numpy()
    count = len(spec.bodies)
    masses, inertias = np.full(count, np.inf), np.zeros((count, 3, 3))
    for index, (body, row) in enumerate(zip(acting_bodies(spec), worlds.body_rows[environment], strict=True)):
        if isinstance(body, BodyRigid) and body.mobility == "dynamic":
            masses[index], inertias[index] = mass[row], inertia[row]
        elif index in worlds.node_rows[environment]:
            masses[index], inertias[index] = node_body(body).mass_and_inertia()
    shapes = np.flatnonzero(worlds.shape_environment == environment)
    owner = worlds.shape_instance[shapes].astype(np.int64) - FIRST_BODY  # ground and room are below 0
    mu = np.array([body.physical.dynamic_friction for body in spec.bodies])
    bounce = np.zeros(count)
    mu[owner[owner >= 0]], bounce[owner[owner >= 0]] = friction[shapes[owner >= 0]], restitution[shapes[owner >= 0]]
    rules = {
        **RULES,
        **steps_for(spec).rules,
        **(FIRM if has_firm(spec) else {}),
        **(GUIDED if is_guided(spec) else {}),
    }
    bounce[list(worlds.node_rows[environment])] = 0.0
    parts = {
        body.name: len(body_parts(body))
        for body in spec.bodies
        if isinstance(body, BodyRigid) and may_split(body.geometry)
    }
    split = ", ".join(f"{name} ({number})" for name, number in parts.items() if number > 1)
    if split:
        rules["parts"] = f"collide as so many convex parts of their mesh: {split}"
    return BodyProperties(
        mass=masses,
        inertia=inertias,
        friction=mu,
        restitution=bounce,
        ground_friction=float(friction[shapes[0]]) if spec.ground is not None else float("nan"),
        rules=rules,
    )
