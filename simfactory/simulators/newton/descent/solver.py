"""Newton's vertex block descent with elements that do not lock and a first guess that lets bodies rest."""

from collections.abc import Sequence
from typing import Any

import newton
import numpy as np
import numpy.typing as npt
import warp as wp
from newton._src.geometry.soft_contacts_mesh import _make_soft_contact_filter_data

from simfactory.simulators.newton.descent.elements import Solid, build_elements
from simfactory.simulators.newton.descent.kernels.meeting import add_soft_contacts, nearest_surfaces
from simfactory.simulators.newton.descent.kernels.nodes import (
    balance,
    combine_materials,
    descend,
    guess_displacements,
    repay_bodies,
    repay_nodes,
    take_gradients,
)
from simfactory.simulators.newton.descent.kernels.press import Pressing

__all__ = ["VertexDescent"]


class VertexDescent(newton.solvers.SolverVBD):
    """SolverVBD whose soft bodies are sampled strains (see `descent.samples`), begun where the last step leads.

    Newton begins every step at x + v dt + g dt². For a body that rests, hangs or is bent that guess is wrong by g dt²
    in every step; what a few iterations leave of it adds up to a body that sags too far (by 100 % and more in a beam
    of 16 cells). Here the share of gravity that the node felt in the last step takes its place, between none and all
    of it: a body at rest is then a fixed point of the iterations. The energy that is minimised is the same.

    The model holds nodes and outer faces, no tetrahedra. Contacts of nodes are Newton's own, in the deterministic
    mode that gathers them; friction is each soft body's own.

    Source: A. H. Chen et al., "Vertex Block Descent", ACM Transactions on Graphics 43 (2024), §3.7, adaptive
    initialization.

    Attributes:
        elements: The samples of all soft bodies; stiffness and gradients may be changed between steps.

    Args:
        model: A newton Model.
        solids: Its soft bodies.
        dt: Solver step [s].
        options: Of SolverVBD.
    """

    def __init__(self, model: Any, solids: Sequence[Solid], *, dt: float, **options: Any) -> None:  # Any: newton
        super().__init__(model, deterministic=wp.DeterministicMode.RUN_TO_RUN, **options)
        gravity = model.gravity.numpy()[model.particle_world.numpy()]
        falling = model.particle_qd.numpy() - gravity * np.float32(dt)  # as if it had fallen freely before t = 0
        self._velocity_start: Any = wp.array(falling, dtype=wp.vec3, device=model.device)
        self._velocity_before = wp.clone(self._velocity_start)
        self._upload(solids)

    def forget_nodes(self, begin: int, end: int) -> None:
        """Put the memory of nodes begin…end back to t = 0."""
        if end > begin:
            wp.copy(self._velocity_before, self._velocity_start, begin, begin, end - begin)

    def detect(self, state: Any) -> None:  # Any: a newton State
        """Find where soft bodies are close to each other at a state; see `touches`."""
        if not self.particle_enable_self_contact:
            return
        self.trimesh_collision_detector.refit(state.particle_q)
        self.trimesh_collision_detector.vertex_triangle_collision_detection(self._self_contact_query_radius)
        wp.launch(
            nearest_surfaces,
            dim=self.model.particle_count,
            inputs=[self._node_solid, state.particle_q, self.model.tri_indices, self.trimesh_collision_info],
            outputs=[self._near_solid, self._near_point],
            device=self.device,
        )

    def touches(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return per node the first row of the nearest other soft body, -1 for none, and the nearest point on it [m].

        As found by `detect`.
        """
        solid = self._near_solid.numpy()
        return np.where(solid >= 0, self._first.numpy()[solid], -1), self._near_point.numpy()

    @property
    def contact_lists(self) -> tuple[Any, Any]:  # Any: warp arrays
        """The contacts of every node in the last step: its first one, and the one after each, as 3 contact + corner."""
        return self._particle_contact_head, self._particle_contact_next

    def _upload(self, solids: Sequence[Solid]) -> None:
        """Send the samples of all bodies, and what they are made of, to the device."""
        self.elements = build_elements(solids, self.model.particle_count, device=self.device)
        self._upload_contacts(solids)
        self._is_viscous = any(solid.viscosity > 0.0 for solid in solids)
        count = self.elements.stiffness.size
        self._deformation, self._deformation_before = (
            wp.zeros(count, dtype=wp.mat33, device=self.device) for _ in range(2)
        )
        # Any: a warp array
        self._awake: Any = wp.ones(count, dtype=wp.bool, device=self.device)
        # Any: a warp array
        self._internal: Any = wp.zeros(self.model.particle_count, dtype=wp.vec3, device=self.device)
        self._upload_solids(solids)

    def _upload_solids(self, solids: Sequence[Solid]) -> None:
        """Send which nodes belong to whom, and what each body weighs: inf where it is held."""
        first = np.array([solid.first for solid in solids])
        last = first + [solid.node_count for solid in solids]
        model: Any = self.model  # Any: its arrays may be None, in models without particles
        node_mass = model.particle_mass.numpy()
        weight = [
            np.inf if (node_mass[begin:end] == 0.0).any() else node_mass[begin:end].sum(dtype=np.float64)
            for begin, end in zip(first, last, strict=True)
        ]
        self._first, self._last = self._array(first), self._array(last)
        rank = np.repeat([solid.rank for solid in solids], last - first)
        self._rank = self._array(rank)
        groups: dict[tuple[int, int], list[npt.NDArray[np.int64]]] = {}
        for solid in solids:
            for color, nodes in enumerate(solid.colors):
                groups.setdefault((solid.rank, color), []).append(solid.first + nodes)
        self._colors = [
            [self._array(np.concatenate(nodes)) for (owner, _), nodes in sorted(groups.items()) if owner == number]
            for number in range(int(rank.max()) + 1)
        ]
        self._node_solid = self._array(np.repeat(np.arange(len(first)), last - first))
        # Any: a warp array
        self._weight: Any = wp.array(np.array(weight), dtype=wp.float32, device=self.device)
        self._near_solid = self._array(np.full(len(node_mass), -1))
        # Any: a warp array
        self._near_point: Any = wp.zeros(len(node_mass), dtype=wp.vec3, device=self.device)
        self._iteration = 0
        self._pressed: Any = None  # contacts of the present step
        self._force: Any = None
        self._force_before: Any = None  # Any: a warp array

    def _upload_contacts(self, solids: Sequence[Solid]) -> None:
        """Send what every node has in contact to the device."""
        friction, contact = np.zeros((2, self.model.particle_count))
        for solid in solids:
            rows = np.s_[solid.first : solid.first + solid.node_count]
            friction[rows], contact[rows] = solid.friction, solid.contact_stiffness
        self._friction: Any = wp.array(friction, dtype=wp.float32, device=self.device)  # Any: warp arrays
        self._contact_stiffness: Any = wp.array(contact, dtype=wp.float32, device=self.device)

    def _array(self, values: npt.NDArray[np.int64]) -> Any:  # Any: warp has no type information
        return wp.array(values, dtype=wp.int32, device=self.device)

    def _refresh_body_particle_contact_state(self, contacts: Any, refresh: bool) -> None:  # Any: newton Contacts
        super()._refresh_body_particle_contact_state(contacts, refresh)
        if contacts is not None and contacts.soft_contact_max > 0:
            wp.launch(
                combine_materials,
                dim=contacts.soft_contact_max,
                inputs=[
                    contacts.soft_contact_count,
                    contacts.soft_contact_indices,
                    contacts.soft_contact_shape,
                    self._friction,
                    self.model.shape_material_mu,
                    self._contact_stiffness,
                ],
                outputs=[
                    self.body_particle_contact_material_mu,
                    self.body_particle_contact_penalty_k,
                    self.body_particle_contact_material_ke,
                ],
                device=self.device,
            )

    def _initialize_particles(self, state_in: Any, state_out: Any, contacts: Any, dt: float) -> None:  # Any: newton
        model = self.model
        self._iteration = 0
        if self._is_viscous:
            self._take_gradients(state_in.particle_q, self._deformation_before)
        super()._initialize_particles(state_in, state_out, contacts, dt)
        wp.launch(
            guess_displacements,
            dim=model.particle_count,
            inputs=[dt, model.gravity, model.particle_world, model.particle_inv_mass, state_in.particle_qd],
            outputs=[self._velocity_before, self.particle_displacements],
            device=model.device,
        )
        self._penetration_free_truncation(state_in, contacts)

    def _solve_particle_iteration(self, state_in: Any, state_out: Any, contacts: Any, dt: float) -> None:  # Any: newton
        """Let every node descend once, colour by colour."""
        self._iteration += 1
        is_last = self._iteration == self.iterations and self.model.body_count > 0
        if is_last:
            if self._force is None:
                self._force = wp.zeros(int(contacts.soft_contact_max), dtype=wp.spatial_vectorf, device=self.device)
                self._force_before = wp.zeros_like(self._force)
            self._pressed = contacts
            self._export_body_particle_contact_forces(state_in, state_out, contacts, dt, self._force_before)
        self._descend(state_in, contacts, dt)
        if is_last:
            self._export_body_particle_contact_forces(state_in, state_out, contacts, dt, self._force)
        wp.copy(state_out.particle_q, state_in.particle_q)

    def _descend(self, state: Any, contacts: Any, dt: float) -> None:  # Any: newton
        """Move the soft bodies of every environment one after the other, each colour by colour."""
        model = self.model
        self.particle_forces.zero_()
        self.particle_hessians.zero_()
        # Between iterations gradients follow the nodes, unless contacts of soft bodies cut the ways of these short.
        # Of the guards those are found that matter, in every second iteration.
        followed = self._iteration > 1 and not self.particle_enable_self_contact
        if not followed or self._iteration % 2:
            self._take_gradients(state.particle_q, self._deformation, guards_alone=followed)
        elements = self.elements
        inputs = [
            elements.node_start,
            elements.node_samples,
            elements.node_gradients,
            elements.stiffness,
            self._awake,
            self._deformation_before,
            self.pos_prev_collision_detection,
            self.particle_q_prev,
            self.inertia,
            model.particle_mass,
            *self._rigid_contacts(state, contacts),
            self.particle_forces,
            self.particle_hessians,
        ]
        outputs = [self.particle_displacements, self._internal, state.particle_q, self._deformation]
        for rank, colors in enumerate(self._colors):
            if self.particle_enable_self_contact:
                self._add_soft_contacts(rank, state, dt)
            for chosen in colors:
                wp.launch(descend, dim=chosen.size, inputs=[dt, chosen, *inputs], outputs=outputs, device=self.device)
            if self.particle_enable_self_contact:
                self._penetration_free_truncation(state, contacts)

    def _finalize_particles(self, state_out: Any, dt: float) -> None:  # Any: a newton State
        """Set velocities, then even out what unconverged iterations left of momentum."""
        super()._finalize_particles(state_out, dt)
        model, velocity = self.model, state_out.particle_qd
        wp.launch(
            balance,
            dim=self._first.size,
            inputs=[dt, self._first, self._last, model.particle_mass, self._internal, state_out.particle_q],
            outputs=[velocity],
            device=self.device,
        )
        if model.body_count > 0:
            self._repay(state_out, dt)

    def _repay(self, state_out: Any, dt: float) -> None:  # Any: a newton State
        """Bring contacts of rigid and soft bodies to equal and opposite impulses."""
        model, velocity = self.model, state_out.particle_qd
        contacts, forces = self._pressed, [self._force_before, self._force]
        met = [
            contacts.soft_contact_count,
            contacts.soft_contact_indices,
            contacts.soft_contact_shape,
            model.shape_body,
        ]
        wp.launch(
            repay_bodies,
            dim=model.body_count,
            inputs=[dt, *met, self._node_solid, self._weight, model.body_inv_mass, *forces],
            outputs=[state_out.body_qd],
            device=self.device,
        )
        wp.launch(
            repay_nodes,
            dim=self._first.size,
            inputs=[dt, self._first, self._last, self._weight, *met, model.body_inv_mass, *forces],
            outputs=[velocity],
            device=self.device,
        )

    def _take_gradients(
        self,
        position: Any,  # Any: warp arrays
        deformation: Any,  # Any: as above
        *,
        guards_alone: bool = False,
    ) -> None:
        elements = self.elements
        wp.launch(
            take_gradients,
            dim=self._deformation.size,
            inputs=[guards_alone, elements.start, elements.nodes, elements.gradients, elements.stiffness, position],
            outputs=[deformation, self._awake],
            device=self.device,
        )

    def _rigid_contacts(self, state: Any, contacts: Any) -> list[Any]:  # Any: newton, warp structures
        """Return what kernels need for `pressing_force`: contacts, poses and velocities of rigid bodies."""
        before = self.body_q_prev if self.model.body_count else None
        filtered = _make_soft_contact_filter_data(self.model, contacts, state.particle_q, state.body_q)
        return [self._pressing(contacts), filtered, state.body_q, before, state.body_qd]

    def _pressing(self, contacts: Any) -> Any:  # Any: newton, a warp structure
        """Return the contacts with rigid bodies as kernels read them."""
        model, made = self.model, Pressing()
        made.friction_speed = self.friction_epsilon
        made.head, made.following = self._particle_contact_head, self._particle_contact_next
        made.corners, made.weights = contacts.soft_contact_indices, contacts.soft_contact_barycentric
        made.shape, made.normal = contacts.soft_contact_shape, contacts.soft_contact_normal
        made.body_place, made.body_speed = contacts.soft_contact_body_pos, contacts.soft_contact_body_vel
        made.stiffness, made.damping = self.body_particle_contact_penalty_k, self.body_particle_contact_material_kd
        made.friction, made.radius = self.body_particle_contact_material_mu, model.particle_radius
        made.shape_body, made.shape_margin, made.body_center = model.shape_body, model.shape_margin, model.body_com
        return made

    def _add_soft_contacts(self, rank: int, state: Any, dt: float) -> None:  # Any: a newton State
        """Add forces and Hessians of contacts among soft bodies to the nodes of one rank."""
        model = self.model
        wp.launch(
            add_soft_contacts,
            dim=max(model.particle_count, model.edge_count),
            inputs=[
                dt,
                rank,
                self._rank,
                self._friction,
                self.particle_q_prev,
                state.particle_q,
                model.tri_indices,
                model.edge_indices,
                self.trimesh_collision_info,
                self.particle_self_contact_margin,
                model.soft_contact_ke,
                model.soft_contact_kd,
                self.friction_epsilon,
                self._self_contact_edge_edge_parallel_epsilon,
            ],
            outputs=[self.particle_forces, self.particle_hessians],
            device=self.device,
        )
