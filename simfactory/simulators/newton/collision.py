"""Newton's contact detection for the environments of one model, with kernels that are made once a process.

Newton makes the kernels of a collision pipeline anew whenever one is built, and Warp then hashes their source again:
0.2 to 0.9 s for every scene that is loaded, more than all the rest of it. They depend on nothing but their arguments.
"""

import functools
from typing import Any

import newton
from newton._src.geometry import narrow_phase

from simfactory.simulators.newton.worlds import Worlds

__all__ = ["collision_pipeline"]

FACTORIES = (
    "create_narrow_phase_primitive_kernel",
    "create_narrow_phase_kernel_gjk_mpr",
    "create_narrow_phase_kernels_gjk_mpr_split",
    "create_narrow_phase_process_mesh_triangle_contacts_kernel",
    "create_narrow_phase_process_mesh_plane_contacts_kernel",
    "create_narrow_phase_process_mesh_mesh_contacts_kernel",
    "create_export_reduced_contacts_kernel",
)
SPECULATIVE_GAP = 0.5  # [m] how far ahead moving shapes look for contact

for name in FACTORIES:
    setattr(narrow_phase, name, functools.cache(getattr(narrow_phase, name)))


def collision_pipeline(worlds: Worlds, **options: Any) -> Any:  # Any: newton has no type information
    """Return a pipeline with room for all contacts of some environments.

    Args:
        worlds: The environments.
        options: Of `newton.CollisionPipeline`.
    """
    return newton.CollisionPipeline(
        worlds.model,
        rigid_contact_max=worlds.contact_capacity,
        speculative_contact_gap_max=SPECULATIVE_GAP,
        include_static_kinematic_pairs=False,
        deterministic=worlds.model.device.is_cuda,
        **options,
    )
