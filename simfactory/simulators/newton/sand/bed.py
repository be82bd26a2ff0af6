"""The grains of one environment: their own model, solver and grid, so that no environment feels another."""

from dataclasses import dataclass
from typing import Any

import newton
import numpy as np
import numpy.typing as npt
import warp as wp
from newton.solvers import SolverImplicitMPM

from simfactory.episode import FIRST_BODY, GROUND, ROOM, Contacts
from simfactory.errors import UnsupportedBody
from simfactory.launches import adds_in_order
from simfactory.meshes import body_mesh
from simfactory.simulators.kinematics import start_orientation
from simfactory.simulators.newton.bodies.granular import add, node_body
from simfactory.simulators.newton.sand.kernels import center_fall, hold_off, keep_inside, slow_down, touch
from simfactory.simulators.newton.sand.solver import BedSolver
from simfactory.simulators.newton.shapes import shape_config, solid_inertia
from simfactory.spec import BodyGranular, BodyRigid, PhysicalMaterial, SceneSpec
from simfactory.transforms import quat_from_axis_angle, quat_to_matrix

__all__ = ["Bed", "BedModel", "bed_model"]

CELL = 2.5  # [spacing] edge of a grid cell: 16 grains in a full one
ITERATIONS = 25
TOLERANCE = 2e-4  # of the solver's residual: of strain in a step
PLANE = 60.0  # [m] edge of floor and walls as grains see them; float32 distances to larger ones err
REACH = 20.0  # [m] from the origin, where grains end that nothing stops
SOFTEST = 1e15  # [Pa] pressure at which grains would be crushed: never
JET = 2.0  # most by which a step makes the fastest grain or surface faster, beyond twice what gravity does
TOUCHING = 0.1  # [spacing] grains closer than this to a surface touch it

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class BedModel:
    """A model of one scene's grains and of all that they may meet.

    Attributes:
        model: The newton Model.
        spacing: Smallest spacing of its grains [m].
        shape_instance: Instance id of each shape.
        body_mass: `(body,)` of rigid bodies [kg]; 0 where they do not react.
        body_inverse_inertia: `(body, 3, 3)` body frame; 0 where they do not react.
        body_center: `(body, 3)` centre of mass, body frame [m].
        body_reach: `(body,)` farthest point of each from its origin [m].
    """

    model: Any  # newton has no type information
    spacing: float
    shape_instance: npt.NDArray[np.uint16]
    body_mass: Array
    body_inverse_inertia: Array
    body_center: Array
    body_reach: Array


def bed_model(spec: SceneSpec, *, device: str) -> BedModel:
    """Build the model of a scene's grains; rigid bodies take part as the meshes that are seen.

    Raises:
        AssetError: A user mesh is missing or unreadable.
        UnsupportedBody: Sums are to be ordered on a GPU.
    """
    if device != "cpu" and adds_in_order():
        raise UnsupportedBody(
            f"scene {spec.scene!r} has grains, which Newton's MPM moves: on a GPU it adds in any order. Leave "
            "--deterministic out, or simulate grains with --device cpu"
        )
    grains = [body for body in spec.bodies if isinstance(body, BodyGranular)]
    spacing = min(body.spacing for body in grains)
    builder = newton.ModelBuilder()
    SolverImplicitMPM.register_custom_attributes(builder)
    builder.begin_world(gravity=spec.environment.gravity)
    instances: list[int] = []
    rub = float(np.mean([body.physical.dynamic_friction for body in grains]))

    def config(material: PhysicalMaterial) -> Any:  # Any: a newton ShapeConfig
        made = shape_config(material, density=0.0)
        made.mu, made.margin, made.gap = 0.5 * (material.dynamic_friction + rub), 0.5 * spacing, 0.0
        return made

    for frame, instance, material in _planes(spec):
        builder.add_shape_plane(plane=None, xform=frame, width=PLANE, length=PLANE, cfg=config(material))
        instances.append(instance)
    masses, inverse, centers, reaches = [], [], [], []
    friction: list[float] = []
    cohesion: list[float] = []
    for index, body in enumerate(spec.bodies):
        if isinstance(body, BodyGranular):
            add(builder, body)
            count = len(node_body(body).mass)
            friction += [body.physical.dynamic_friction] * count
            cohesion += [body.cohesion] * count
        elif isinstance(body, BodyRigid):
            link, solid = _add_rigid(builder, body, config(body.physical))
            instances.append(FIRST_BODY + index)
            if link >= 0:
                reacts = body.mobility == "dynamic"
                masses.append(solid.mass if reacts else 0.0)
                inverse.append(np.linalg.inv(solid.inertia) if reacts else np.zeros((3, 3)))
                centers.append(solid.center)
                reaches.append(np.linalg.norm(body_mesh(body).vertices, axis=1).max())
    builder.end_world()
    model: Any = builder.finalize(device=device)  # its attributes depend on the solver
    slope = np.maximum(np.array(friction, np.float32), 1e-3)
    model.mpm.friction.assign(slope)
    model.mpm.yield_pressure.fill_(SOFTEST)
    model.mpm.tensile_yield_ratio.assign(np.array(cohesion, np.float32) / slope / np.float32(SOFTEST))
    return BedModel(
        model=model,
        spacing=spacing,
        shape_instance=np.array(instances, np.uint16),
        body_mass=np.array(masses),
        body_inverse_inertia=np.array(inverse).reshape(-1, 3, 3),
        body_center=np.array(centers).reshape(-1, 3),
        body_reach=np.array(reaches),
    )


class Bed:
    """Moves the grains of one environment, and tells what they do to its rigid bodies.

    Args:
        spec: The scene.
        device: `cpu` or a CUDA device.

    Attributes:
        dt: Length of the next step [s]; set before it.
        fastest: Speed of the fastest surface before it [m/s]; set before it.
        cell: Edge of a grid cell [m].
        body_mass: `(body,)` of the rigid bodies that can move [kg]; 0 where they do not react.
        body_reach: `(body,)` farthest point of each from its origin [m].
    """

    def __init__(self, spec: SceneSpec, *, device: str) -> None:
        made = bed_model(spec, device=device)
        self._made, self._gravity = made, wp.vec3(*spec.environment.gravity)
        self.dt, self.fastest, self.cell = 0.0, 0.0, CELL * made.spacing
        self.body_mass, self.body_reach = made.body_mass, made.body_reach
        self._model = made.model
        options = SolverImplicitMPM.Config()
        options.voxel_size = self.cell
        options.grid_type, options.grid_padding = "dense", 1  # rebuilt about the grains at every step
        options.strain_basis = "P1d"  # with constant strain in a cell heaps lose volume and lie half as steep
        options.max_iterations, options.tolerance = ITERATIONS, TOLERANCE
        options.warmstart_mode = "particles"  # so that the whole memory is in the state
        options.air_drag = 0.0  # see NodeActions
        self._solver: Any = BedSolver(self._model, config=options)  # needs no control, no contacts
        self._states = [self._model.state(), self._model.state()]
        count = self._model.particle_count
        self._distance = wp.zeros(count, dtype=wp.float32, device=device)
        self._normal = wp.zeros(count, dtype=wp.vec3, device=device)
        self._material = wp.zeros(count, dtype=wp.int32, device=device)
        self._lower, self._upper = _bounds(spec, 0.5 * made.spacing)
        self._owner = np.concatenate(
            [
                np.full(len(node_body(body).mass), FIRST_BODY + index)
                for index, body in enumerate(spec.bodies)
                if isinstance(body, BodyGranular)
            ]
        )
        self._turning = np.concatenate(
            [
                np.tile(_cross(body.angular_velocity), (len(node_body(body).mass), 1, 1))
                for body in spec.bodies
                if isinstance(body, BodyGranular)
            ]
        ).astype(np.float32)
        self._instance = self._instances_by_material()
        grains = [body for body in spec.bodies if isinstance(body, BodyGranular)]
        larger = [np.full(len(node_body(body).mass), 0.5 * (body.spacing - made.spacing)) for body in grains]
        self._coarse: Any = None  # how much farther off surfaces grains are than the finest ones [m]
        if max(map(np.max, larger)) > 0.0:
            self._coarse = wp.array(np.concatenate(larger).astype(np.float32), dtype=wp.float32, device=device)

    def advance(
        self,
        grains: tuple[Any, Any],  # Any: warp arrays
        bodies: tuple[Array, Array],
        target: tuple[Any, Any],  # Any: warp arrays
    ) -> npt.NDArray[np.float64]:
        """Move grains by one step and return the changes of velocity `(body, 6)` that they give to rigid bodies.

        Both sides are solved together: bodies come with the velocities that they would have at the step's end
        without grains, and what grains lose the bodies gain.

        Args:
            grains: Positions and velocities of the grains, arrays on the device.
            bodies: Poses `(body, 7)` and velocities `(body, 6)` of the bodies.
            target: Arrays for the grains' new positions and velocities.
        """
        source, moved = self._states
        wp.copy(source.particle_q, grains[0])
        wp.copy(source.particle_qd, grains[1])
        if len(bodies[0]):
            source.body_q.assign(bodies[0].astype(np.float32))
            source.body_qd.assign(bodies[1].astype(np.float32))
            wp.copy(moved.body_q, source.body_q)
            wp.copy(moved.body_qd, source.body_qd)
        fastest = max(self.fastest, float(np.linalg.norm(grains[1].numpy(), axis=1).max()))
        self._solve(source, moved)
        wp.launch(
            slow_down,
            dim=self._model.particle_count,
            inputs=[JET * fastest + 2.0 * self.dt * float(wp.length(self._gravity)), self.dt, source.particle_q],
            outputs=[moved.particle_q, moved.particle_qd, moved.mpm.particle_qd_grad],
            device=self._model.device,
        )
        wp.launch(
            center_fall,
            dim=self._model.particle_count,
            inputs=[self._gravity, self.dt, source.particle_qd, moved.particle_qd],
            outputs=[moved.particle_q],
            device=self._model.device,
        )
        self._solver.project_outside(moved, moved, self.dt)
        if self._coarse is not None:
            wp.launch(
                hold_off,
                dim=self._model.particle_count,
                inputs=[self._solver._mpm_model.collider, moved.body_q, moved.body_qd, None, self.dt, self._coarse],
                outputs=[moved.particle_q, moved.particle_qd],
                device=self._model.device,
            )
        wp.launch(
            keep_inside,
            dim=self._model.particle_count,
            inputs=[self._lower, self._upper],
            outputs=[moved.particle_q, moved.particle_qd],
            device=self._model.device,
        )
        wp.copy(target[0], moved.particle_q)
        wp.copy(target[1], moved.particle_qd)
        self._states = [moved, source]
        return self._blows(moved, bodies[0])

    def contacts(self, grains: Any, poses: Array) -> Contacts:  # Any: a warp array
        """Return where grains touch the ground, the room and rigid bodies.

        Args:
            grains: Positions of the grains, on the device.
            poses: `(body, 7)` poses of the bodies.
        """
        state = self._states[0]
        if len(poses):
            state.body_q.assign(poses.astype(np.float32))
        wp.launch(
            touch,
            dim=self._model.particle_count,
            inputs=[self._solver._mpm_model.collider, state.body_q, None, None, grains],
            outputs=[self._distance, self._normal, self._material],
            device=self._model.device,
        )
        gap, normal, material = self._distance.numpy(), self._normal.numpy(), self._material.numpy()
        rows = np.flatnonzero((material >= 0) & (gap <= TOUCHING * self._made.spacing))
        other, own = self._instance[material[rows]], self._owner[rows]
        swap = other > own
        away = normal[rows]
        point = grains.numpy()[rows] - away * (gap[rows, None] + 0.5 * self._made.spacing)
        return Contacts(
            a=np.where(swap, own, other).astype(np.uint16),
            b=np.where(swap, other, own).astype(np.uint16),
            point=point.astype(np.float32),
            normal=np.where(swap[:, None], -away, away).astype(np.float32),
            impulse=np.full(len(rows), np.nan, np.float32),
        )

    def forget(self) -> None:
        """Drop what the solver remembers: the next step is as the first."""
        for state in self._states:
            self._solver.reset(state)
            state.mpm.particle_qd_grad.assign(self._turning)  # else the first step would lose the spin

    def _solve(self, source: Any, moved: Any) -> None:  # Any: newton States
        """Take a step; where its sweeps diverge, once more from no guess; where they do again, all grains rest."""
        for _ in range(2):
            self._solver.step(source, moved, None, None, self.dt)
            solved = moved.particle_qd, moved.mpm.particle_qd_grad, moved.mpm.particle_stress
            if all(np.isfinite(array.numpy()).all() for array in solved):
                return
            self._solver.reset(source)
        wp.copy(moved.particle_q, source.particle_q)
        moved.particle_qd.zero_()
        self._solver.reset(moved)

    def _blows(self, state: Any, poses: Array) -> Array:  # Any: a newton State
        """Return the changes of velocity `(body, 6)`: linear [m/s], angular [rad/s]."""
        gained = np.zeros((len(poses), 6))
        if not len(poses) or not self._made.body_mass.any():
            return gained
        impulse, place, collider = (array.numpy() for array in self._solver.collect_collider_impulses(state))
        if not np.isfinite(impulse).all():
            return gained
        count = min(len(impulse), len(collider))
        index = self._solver.collider_body_index.numpy()
        met = collider[:count]
        body = np.where(met >= 0, index[np.clip(met, 0, len(index) - 1)], -1)
        for row in np.flatnonzero(self._made.body_mass > 0.0):
            chosen = np.flatnonzero(body == row)
            if not len(chosen):
                continue
            rotation = quat_to_matrix(poses[row, 3:])
            center = poses[row, :3] + rotation @ self._made.body_center[row]
            blow = impulse[chosen].astype(np.float64)
            turn = np.cross(place[chosen].astype(np.float64) - center, blow).sum(axis=0)
            gained[row, :3] = blow.sum(axis=0) / self._made.body_mass[row]
            gained[row, 3:] = rotation @ self._made.body_inverse_inertia[row] @ rotation.T @ turn
        return gained

    def _instances_by_material(self) -> npt.NDArray[np.uint16]:
        """Return the instance id of each of the solver's collider materials."""
        inner = self._solver._mpm_model
        result = np.zeros(len(inner.collider.material_friction), np.uint16)
        for number, body in enumerate(inner.collider.collider_body_index.numpy()):
            first, _count = inner.collider_material_ranges[number]
            for offset, shape in enumerate(self._model.body_shapes[int(body)]):
                result[first + offset] = self._made.shape_instance[shape]
        return result


def _cross(spin: tuple[float, float, float]) -> Array:
    """Return the gradient `(3, 3)` [1/s] of the velocity of a turning body."""
    x, y, z = spin
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def _planes(spec: SceneSpec) -> list[tuple[Any, int, PhysicalMaterial]]:  # Any: a warp transform
    """Return the floor, walls and ceiling: pose of a plane that faces local z, instance, material."""
    found = []
    if spec.ground is not None:
        found.append((wp.transform_identity(), GROUND, spec.ground.physical))
    if spec.room is not None:
        x, y, z = spec.room.size
        sides: list[tuple[tuple[float, float, float], tuple[int, int, int], float]]
        sides = [((-x / 2, 0, 0), (0, 1, 0), 0.5), ((x / 2, 0, 0), (0, 1, 0), -0.5)]
        sides += [((0, -y / 2, 0), (1, 0, 0), -0.5), ((0, y / 2, 0), (1, 0, 0), 0.5)]
        if spec.room.ceiling:
            sides.append(((0, 0, z), (1, 0, 0), 1.0))
        for place, axis, half_turns in sides:
            turn = quat_from_axis_angle(np.array(axis, float), np.pi * half_turns)
            found.append((wp.transform(wp.vec3(*place), wp.quat(*turn)), ROOM, spec.room.physical))
    return found


def _add_rigid(builder: Any, body: BodyRigid, config: Any) -> tuple[int, Any]:  # Any: newton
    """Add a rigid body as the mesh that is seen; return Newton's index of it, -1 if static, and its mass properties."""
    mesh = body_mesh(body)
    shape = newton.Mesh(mesh.vertices.astype(np.float32), mesh.triangles.ravel(), compute_inertia=False)
    pose = wp.transform(wp.vec3(*body.position), wp.quat(*start_orientation(body)))
    if body.mobility == "static":
        builder.add_shape_mesh(-1, xform=pose, mesh=shape, cfg=config)
        return -1, None
    solid = solid_inertia(body)
    link = builder.add_link(
        xform=pose,
        mass=solid.mass,
        com=wp.vec3(*solid.center),
        inertia=wp.mat33(*solid.inertia.ravel()),
        lock_inertia=True,
        is_kinematic=body.mobility == "kinematic",
        label=body.name,
    )
    builder.add_shape_mesh(link, mesh=shape, cfg=config)
    return int(link), solid


def _bounds(spec: SceneSpec, inset: float) -> tuple[Any, Any]:  # Any: warp vectors
    """Return the box in which the centres of grains stay: floor and walls, and far away where there are none."""
    lower, upper = np.full(3, -REACH), np.full(3, REACH)
    if spec.ground is not None:
        lower[2] = 0.5 * inset  # what the solver lets sink in by its tolerance is left alone
    if spec.room is not None:
        half = 0.5 * np.array(spec.room.size[:2]) - 0.5 * inset
        lower[:2], upper[:2] = -half, half
        if spec.room.ceiling:
            upper[2] = spec.room.size[2] - 0.5 * inset
    return wp.vec3(*lower), wp.vec3(*upper)
