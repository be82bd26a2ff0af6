"""Contacts of rigid bodies with a node of a soft body, and with the edges and triangles that it is a corner of."""

import warp as wp
from newton._src.geometry.soft_contacts_mesh import _soft_contact_force_enabled, _SoftContactFilterData
from newton._src.solvers.vbd.rigid_vbd_kernels import _eval_body_particle_contact, _eval_soft_ef_contact

__all__ = ["Pressing", "pressing_force"]

LAST = wp.constant(2147483647)


@wp.struct
class Pressing:
    """Newton's contacts of soft and rigid bodies, listed by node: entries are 3 contact + corner."""

    friction_speed: float
    head: wp.array(dtype=wp.int32)
    following: wp.array(dtype=wp.int32)
    corners: wp.array(dtype=wp.vec3i)
    weights: wp.array(dtype=wp.vec3)
    shape: wp.array(dtype=wp.int32)
    body_place: wp.array(dtype=wp.vec3)
    body_speed: wp.array(dtype=wp.vec3)
    normal: wp.array(dtype=wp.vec3)
    stiffness: wp.array(dtype=wp.float32)
    damping: wp.array(dtype=wp.float32)
    friction: wp.array(dtype=wp.float32)
    radius: wp.array(dtype=wp.float32)
    shape_body: wp.array(dtype=wp.int32)
    shape_margin: wp.array(dtype=wp.float32)
    body_center: wp.array(dtype=wp.vec3)


@wp.func
def pressing_force(
    node: int,
    dt: float,
    pressing: Pressing,
    filtered: _SoftContactFilterData,
    position_before: wp.array(dtype=wp.vec3),
    position: wp.array(dtype=wp.vec3),
    pose: wp.array(dtype=wp.transform),
    pose_before: wp.array(dtype=wp.transform),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Return the force of a node's contacts on it, and the Hessian: Newton's, summed in the order of their list."""
    force, hessian = wp.vec3(0.0), wp.mat33(0.0)
    done = int(-1)
    entry = int(0)
    while entry >= 0:
        least = int(LAST)
        entry = pressing.head[node]
        while entry >= 0:
            if entry > done and entry < least:
                least = entry
            entry = pressing.following[entry]
        if least < LAST:
            entry = 0  # there may be more
            done = least
            contact = least // 3
            if _soft_contact_force_enabled(contact, filtered):
                corners = pressing.corners[contact]
                if corners[1] < 0:
                    push, stiff = _eval_body_particle_contact(
                        node, position[node], position_before[node], contact, pressing.stiffness[contact],
                        pressing.damping[contact], pressing.friction[contact], pressing.friction_speed,
                        pressing.radius, pressing.shape_body, pose, pose_before, velocity, pressing.body_center,
                        pressing.shape, pressing.body_place, pressing.body_speed, pressing.normal,
                        pressing.shape_margin, dt, False,
                    )  # fmt: skip
                    force += push
                    hessian += stiff
                else:
                    weights = pressing.weights[contact]
                    share = weights[least - 3 * contact]
                    part, firm, _place = _eval_soft_ef_contact(
                        contact, corners, weights, position, position_before, pressing.radius,
                        pressing.stiffness[contact], pressing.damping[contact], pressing.friction[contact],
                        pressing.friction_speed, pressing.shape_body, pose, pose_before, velocity,
                        pressing.body_center, pressing.shape, pressing.body_place, pressing.body_speed,
                        pressing.normal, pressing.shape_margin, dt, False,
                    )  # fmt: skip
                    force += share * part
                    hessian += share * share * firm
    return force, hessian
