"""Air on cloth and inflatables: pressure and skin friction of every triangle, one kernel a solver step."""

from typing import Any

import numpy as np
import warp as wp

from simfactory.simulators.newton.bodies import node_body
from simfactory.simulators.newton.descent.kernels.air import blow
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import BodyCloth, BodyInflatable

__all__ = ["PRESSURE_COEFFICIENT", "SKIN_COEFFICIENT", "ClothDrag"]

PRESSURE_COEFFICIENT = 1.2  # of a square plate across the flow
SHELL_COEFFICIENT = 0.35  # per triangle of a closed shell: of a ball 0.47 = 4/3 × 0.35 in all
SKIN_COEFFICIENT = 0.02  # along the flow, both sides together


class ClothDrag:
    """½ ρ A |u| (C_p (u·n) n + C_s (u - (u·n) n)) on every triangle of area A and normal n; u: air past it [m/s].

    A sheet across the flow feels ½ ρ C_p A u², one along it next to nothing.

    Source: S. F. Hoerner, "Fluid-Dynamic Drag" (1965), §3: plates across and along the flow.

    Args:
        worlds: The model and which of its rows belong to which environment.
        dt: Solver step [s].
    """

    def __init__(self, worlds: Worlds, *, dt: float) -> None:
        self._model, self._dt = worlds.model, dt
        density = np.array([spec.environment.air_density for spec in worlds.specs])
        node_density = np.zeros(worlds.model.particle_count)
        coefficient = np.zeros(worlds.model.particle_count)
        inverse_mass = np.zeros(worlds.model.particle_count)
        for number, (spec, rows) in enumerate(zip(worlds.specs, worlds.node_rows, strict=True)):
            for index, (begin, end) in rows.items():
                body = spec.bodies[index]
                if isinstance(body, BodyCloth | BodyInflatable):
                    coefficient[begin:end] = PRESSURE_COEFFICIENT if isinstance(body, BodyCloth) else SHELL_COEFFICIENT
                    made = node_body(body)
                    node_density[begin:end] = density[number]
                    inverse_mass[begin:end] = np.where(made.held, 0.0, 1.0 / made.mass)
        self._blows = bool(node_density.any())
        device = worlds.model.device
        # Any: warp has no type information
        self._density: Any = wp.array(node_density, dtype=wp.float32, device=device)
        # Any: as above
        self._coefficient: Any = wp.array(coefficient, dtype=wp.float32, device=device)
        # Any: as above
        self._inverse_mass: Any = wp.array(inverse_mass, dtype=wp.float32, device=device)
        self._air = worlds.air
        # Any: as above
        self._velocity: Any = wp.zeros(worlds.model.particle_count, dtype=wp.vec3, device=device)

    def act(self, state: Any) -> None:  # Any: a newton State
        """Launch the drag of the coming solver step on a state."""
        if not self._blows:
            return
        model = self._model
        wp.copy(self._velocity, state.particle_qd)
        wp.launch(
            blow,
            dim=model.particle_count,
            inputs=[
                self._dt,
                self._density,
                self._coefficient,
                SKIN_COEFFICIENT,
                model.particle_world,
                self._air,
                self._inverse_mass,
                model.tri_indices,
                model.soft_mesh_adjacency_device,
                state.particle_q,
                self._velocity,
            ],
            outputs=[state.particle_qd],
            device=model.device,
        )
