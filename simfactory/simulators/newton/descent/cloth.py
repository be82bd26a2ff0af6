"""Vertex block descent of cloth: membranes and bending edges, contact with themselves, momentum evened out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.simulators.newton.descent.elements import Solid
from simfactory.simulators.newton.descent.kernels.cloth import add_cloth_contacts, descend_cloth
from simfactory.simulators.newton.descent.samples import Samples
from simfactory.simulators.newton.descent.solver import VertexDescent

__all__ = ["ClothDescent", "Sheet"]

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
    """

    first: int
    node_count: int
    rank: int
    colors: tuple[npt.NDArray[np.int64], ...]
    friction: float


class ClothDescent(VertexDescent):
    """VertexDescent whose bodies are Newton's triangles and bending edges instead of sampled solids.

    What it has in common with that: the first guess, the friction of pairs, the momentum that iterations leave open.

    Args:
        model: A newton Model.
        sheets: Its cloths.
        dt: Solver step [s].
        options: Of SolverVBD.
    """

    def __init__(self, model: Any, sheets: Sequence[Sheet], *, dt: float, **options: Any) -> None:  # Any: newton
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
        self._upload_solids(solids)

    def _descend(self, state: Any, contacts: Any, dt: float) -> None:  # Any: newton
        """Move the cloths of every environment one after the other, each colour by colour."""
        model = self.model
        for rank, colors in enumerate(self._colors):
            for number, chosen in enumerate(colors):
                self.particle_forces.zero_()
                self.particle_hessians.zero_()
                if self.particle_enable_self_contact:
                    self._add_cloth_contacts(rank * self._most_colors + number, state, dt)
                self._add_rigid_contacts(chosen, state, contacts, dt)
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
                        model.tri_indices,
                        model.tri_poses,
                        model.tri_materials,
                        model.tri_areas,
                        model.edge_indices,
                        model.edge_rest_angle,
                        model.edge_rest_length,
                        model.edge_bending_properties,
                        model.tet_indices,
                        model.tet_poses,
                        model.tet_materials,
                        self.particle_adjacency,
                        self.particle_forces,
                        self.particle_hessians,
                    ],
                    outputs=[self.particle_displacements, self._internal, state.particle_q],
                    device=self.device,
                )
        if self.particle_enable_self_contact:
            self._penetration_free_truncation(state, contacts)

    def _add_cloth_contacts(self, color: int, state: Any, dt: float) -> None:  # Any: a newton State
        """Add forces and Hessians of contacts among cloth to the nodes of one colour."""
        model = self.model
        wp.launch(
            add_cloth_contacts,
            dim=max(model.particle_count, model.edge_count),
            inputs=[
                dt,
                color,
                self._node_color,
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
