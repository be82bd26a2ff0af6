"""Pushes, damping and air on bodies that are made of nodes: one kernel a solver step."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.simulators.newton.bodies import node_body
from simfactory.simulators.newton.forces.actions import Actions, drag_rate
from simfactory.simulators.newton.forces.kernels import act_on_nodes
from simfactory.simulators.newton.worlds import Worlds

__all__ = ["NodeActions"]


class NodeActions:
    """What acts on bodies of nodes between two solver steps; every node takes its share by mass.

    Args:
        worlds: The model and which of its rows belong to which environment.
        actions: The actions on rigid bodies, whose clock is shared.
        dt: Solver step [s].
    """

    def __init__(self, worlds: Worlds, actions: Actions, *, dt: float) -> None:
        self._worlds, self._actions = worlds, actions
        self._device = worlds.model.device
        owner = np.full(worlds.model.particle_count, -1)
        decay: list[float] = []
        drag_step: list[float] = []
        pushes: list[list[tuple[int, npt.NDArray[np.float64]]]] = []
        for spec, rows in zip(worlds.specs, worlds.node_rows, strict=True):
            for index, (begin, end) in rows.items():
                body = spec.bodies[index]
                made = node_body(body)
                owner[begin:end] = np.where(made.held, -1, len(decay))
                mass = float(made.mass.sum())
                decay.append(math.exp(-body.physical.damping * dt))
                drag_step.append(drag_rate(spec, body.physical.density, mass) * dt if made.drag_as_ball else 0.0)
                pushes.append(
                    [
                        (math.ceil(push.time / dt - 1e-6), np.asarray(push.impulse) / mass)
                        for push in spec.triggers
                        if push.body == body.name
                    ]
                )
        flat = [push for row in pushes for push in row]
        array = actions.array
        self._owner = array(owner, wp.int32)
        self._push_start = array(np.cumsum([0] + [len(row) for row in pushes]), wp.int32)
        self._push_step = array(np.array([step for step, _ in flat]), wp.int32)
        self._push_velocity = array(np.array([gain for _, gain in flat]).reshape(-1, 3), wp.vec3)
        self._decay = array(np.array(decay), wp.float32)
        self._drag_step = array(np.array(drag_step), wp.float32)

    def act(self, state: Any) -> None:  # Any: a newton State
        """Launch the actions of the coming solver step on a state."""
        model = self._worlds.model
        wp.launch(
            act_on_nodes,
            dim=model.particle_count,
            inputs=[
                self._actions.air,
                model.particle_world,
                self._owner,
                self._push_start,
                self._push_step,
                self._push_velocity,
                self._decay,
                self._drag_step,
                state.particle_q,
            ],
            outputs=[state.particle_qd],
            device=self._device,
        )
