"""Air on ropes: drag of a cylinder across its axis, by its part of the wind."""

from typing import Any

import warp as wp

from simfactory.simulators.newton.forces.kernels import drag_across_lines

__all__ = ["LINE_DRAG_COEFFICIENT", "LineDrag"]

LINE_DRAG_COEFFICIENT = 1.2  # of a long circular cylinder at 10³ < Re < 2·10⁵


class LineDrag:
    """Drag on the nodes of ropes between two solver steps.

    Only the wind across the line counts (the independence principle); friction along it is left out.

    Source: S. F. Hoerner, "Fluid-Dynamic Drag" (1965), ch. 3.

    Args:
        step: Per node k dt/m [1/(m/s)·s·m⁻¹] of dv/dt = -(k/m) |u| u, u the velocity against the wind across the
            line; 0 where air does not act.
        following: Per node the nodes before and after it along its rope.
        node_world: World of each node.
        air: The air of all worlds.
    """

    def __init__(self, *, step: Any, following: Any, node_world: Any, air: Any) -> None:  # Any: warp arrays
        self._step, self._following, self._node_world, self._air = step, following, node_world, air

    def act(self, state: Any) -> None:  # Any: a newton State
        """Launch the drag of the coming solver step on a state."""
        wp.launch(
            drag_across_lines,
            dim=self._step.shape[0],
            inputs=[self._air, self._step, self._following, self._node_world, state.particle_q],
            outputs=[state.particle_qd],
            device=self._step.device,
        )
