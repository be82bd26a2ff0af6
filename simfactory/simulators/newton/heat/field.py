"""The temperature of all nodes of a model, and what it does to their stiffness."""

from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.episode import FIRST_BODY, GROUND
from simfactory.simulators.newton.bodies.soft_body import soft_mesh
from simfactory.simulators.newton.descent import SHEAR, VertexDescent
from simfactory.simulators.newton.heat.kernels import Touches, flow, soften, warm
from simfactory.simulators.newton.heat.mesh import heat_mesh
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import BodyRigid, BodySoft, SceneSpec

__all__ = ["HeatField"]

Array = npt.NDArray[np.float64]


class HeatField:
    """Heat of soft bodies between solver steps.

    Rigid bodies and the ground keep the temperatures that the scene gives them, and so does the air. Soft bodies give
    each other none.

    Args:
        worlds: The model's environments.
        solver: The solver of its soft bodies, whose samples soften and flow.
        dt: Solver step [s].
    """

    def __init__(self, worlds: Worlds, solver: VertexDescent, *, dt: float) -> None:
        self._worlds, self._solver, self._dt = worlds, solver, dt
        self._device = worlds.model.device
        self._upload_nodes()
        self._upload_samples()
        self._shapes = self._floats(_shape_temperatures(worlds))
        air = [(*spec.environment.temperature_gradient, spec.environment.temperature) for spec in worlds.specs]
        # Any: warp has no type information
        self._air: Any = wp.array(np.array(air, np.float32), dtype=wp.vec4, device=self._device)

    def soften(self) -> None:
        """Launch what comes before a solver step: every sample gets the stiffness of its temperature."""
        elements = self._solver.elements
        wp.launch(
            soften,
            dim=elements.stiffness.size,
            inputs=[
                elements.start,
                elements.nodes,
                self._softening,
                self._molten_shear,
                self._cold,
                self._temperature,
            ],
            outputs=[elements.stiffness],
            device=self._device,
        )

    def advance(self, state: Any, contacts: Any) -> None:  # Any: a newton State, newton Contacts
        """Launch what comes after a solver step: heat goes on, and what is molten takes its shape for granted."""
        model, elements = self._worlds.model, self._solver.elements
        wp.launch(
            warm,
            dim=model.particle_count,
            inputs=[
                self._dt,
                self._start,
                self._other,
                self._conductance,
                self._capacity,
                self._touching,
                self._cooling,
                model.particle_world,
                self._air,
                model.particle_radius,
                self._touches(contacts),
                state.body_q,
                model.tri_indices,
                model.soft_mesh_adjacency_device,
                state.particle_q,
                self._temperature,
            ],
            outputs=[self._warmed],
            device=self._device,
        )
        wp.copy(self._temperature, self._warmed)
        if self._flows:
            wp.launch(
                flow,
                dim=elements.stiffness.size,
                inputs=[
                    self._dt,
                    elements.start,
                    elements.nodes,
                    elements.place,
                    self._softening,
                    self._flow_rate,
                    self._temperature,
                    state.particle_q,
                ],
                outputs=[elements.gradients, elements.node_gradients],
                device=self._device,
            )

    def _touches(self, contacts: Any) -> Any:  # Any: newton Contacts, a warp struct
        """Return the contacts of the last step with the temperatures of shapes."""
        touches: Any = Touches()  # Any: a warp struct
        touches.head, touches.following = self._solver.contact_lists
        touches.corners, touches.weights = contacts.soft_contact_indices, contacts.soft_contact_barycentric
        touches.shape, touches.normal = contacts.soft_contact_shape, contacts.soft_contact_normal
        touches.place = contacts.soft_contact_body_pos
        model = self._worlds.model
        touches.shape_body, touches.shape_margin = model.shape_body, model.shape_margin
        touches.shape_temperature = self._shapes
        return touches

    def temperatures(self) -> npt.NDArray[np.float32]:
        """Return the temperature `(row,)` of every node [K]; 0 for nodes without heat."""
        return np.asarray(self._temperature.numpy().copy(), np.float32)

    def forget(self, begin: int, end: int) -> None:
        """Put nodes begin…end and their samples back to t = 0."""
        if end > begin:
            wp.copy(self._temperature, self._start_temperature, begin, begin, end - begin)
            elements = self._solver.elements
            first, last = (int(elements.bounds[row]) for row in (begin, end))
            for now, rest in zip((elements.gradients, elements.node_gradients), self._rest, strict=True):
                wp.copy(now, rest, first, first, last - first)

    def _upload_nodes(self) -> None:
        """Send capacity, neighbours and surface of every node."""
        count = self._worlds.model.particle_count
        start = np.zeros(count + 1, np.int64)
        capacity, touching, cooling, temperature = np.zeros((4, count))
        others: list[npt.NDArray[np.int64]] = [np.zeros(0, np.int64)]
        conductances: list[Array] = [np.zeros(0)]
        for spec, rows in zip(self._worlds.specs, self._worlds.node_rows, strict=True):
            for index, (begin, end) in rows.items():
                body = spec.bodies[index]
                if not isinstance(body, BodySoft) or body.heat is None:
                    continue
                mesh, heat = heat_mesh(body), body.heat
                capacity[begin:end] = body.physical.density * heat.heat_capacity * soft_mesh(body).node_volume
                touching[begin:end] = heat.contact_conductance
                cooling[begin:end] = heat.convection if spec.environment.air_density > 0.0 else 0.0
                temperature[begin:end] = heat.temperature
                start[begin + 1 : end + 1] = np.diff(mesh.start)
                others.append(begin + mesh.other)
                conductances.append(heat.conductivity * mesh.coupling)
        # Any: warp has no type information
        self._start: Any = wp.array(np.cumsum(start), dtype=wp.int32, device=self._device)
        # Any: as above
        self._other: Any = wp.array(np.concatenate(others), dtype=wp.int32, device=self._device)
        self._conductance = self._floats(np.concatenate(conductances))
        self._capacity, self._touching, self._cooling = (self._floats(row) for row in (capacity, touching, cooling))
        self._temperature, self._warmed, self._start_temperature = (self._floats(temperature) for _ in range(3))

    def _upload_samples(self) -> None:
        """Send the softening of every sample of shear; volume and guards stay as they are."""
        elements = self._solver.elements
        softening, molten, rates = [np.zeros((0, 2))], [np.zeros(0)], [np.zeros(0)]
        for spec, rows in zip(self._worlds.specs, self._worlds.node_rows, strict=True):
            for index in rows:
                body = spec.bodies[index]
                assert isinstance(body, BodySoft)
                shear = soft_mesh(body).samples.kind == SHEAR
                heat = body.heat
                melts = shear & (heat is not None and heat.softening is not None)
                limits = (0.0, 0.0) if heat is None or heat.softening is None else heat.softening
                softening.append(np.where(melts[:, None], limits, 0.0))
                molten.append(np.where(melts, 1.0 if heat is None else heat.molten_shear, 1.0))
                flow_time = None if heat is None else heat.flow_time
                rates.append(np.where(melts, 0.0 if flow_time is None else 1.0 / flow_time, 0.0))
        # Any: warp has no type information
        self._softening: Any = wp.array(
            np.concatenate(softening).astype(np.float32), dtype=wp.vec2, device=self._device
        )
        self._molten_shear = self._floats(np.concatenate(molten))
        rate = np.concatenate(rates)
        self._flow_rate, self._flows = self._floats(rate), bool(rate.any())
        self._cold = wp.clone(elements.stiffness)
        self._rest = wp.clone(elements.gradients), wp.clone(elements.node_gradients)

    def _floats(self, values: Array) -> Any:  # Any: warp has no type information
        return wp.array(values.astype(np.float32), dtype=wp.float32, device=self._device)


def _shape_temperatures(worlds: Worlds) -> Array:
    """Return the temperature `(shape,)` of every collision shape [K], 0 where it takes and gives no heat."""
    pairs = zip(worlds.shape_environment.tolist(), worlds.shape_instance.tolist(), strict=True)
    return np.array([_temperature(worlds.specs[environment], instance) for environment, instance in pairs])


def _temperature(spec: SceneSpec, instance: int) -> float:
    if instance == GROUND:
        kept = None if spec.ground is None else spec.ground.temperature
    elif instance >= FIRST_BODY:
        body = spec.bodies[instance - FIRST_BODY]
        kept = body.temperature if isinstance(body, BodyRigid) else None
    else:
        kept = None
    return 0.0 if kept is None else kept
