"""Newton's vertex block descent with a better first guess, so that few iterations are enough for bodies at rest."""

from typing import Any

import newton
import numpy as np
import warp as wp

from simfactory.simulators.newton.descent.kernels import guess_displacements

__all__ = ["VertexDescent"]


class VertexDescent(newton.solvers.SolverVBD):
    """SolverVBD whose iterations begin where the nodes' last acceleration leads, not where gravity alone would.

    Newton begins every step at x + v dt + g dt². For a body that rests, hangs or is bent that guess is wrong by g dt²
    in every step; what a few iterations leave of it adds up to a body that sags too far (by 100 % and more in a beam
    of 16 cells). Here the share of gravity that the node felt in the last step takes its place, between none and all
    of it: a body at rest is then a fixed point of the iterations. The energy that is minimised is the same.

    Source: A. H. Chen et al., "Vertex Block Descent", ACM Transactions on Graphics 43 (2024), §3.7, adaptive
    initialization.

    Args:
        model: A newton Model.
        dt: Solver step [s].
        options: Of SolverVBD.
    """

    def __init__(self, model: Any, *, dt: float, **options: Any) -> None:  # Any: newton has no type information
        super().__init__(model, **options)
        gravity = model.gravity.numpy()[model.particle_world.numpy()]
        falling = model.particle_qd.numpy() - gravity * np.float32(dt)  # as if it had fallen freely before t = 0
        self._velocity_start: Any = wp.array(falling, dtype=wp.vec3, device=model.device)
        self._velocity_before = wp.clone(self._velocity_start)

    def forget_nodes(self, begin: int, end: int) -> None:
        """Put the memory of nodes begin…end back to t = 0."""
        if end > begin:
            wp.copy(self._velocity_before, self._velocity_start, begin, begin, end - begin)

    def _initialize_particles(self, state_in: Any, state_out: Any, contacts: Any, dt: float) -> None:  # Any: newton
        super()._initialize_particles(state_in, state_out, contacts, dt)
        model = self.model
        wp.launch(
            guess_displacements,
            dim=model.particle_count,
            inputs=[dt, model.gravity, model.particle_world, model.particle_inv_mass, state_in.particle_qd],
            outputs=[self._velocity_before, self.particle_displacements],
            device=model.device,
        )
        self._penetration_free_truncation(state_in, contacts)
