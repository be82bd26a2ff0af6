"""Vertex block descent of cloth: membranes and bending edges, contact with themselves, momentum evened out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.simulators.newton.descent.elements import Solid
from simfactory.simulators.newton.descent.kernels.cloth import descend_cloth, meet, prop, settle
from simfactory.simulators.newton.descent.kernels.gas import find_areas, squeeze, swell
from simfactory.simulators.newton.descent.kernels.near import Meeting
from simfactory.simulators.newton.descent.kernels.shell import measure_before
from simfactory.simulators.newton.descent.nearness import Nearness
from simfactory.simulators.newton.descent.pinch import Pinch
from simfactory.simulators.newton.descent.samples import Samples
from simfactory.simulators.newton.descent.solver import VertexDescent

__all__ = ["ClothDescent", "Sheet"]

TOUCHING = 5e-4  # [m] between rigid bodies that rest on each other
NO_SAMPLES = Samples(
    start=np.zeros(1, np.int64),
    node=np.zeros(0, np.int64),
    gradient=np.zeros((0, 3)),
    volume=np.zeros(0),
    kind=np.zeros(0, np.int8),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A cloth in a model.

    Attributes:
        first: Row of its first node.
        node_count: Number of its nodes.
        rank: Its place among the cloths of its environment.
        colors: Its nodes, from 0; those of one colour share no element.
        friction: Coulomb coefficient [1].
        gas: n R T of the gas that it encloses [J]; 0 = it encloses none.
        gauge_pressure: Of that at t = 0, above the pressure outside [Pa].
    """

    first: int
    node_count: int
    rank: int
    colors: tuple[npt.NDArray[np.int64], ...]
    friction: float
    gas: float = 0.0
    gauge_pressure: float = 0.0


class ClothDescent(VertexDescent):
    """VertexDescent whose bodies are Newton's triangles and bending edges instead of sampled solids.

    What it has in common with that: the first guess, the friction of pairs, the momentum that iterations leave open.

    Args:
        model: A newton Model.
        sheets: Its cloths.
        dt: Solver step [s].
        outside: Pressure outside of shells with gas [Pa].
        node_ranges: By environment: its nodes, first and one after the last.
        row_ranges: By environment: its rigid bodies, alike.
        pinch: Grippers that hold some of the cloth.
        options: Of SolverVBD.
    """

    def __init__(
        self,
        model: Any,  # Any: newton
        sheets: Sequence[Sheet],
        *,
        dt: float,
        outside: float,
        node_ranges: Sequence[tuple[int, int]],
        row_ranges: Sequence[tuple[int, int]],
        pinch: Pinch | None = None,
        **options: Any,  # Any: of several types
    ) -> None:
        self._sheets, self._outside, self._pinch = sheets, outside, pinch
        solids = [
            Solid(
                first=sheet.first,
                node_count=sheet.node_count,
                rank=sheet.rank,
                samples=NO_SAMPLES,
                colors=sheet.colors,
                shear=0.0,
                bulk=0.0,
                viscosity=0.0,
                friction=sheet.friction,
                contact_stiffness=model.soft_contact_ke,
            )
            for sheet in sheets
        ]
        super().__init__(model, solids, dt=dt, **options)
        self._nearness = Nearness(
            model,
            self.particle_adjacency,
            self.trimesh_collision_detector,
            node_ranges=node_ranges,
            row_ranges=row_ranges,
            dt=dt,
            distance=self.particle_self_contact_margin,
            farthest=self._self_contact_query_radius,
            relaxation=self.dat_conservative_bound_relaxation,
        )
        self._meeting: Any = Meeting()  # Any: a warp structure
        self._meeting.distance, self._meeting.stiffness = self.particle_self_contact_margin, model.soft_contact_ke
        self._meeting.damping, self._meeting.friction_speed = model.soft_contact_kd, self.friction_epsilon
        self._meeting.parallel = self._self_contact_edge_edge_parallel_epsilon

    def _upload(self, solids: Sequence[Solid]) -> None:
        """Send contacts and colours to the device; elements are the model's."""
        count = self.model.particle_count
        color = np.full(count, -1)
        most = max(len(solid.colors) for solid in solids)
        for solid in solids:
            for number, nodes in enumerate(solid.colors):
                color[solid.first + nodes] = solid.rank * most + number
        self._most_colors = most
        self._node_color = self._array(color)
        self._upload_contacts(solids)
        self._is_viscous = False  # Newton's elements have a viscosity of their own
        self._internal = wp.zeros(count, dtype=wp.vec3, device=self.device)
        triangles, edges = max(self.model.tri_count, 1), max(self.model.edge_count, 1)
        self._metrics: Any = wp.zeros(triangles, dtype=wp.vec3, device=self.device)  # Any: warp arrays
        self._angles: Any = wp.zeros(edges, dtype=wp.float32, device=self.device)  # Any: as above
        self._upload_solids(solids)
        self._upload_blows()
        self._upload_gas()

    def forget_nodes(self, begin: int, end: int) -> None:
        """Put the memory of nodes begin…end, those of an environment, back to t = 0."""
        super().forget_nodes(begin, end)
        for row, sheet in enumerate(self._sheets):
            if begin <= sheet.first < end:
                wp.copy(self._gauge, self._gauge_at_first, row, row, 1)

    def forget_pairs(self, environment: int) -> None:
        """Look for what is near what in an environment anew."""
        self._nearness.forget(environment)

    def _upload_gas(self) -> None:
        """Send the gas of every shell to the device."""
        count, device = self.model.particle_count, self.device
        self._has_gas = any(sheet.gas > 0.0 for sheet in self._sheets)
        gauge = [sheet.gauge_pressure for sheet in self._sheets]
        # Any: a warp array
        self._gas: Any = wp.array([sheet.gas for sheet in self._sheets], dtype=wp.float64, device=device)
        # Any: a warp array
        self._gauge: Any = wp.array(gauge, dtype=wp.float32, device=device)
        self._gauge_at_first, self._rise = wp.clone(self._gauge), wp.zeros_like(self._gauge)
        # Any: a warp array
        self._compliance: Any = wp.zeros(count, dtype=wp.mat33, device=device)
        # Any: a warp array
        self._area: Any = wp.zeros(count, dtype=wp.vec3, device=device)

    def _upload_blows(self) -> None:
        """Make room for what `_repay` asks for. A cloth that is held, or has others about it, is never alone."""
        model: Any = self.model  # Any: newton has no type information
        world = model.particle_world.numpy()[self._first.numpy()]
        alone = (np.bincount(world)[world] == 1) & np.isfinite(self._weight.numpy())
        self._alone, self._propped = self._array(alone.astype(np.int64)), self._array(np.zeros(len(world), np.int64))
        # Any: a warp array
        self._velocity_at_first: Any = wp.clone(model.particle_qd)
        if model.body_count:
            # Any: a warp array
            self._body_velocity_at_first: Any = wp.clone(model.body_qd)
            # Any: a warp array
            self._inverse_mass: Any = wp.clone(self.body_inv_mass_effective)
            self._partner = self._array(np.full(model.body_count, -1))

    def step(
        self,
        state_in: Any,  # Any: newton has no type information
        state_out: Any,  # Any: as above
        control: Any,  # Any: as above
        contacts: Any,  # Any: as above
        dt: float,
        **options: Any,  # Any: of several types
    ) -> None:
        """Advance by a solver step; see SolverVBD."""
        wp.copy(self._velocity_at_first, state_in.particle_qd)
        if self.model.body_count:
            wp.copy(self._body_velocity_at_first, state_in.body_qd)
        if self._pinch is not None:
            self._pinch.take(state_in)
        super().step(state_in, state_out, control, contacts, dt, **options)
        if self._pinch is not None:
            self._pinch.slip(self._friction, state_out)

    def _collision_detection_penetration_free(
        self,
        current_state: Any,  # Any: a newton State
        *,
        reset_reference: bool = True,
    ) -> None:
        self._nearness.find(current_state)

    def _penetration_free_truncation(self, state: Any, contacts: Any) -> None:  # Any: newton
        """Keep nodes from crossing what is near them."""
        self._nearness.bound(self.pos_prev_collision_detection, self.particle_displacements, state.particle_q)

    def _initialize_particles(self, state_in: Any, state_out: Any, contacts: Any, dt: float) -> None:  # Any: newton
        super()._initialize_particles(state_in, state_out, contacts, dt)
        model = self.model
        wp.launch(
            measure_before,
            dim=max(model.tri_count, model.edge_count),
            inputs=[model.tri_indices, model.tri_poses, model.edge_indices, self.particle_q_prev],
            outputs=[self._metrics, self._angles],
            device=self.device,
        )

    def _solve_rigid_body_iteration(
        self,
        state_in: Any,  # Any: newton
        state_out: Any,  # Any: newton
        control: Any,  # Any: newton
        contacts: Any,  # Any: newton
        dt: float,
    ) -> None:
        """Wait until cloth has moved, see `_solve_particle_iteration`."""
        self._steering = control

    def _solve_particle_iteration(self, state_in: Any, state_out: Any, contacts: Any, dt: float) -> None:  # Any: newton
        """Let every node descend once, then every rigid body.

        Cloth begins a step inside of what it falls on. It is light and gives way at once; a body that went first would
        be pushed by all of it, into the floor, which throws it up.
        """
        self._descend(state_in, contacts, dt)
        wp.copy(state_out.particle_q, state_in.particle_q)
        super()._solve_rigid_body_iteration(state_in, state_out, self._steering, contacts, dt)
        self._iteration += 1
        if self._iteration == self.iterations and self.model.body_count:
            if self._force is None:
                self._force = wp.zeros(int(contacts.soft_contact_max), dtype=wp.spatial_vectorf, device=self.device)
            self._pressed = contacts
            self._export_body_particle_contact_forces(state_in, state_out, contacts, dt, self._force)

    def _repay(self, state_out: Any, dt: float) -> None:  # Any: a newton State
        """Let free cloth and the free bodies that it meets keep their momentum."""
        model: Any = self.model  # Any: its arrays may be None, in models without bodies
        contacts = self._pressed
        wp.copy(self._inverse_mass, self.body_inv_mass_effective)
        self._partner.fill_(-1)
        self._propped.zero_()
        wp.launch(
            prop,
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
                state_out.body_q,
                TOUCHING,
            ],
            outputs=[self._inverse_mass],
            device=self.device,
        )
        wp.launch(
            meet,
            dim=self._force.size,
            inputs=[
                contacts.soft_contact_count,
                contacts.soft_contact_indices,
                contacts.soft_contact_shape,
                model.shape_body,
                self._node_solid,
                self._inverse_mass,
                self._force,
            ],
            outputs=[self._partner, self._propped],
            device=self.device,
        )
        wp.launch(
            settle,
            dim=self._first.size,
            inputs=[
                dt,
                self._first,
                self._last,
                self._alone,
                self._weight,
                model.particle_mass,
                model.particle_world,
                model.gravity,
                self._inverse_mass,
                self._partner,
                self._propped,
                self._velocity_at_first,
                self._body_velocity_at_first,
            ],
            outputs=[state_out.particle_qd, state_out.body_qd],
            device=self.device,
        )

    def _descend(self, state: Any, contacts: Any, dt: float) -> None:  # Any: newton
        """Move the cloths of every environment one after the other, each colour by colour."""
        model = self.model
        self.particle_forces.zero_()
        self.particle_hessians.zero_()
        shells = [
            model.tri_indices,
            model.tri_poses,
            model.tri_materials,
            model.tri_areas,
            self._metrics,
            model.edge_indices,
            model.edge_rest_angle,
            model.edge_rest_length,
            model.edge_bending_properties,
            self._angles,
        ]
        touching = [
            self._nearness.near,
            self._meeting,
            *self._rigid_contacts(state, contacts),
            self._friction,
            self._node_solid,
            self._gauge,
        ]
        for rank, colors in enumerate(self._colors):
            for number, chosen in enumerate(colors):
                if self._pinch is not None:
                    color, forces = rank * self._most_colors + number, (self.particle_forces, self.particle_hessians)
                    self._pinch.pull(color, self._node_color, self._friction, state, *forces)
                wp.launch(
                    descend_cloth,
                    dim=chosen.size,
                    inputs=[
                        dt,
                        chosen,
                        self.pos_prev_collision_detection,
                        self.particle_q_prev,
                        model.particle_mass,
                        self.inertia,
                        *shells,
                        self.particle_adjacency,
                        *touching,
                        self.particle_forces,
                        self.particle_hessians,
                    ],
                    outputs=[self.particle_displacements, self._internal, self._compliance, state.particle_q],
                    device=self.device,
                )
        if self._has_gas:
            self._press(state)
        self._penetration_free_truncation(state, contacts)

    def _press(self, state: Any) -> None:  # Any: a newton State
        """Bring the pressure of every gas and the volume around it together."""
        model, position = self.model, state.particle_q
        wp.launch(
            find_areas,
            dim=model.particle_count,
            inputs=[self._node_solid, self._gas, model.tri_indices, self.particle_adjacency, position],
            outputs=[self._area],
            device=self.device,
        )
        around = [self._area, self._compliance, model.particle_mass, position]
        wp.launch(
            squeeze,
            dim=self._first.size,
            inputs=[self._first, self._last, self._gas, self._outside, *around],
            outputs=[self._gauge, self._rise],
            device=self.device,
        )
        wp.launch(
            swell,
            dim=model.particle_count,
            inputs=[self._node_solid, self._rise, model.particle_mass, self._area, self._compliance],
            outputs=[self.particle_displacements, position],
            device=self.device,
        )
