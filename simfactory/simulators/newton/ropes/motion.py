"""The steps of all ropes of a model."""

from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.episode import Contacts
from simfactory.simulators.newton.forces import LINE_DRAG_COEFFICIENT, LineDrag
from simfactory.simulators.newton.ropes.kernels.moving import (
    begin_step,
    count_crowds,
    end_step,
    move_ropes,
    push_bodies,
    resist_contact,
    resist_strain,
    share_momentum,
    take_positions,
    turn_directors,
)
from simfactory.simulators.newton.ropes.kernels.touching import touch_ropes, touch_shapes
from simfactory.simulators.newton.ropes.tables import (
    free_inverse_mass,
    rigid_bodies,
    rope_tables,
    rope_touches,
    shape_table,
    shape_touches,
)
from simfactory.simulators.newton.ropes.touches import read_rope_contacts
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import BodyRope

__all__ = ["RopeMotion"]

ITERATIONS = 5  # Newton steps a solver step


class RopeMotion:
    """Moves the ropes of all environments, and pushes the rigid bodies that they touch.

    A rope is a line of masses that resists stretching and bending. A solver step is one of implicit Euler: what it
    asks of a rope is a block matrix with two blocks beside its diagonal, which is solved directly, so that ropes as
    stiff as real ones neither lengthen nor ask for more iterations. Contacts are springs along planes that move with
    bodies; how far a body yields within the step is eliminated beforehand, and it gets the opposite impulse.

    Positions are kept in float64 here: a stiff rope feels the rounding of float32. The state has copies.

    Args:
        worlds: The model's environments.
        dt: Solver step [s].
    """

    def __init__(self, worlds: Worlds, *, dt: float) -> None:
        model = worlds.model
        device, count = model.device, model.particle_count
        self._worlds, self._model, self._device, self._dt = worlds, model, device, wp.float64(dt)
        self._ropes = rope_tables(worlds)
        self._rope_count, self._sample_count = len(self._ropes.first), len(self._ropes.sample_node)
        self._node_count = count
        self._shapes = shape_table(worlds)
        self._shape_touches = shape_touches(self._sample_count, device)
        self._rope_touches = rope_touches(count, device)
        vectors = [wp.zeros(count, dtype=wp.vec3d, device=device) for _ in range(5)]
        self._position, self._free, self._guess, self._target, self._force = vectors
        self._blocks = [wp.zeros(count, dtype=wp.mat33d, device=device) for _ in range(3)]
        self._inv_mass = free_inverse_mass(model)
        self._crowd = wp.full(max(model.body_count, 1), value=1.0, dtype=wp.float64, device=device)
        self._fresh = wp.full(self._rope_count, value=1, dtype=wp.int32, device=device)
        self._rope_ranges = np.searchsorted(self._ropes.world.numpy(), np.arange(len(worlds.specs) + 1))
        self._rope_ranges_device: list[Any] = [  # Any: warp arrays
            wp.array(ends.astype(np.int32), dtype=wp.int32, device=device)
            for ends in (self._rope_ranges[:-1], self._rope_ranges[1:])
        ]
        self._excess = wp.zeros(self._rope_count, dtype=wp.vec3d, device=device)
        self._drag = _line_drag(worlds, dt=dt) if _has_air(worlds) else None
        self._gravity: Any = wp.array(  # Any: a warp array
            np.array([spec.environment.gravity for spec in worlds.specs], np.float32), dtype=wp.vec3, device=device
        )

    def advance(self, source: Any, target: Any) -> None:  # Any: newton States
        """Launch one step: nodes from a state to another, rigid bodies of the first are pushed."""
        if self._drag is not None:
            self._drag.act(source)
        self._touch(source)
        ropes, dt, model = self._ropes, self._dt, self._model
        self._launch(
            begin_step,
            self._node_count,
            [dt, ropes, self._gravity, self._fresh, source.particle_qd, self._position, self._free, self._guess],
        )
        if model.body_count:
            touches = [ropes, model.body_world, model.shape_body, self._shape_touches, self._crowd]
            self._launch(count_crowds, model.body_count, touches)
        places = [self._position, self._free, self._guess]
        contacts = [model.shape_body, self._shape_touches, self._rope_touches, self._crowd]
        diagonal, beside, beyond = self._blocks
        for number in range(ITERATIONS):
            strain = [dt, ropes, *places, *self._blocks, self._force]
            self._launch(resist_strain, self._rope_count, strain)
            meeting = [dt, ropes, *contacts, self._position, self._guess, diagonal, beside, self._force]
            self._launch(resist_contact, self._rope_count, meeting)
            system = [ropes, self._guess, diagonal, beside, beyond, self._force, self._target]
            self._launch(move_ropes, self._rope_count, system)
            if number + 1 < ITERATIONS:
                wp.copy(self._guess, self._target)
        if model.body_count:
            self._launch(
                push_bodies,
                model.body_count,
                [
                    dt,
                    ropes,
                    model.shape_body,
                    model.body_world,
                    model.body_com,
                    self._inv_mass,
                    model.body_inv_inertia,
                    self._shape_touches,
                    self._crowd,
                    self._position,
                    self._guess,
                    self._target,
                    source.body_q,
                    source.body_qd,
                ],
            )
        moves = [*self._rope_ranges_device, self._position, self._guess, self._target, self._excess]
        self._launch(share_momentum, len(self._worlds.specs), [dt, ropes, self._rope_touches, *moves])
        wp.copy(self._guess, self._target)
        nodes = [target.particle_q, target.particle_qd]
        self._launch(turn_directors, self._rope_count, [dt, ropes, self._position, self._guess, self._fresh, *nodes])
        self._launch(end_step, self._node_count, [dt, ropes, self._excess, self._guess, self._position, *nodes])

    def detect(self, state: Any) -> None:  # Any: a newton State
        """Launch contact detection on a state."""
        self._touch(state)

    def read_contacts(self, nodes: npt.NDArray[np.float32]) -> list[Contacts]:
        """Return what `detect` found, by environment.

        Args:
            nodes: `(row, 3)` positions of all nodes [m].
        """
        return read_rope_contacts(
            self._worlds, self._ropes, self._shape_touches, self._rope_touches, nodes.astype(np.float64)
        )

    def forget(self, state: Any, environment: int | None = None) -> None:  # Any: a newton State
        """Begin an environment, or all, at the positions of a state."""
        for index in range(len(self._worlds.specs)) if environment is None else (environment,):
            begin, end = self._worlds.node_ranges[index]
            self._launch(take_positions, end - begin, [begin, state.particle_q, self._position])
            first, last = self._rope_ranges[index], self._rope_ranges[index + 1]
            if last > first:
                self._fresh[int(first) : int(last)].fill_(1)

    def _touch(self, state: Any) -> None:  # Any: a newton State
        model = self._model
        if model.shape_count:
            nodes = [self._dt, self._ropes, self._position, state.particle_qd]
            around = [self._shapes, rigid_bodies(model, state, self._inv_mass), self._shape_touches]
            self._launch(touch_shapes, self._sample_count, [*nodes, *around])
        self._launch(
            touch_ropes,
            self._node_count,
            [self._dt, self._ropes, self._position, state.particle_qd, self._rope_touches],
        )

    def _launch(self, kernel: Any, count: int, inputs: list[Any]) -> None:  # Any: warp
        wp.launch(kernel, dim=count, inputs=inputs, device=self._device)


def _has_air(worlds: Worlds) -> bool:
    return any(spec.environment.air_density > 0.0 for spec in worlds.specs)


def _line_drag(worlds: Worlds, *, dt: float) -> LineDrag:
    """Return the air on all ropes: k/m = ½ ρ C_d 2r / (mass over length) at every node that moves."""
    count, device = worlds.model.particle_count, worlds.model.device
    step = np.zeros(count, np.float32)
    following = np.zeros((count, 2), np.int32)
    for spec, rows in zip(worlds.specs, worlds.node_rows, strict=True):
        for index, (begin, end) in rows.items():
            body = spec.bodies[index]
            assert isinstance(body, BodyRope)
            rate = spec.environment.air_density * LINE_DRAG_COEFFICIENT * body.geometry.radius / body.line_density
            step[begin : end - 1] = rate * dt
            nodes = np.arange(begin, end - 1)
            following[begin : end - 1] = np.stack(
                [np.maximum(nodes - 1, begin), np.minimum(nodes + 1, end - 2)], axis=-1
            )
    return LineDrag(
        step=wp.array(step, dtype=wp.float32, device=device),
        following=wp.array(following, dtype=wp.vec2i, device=device),
        node_world=worlds.model.particle_world,
        air=worlds.air,
    )
