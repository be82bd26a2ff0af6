"""Contact points, restitution and exact flight around a position-based solver step."""

from typing import Any

import warp as wp

from simfactory.simulators.newton.impacts.kernels import (
    WORLD_IMPACTS,
    Impact,
    correct_flight,
    find_impacts,
    linearise_contacts,
    solve_impacts,
)

__all__ = ["Impacts"]


class Impacts:
    """What surrounds a solver step so that bodies roll, bounce and fly as they should.

    Before it, contact points are readied (see `linearise_contacts`) and impacts are recognised; the step's position
    projection is their inelastic part. After it, impacts get their restitution, and bodies that touched nothing are
    put onto their exact parabola and spin. The solver's own restitution is off: it measures velocities at points that
    have turned with the body during the step, so that a ball rolling faster than 2 g/(ω r) seems to leave the ground
    and is braked.

    Source: M. Müller et al., "Detailed Rigid Body Simulation with Extended Position Based Dynamics" (2020), §3.6.

    Args:
        model: A newton Model.
        contacts: Its newton Contacts buffer.
        dt: Solver step [s].
        rounding: Relative error of the solver's velocities: a body whose speed changed by less beyond gravity's share
            touched nothing.
    """

    def __init__(self, model: Any, contacts: Any, *, dt: float, rounding: float = 1e-6) -> None:  # Any: newton
        self._model, self._contacts, self._dt, self._rounding = model, contacts, dt, rounding
        device, worlds = model.device, model.world_count
        capacity = int(WORLD_IMPACTS.val if hasattr(WORLD_IMPACTS, "val") else WORLD_IMPACTS)
        self._pose_before = wp.clone(model.body_q)
        self._velocity_before = wp.clone(model.body_qd)
        self._impacts = wp.zeros(contacts.rigid_contact_max, dtype=Impact, device=device)
        self._world_count = wp.zeros(worlds, dtype=wp.int32, device=device)
        self._world_list = wp.zeros((worlds, capacity), dtype=wp.int32, device=device)
        self._least = wp.zeros((worlds, capacity), dtype=wp.float32, device=device)
        self._total = wp.zeros((worlds, capacity), dtype=wp.float32, device=device)

    def before_step(self, state: Any) -> None:  # Any: a newton State
        """Find impacts and ready contact points; call between contact detection and the solver step."""
        self.notice(state)
        self._linearise()

    def notice(self, state: Any) -> None:  # Any: a newton State
        """Find impacts only; for solvers that leave contact points where they are."""
        model, contacts = self._model, self._contacts
        wp.copy(self._pose_before, state.body_q)
        wp.copy(self._velocity_before, state.body_qd)
        wp.launch(
            find_impacts,
            dim=contacts.rigid_contact_max,
            inputs=[
                contacts.rigid_contact_count,
                contacts.rigid_contact_shape0,
                contacts.rigid_contact_shape1,
                contacts.rigid_contact_point0,
                contacts.rigid_contact_point1,
                contacts.rigid_contact_offset0,
                contacts.rigid_contact_offset1,
                contacts.rigid_contact_normal,
                model.shape_body,
                model.shape_material_restitution,
                model.body_world,
                model.body_flags,
                model.body_com,
                model.body_inv_mass,
                model.body_inv_inertia,
                model.gravity,
                self._pose_before,
                self._velocity_before,
                self._dt,
            ],
            outputs=[self._impacts, self._world_count, self._world_list],
            device=model.device,
        )

    def _linearise(self) -> None:
        model, contacts = self._model, self._contacts
        wp.launch(
            linearise_contacts,
            dim=contacts.rigid_contact_max,
            inputs=[
                contacts.rigid_contact_count,
                contacts.rigid_contact_shape0,
                contacts.rigid_contact_shape1,
                contacts.rigid_contact_normal,
                model.shape_body,
                model.body_flags,
                model.body_com,
                model.body_inertia,
                model.body_inv_inertia,
                self._pose_before,
                self._velocity_before,
                self._dt,
            ],
            outputs=[
                contacts.rigid_contact_point0,
                contacts.rigid_contact_point1,
                contacts.rigid_contact_offset0,
                contacts.rigid_contact_offset1,
            ],
            device=model.device,
        )

    def after_step(self, state: Any) -> None:  # Any: a newton State
        """Give impacts their speed and flying bodies their place; call after the solver step, on its result."""
        model = self._model
        wp.launch(
            correct_flight,
            dim=model.body_count,
            inputs=[
                model.body_world,
                model.body_flags,
                model.body_com,
                model.body_inertia,
                model.body_inv_inertia,
                model.gravity,
                self._pose_before,
                self._velocity_before,
                self._dt,
                self._rounding,
            ],
            outputs=[state.body_qd, state.body_q],
            device=model.device,
        )
        wp.launch(
            solve_impacts,
            dim=model.world_count,
            inputs=[
                self._impacts,
                self._world_count,
                self._world_list,
                model.body_inv_mass,
                model.body_inv_inertia,
                self._pose_before,
            ],
            outputs=[self._least, self._total, state.body_qd],
            device=model.device,
        )
