"""The first guess of a solver step of soft bodies."""

import warp as wp

__all__ = ["guess_displacements"]


@wp.kernel
def guess_displacements(
    dt: float,
    gravity: wp.array(dtype=wp.vec3),
    node_world: wp.array(dtype=wp.int32),
    inv_mass: wp.array(dtype=wp.float32),
    velocity: wp.array(dtype=wp.vec3),
    velocity_before: wp.array(dtype=wp.vec3),
    displacement: wp.array(dtype=wp.vec3),
):
    """Take from a node's first guess the share of gravity that its last step did not show."""
    node = wp.tid()
    now = velocity[node]
    pull = gravity[node_world[node]]
    strength = wp.dot(pull, pull)
    if inv_mass[node] > 0.0 and strength > 0.0:
        felt = wp.dot(now - velocity_before[node], pull) / (strength * dt)
        displacement[node] = displacement[node] - (1.0 - wp.clamp(felt, 0.0, 1.0)) * dt * dt * pull
    velocity_before[node] = now
