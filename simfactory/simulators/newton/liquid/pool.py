"""The liquids of one environment: particles and grid of their own, so that no environment feels another."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.episode import Contacts
from simfactory.launches import recorded
from simfactory.liquids import liquid_particles
from simfactory.simulators.newton.liquid.domain import bounds, liquid_domain
from simfactory.simulators.newton.liquid.kernels import pressure, solids, transfer, viscosity
from simfactory.simulators.newton.liquid.kernels.pressure import Cells
from simfactory.spec import BodyFluid, SceneSpec
from simfactory.transforms import quat_to_matrix

__all__ = ["Pool"]

ITERATIONS = 60  # of the pressure solve, at most
SPREADINGS = 20  # of the solve that spreads crowded cells, at most
LANES = 4096  # of the solves, on a CUDA device
LEAST = 1e-8  # square of the residual, over the first one, at which a solve ends
RATE = 0.5  # share of what is crowded that is spread in a step
GAP = 0.15  # [spacing] closest that particles come to solids
THINNEST = 1e-3  # [cells²] diffusion in a step below which viscosity is not solved for

Array = npt.NDArray[np.float64]


class Pool:
    """Moves the liquids of one environment, and tells what they do to its rigid bodies.

    A step is recorded once and replayed.

    Args:
        spec: The scene.
        device: `cpu` or a CUDA device.
        dt: Time step [s].

    Attributes:
        body_mass: `(body,)` of the rigid bodies that can move [kg]; 0 where they do not react.
    """

    def __init__(self, spec: SceneSpec, *, device: str, dt: float) -> None:
        self._device, self._dt = wp.get_device(device), dt
        self._domain = liquid_domain(spec, device=device)
        self.body_mass = self._domain.inertia.mass
        liquids = [body for body in spec.bodies if isinstance(body, BodyFluid)]
        counts = [len(liquid_particles(body).centers) for body in liquids]
        self._count, self._gravity = sum(counts), wp.vec3(*spec.environment.gravity)
        self._density = float(np.average([body.physical.density for body in liquids], weights=counts))
        spacing = min(body.spacing for body in liquids)
        self._gap = GAP * spacing
        lower, upper = bounds(spec, self._gap)
        self._lower, self._upper = wp.vec3(*lower), wp.vec3(*upper)
        mass = np.repeat([liquid_particles(body).mass for body in liquids], counts)
        volume = np.repeat([liquid_particles(body).mass / body.physical.density for body in liquids], counts)
        kinematic = np.repeat([body.viscosity / body.physical.density for body in liquids], counts)
        diffusion = float(kinematic.max()) * dt / self._domain.grid.cell**2
        self._sweeps = math.ceil(5.0 * (1.0 + 6.0 * diffusion)) if diffusion > THINNEST else 0
        self._spin = np.repeat([_cross(body.angular_velocity) for body in liquids], counts, axis=0).astype(np.float32)
        self._allocate(mass, volume, kinematic if self._sweeps else np.zeros(0))
        self._find_fixed(spec)
        self._replay: Callable[[], None] | None = None  # recorded at the second step: the first one compiles
        self._steps = 0

    def advance(
        self,
        grains: tuple[Any, Any],  # Any: warp arrays
        bodies: tuple[Array, Array],
        target: tuple[Any, Any],  # Any: warp arrays
    ) -> Array:
        """Move particles by one step and return the changes of velocity `(body, 6)` that they give to rigid bodies.

        Both sides are solved together: bodies come with the velocities that they would have at the step's end
        without liquid.

        Args:
            grains: Positions and velocities of the particles, arrays on the device.
            bodies: Poses `(body, 7)` and velocities `(body, 6)` of the bodies.
            target: Arrays for the particles' new positions and velocities.
        """
        wp.copy(self._places, grains[0])
        wp.copy(self._speeds, grains[1])
        turned = self._place_bodies(*bodies)
        if self._steps == 0:
            self._step()
        else:
            if self._replay is None:
                self._replay = recorded(self._step, self._device)
            self._replay()
        self._steps += 1
        wp.copy(target[0], self._places)
        wp.copy(target[1], self._speeds)
        return self._gains(len(bodies[0]), turned)

    def contacts(self, grains: Any, poses: Array) -> Contacts:  # Any: a warp array
        """Return no contacts: a liquid touches all that it wets."""
        return Contacts.none()

    def forget(self) -> None:
        """Drop what the solver remembers: the next step is as the first."""
        self._gradients.assign(self._spin)
        self._clock.zero_()

    def _allocate(self, mass: Array, volume: Array, kinematic: Array) -> None:
        device, size, count = self._device, self._domain.size, self._count
        bodies = len(self.body_mass)

        def zeros(shape: Any, kind: Any) -> Any:  # Any: Warp's types
            return wp.zeros(shape, dtype=kind, device=device)

        def array(values: npt.NDArray[np.generic]) -> Any:  # Any: a warp array
            return wp.array(values.astype(np.float32), dtype=wp.float32, device=device)

        self._places = zeros(count, wp.vec3)
        self._speeds = zeros(count, wp.vec3)
        # Any: Warp and Newton have no type information
        self._gradients: Any = wp.array(self._spin, dtype=wp.mat33, device=device)
        self._mass, self._volume, self._viscosity = array(mass), array(volume), array(kinematic)
        faces = (3, *size)
        self._velocity, self._weight, self._shift = (zeros(faces, wp.float32) for _ in range(3))
        viscous = faces if self._sweeps else (1, 1, 1, 1)
        self._drag, self._before, self._other = (zeros(viscous, wp.float32) for _ in range(3))
        self._rest = zeros(size, wp.float32)
        self._filled = zeros(size, wp.float32)
        self._held_particles = zeros(size, wp.int32)
        self._index = zeros(size, wp.int32)
        self._faces = zeros(min(24 * count, 3 * math.prod(size)) if self._sweeps else 0, wp.vec4i)
        self._clock = zeros(2, wp.int32)  # steps taken, and that after the one at hand
        self._counts = zeros(2, wp.int32)  # cells, faces
        corners = tuple(edge + 1 for edge in size)
        self._fixed = zeros(corners, wp.float32)
        self._distance = zeros(corners, wp.float32) if bodies else self._fixed
        self._owner = zeros(corners if bodies else (0, 0, 0), wp.int32)
        self._poses = zeros(bodies, wp.transform)
        # Any: Warp and Newton have no type information
        self._centers: Any = wp.array(self._domain.inertia.center.astype(np.float32), dtype=wp.vec3, device=device)
        self._body_velocities = zeros(bodies, wp.spatial_vector)
        self._moved_velocities = zeros(bodies, wp.spatial_vector)
        self._lightness = zeros(bodies, wp.float32)
        self._softness = zeros(bodies, wp.mat33)
        self._impulse = zeros((ITERATIONS + 1, bodies), wp.spatial_vector)
        self._none = zeros((0, 0), wp.spatial_vector)
        self._given = zeros(bodies, wp.spatial_vector)
        self._stuck = zeros(bodies, wp.spatial_vector)
        self._stuck_mass = zeros(bodies, wp.float32)
        self._scale = zeros(2 * max(ITERATIONS, SPREADINGS) + 4, wp.float32)
        self._sums = [self._scale[at : at + 1] for at in range(len(self._scale))]  # what kernels add to, not read
        cells = Cells()
        cells.place = zeros(count, wp.vec3i)
        cells.neighbor = zeros((count, 6), wp.int32)
        cells.weight, cells.loose = (zeros((count, 6), wp.float32) for _ in range(2))
        vectors = [zeros(count, wp.float32) for _ in range(9)]
        cells.diagonal, cells.right, cells.loose_diagonal, cells.excess = vectors[:4]
        cells.push = zeros(count, wp.spatial_vector)
        cells.body = zeros(count, wp.int32)
        self._cells = cells
        self._along, self._product, self._residual, self._pressure, self._potential = vectors[4:]

    def _find_fixed(self, spec: SceneSpec) -> None:
        lower, upper = bounds(spec, 0.0)
        self._launch(
            solids.find_fixed,
            self._fixed.shape,
            [self._domain.grid, wp.vec3(*lower), wp.vec3(*upper), self._domain.solids, self._poses, self._fixed],
        )

        self._launch(pressure.find_rest, self._domain.size, [self._domain.grid, self._fixed, self._rest])

    def _launch(self, kernel: Any, dim: Any, inputs: list[Any]) -> None:  # Any: Warp objects
        wp.launch(kernel, dim=dim, inputs=inputs, device=self._device)

    def _place_bodies(self, poses: Array, velocities: Array) -> Array:
        """Upload poses, velocities and mobilities of bodies; return their rotations `(body, 3, 3)`."""
        rotation = quat_to_matrix(poses[:, 3:]) if len(poses) else np.zeros((0, 3, 3))
        if len(poses):
            inertia = self._domain.inertia
            soft = rotation @ inertia.inverse_inertia @ rotation.transpose(0, 2, 1)
            light = np.where(inertia.mass > 0.0, 1.0 / np.where(inertia.mass > 0.0, inertia.mass, 1.0), 0.0)
            self._poses.assign(poses.astype(np.float32))
            self._body_velocities.assign(velocities.astype(np.float32))
            self._lightness.assign(light.astype(np.float32))
            self._softness.assign(soft.astype(np.float32))
            return np.asarray(soft)
        return rotation

    def _gains(self, count: int, soft: Array) -> Array:
        """Return the changes of velocity `(body, 6)` of bodies: by pressure, then by what sticks to them."""
        gained = np.zeros((count, 6))
        if not count or not self.body_mass.any():
            return gained
        given, stuck = self._given.numpy().astype(np.float64), self._stuck.numpy().astype(np.float64)
        held = self._stuck_mass.numpy().astype(np.float64)
        for row in np.flatnonzero(self.body_mass > 0.0):
            mass = self.body_mass[row]
            total = given[row] + stuck[row] * mass / (mass + held[row])  # implicit: what sticks never turns it back
            gained[row, :3] = total[:3] / mass
            gained[row, 3:] = soft[row] @ total[3:]
        return gained

    def _step(self) -> None:
        """Launch one step on the particles."""
        domain, dt = self._domain, self._dt
        grid = domain.grid
        wp.copy(self._clock, self._clock, 0, 1, 1)
        for array in (
            self._velocity, self._weight, self._shift, self._drag, self._filled, self._held_particles, self._counts,
            self._given, self._stuck, self._stuck_mass,
        ):  # fmt: skip
            array.zero_()
        self._launch(
            transfer.scatter,
            self._count,
            [
                grid, self._gravity, dt, self._places, self._speeds, self._gradients, self._mass, self._volume,
                self._viscosity, self._velocity, self._weight, self._drag, self._filled, self._held_particles,
            ],
        )  # fmt: skip
        self._launch(
            transfer.settle_faces,
            self._velocity.shape,
            [self._weight, self._faces, self._counts[1:], self._velocity, self._drag],
        )
        if len(self.body_mass):
            self._launch(
                solids.find_moving,
                self._fixed.shape,
                [grid, domain.solids, self._poses, self._fixed, self._distance, self._owner],
            )
        if self._sweeps:
            self._diffuse()
        self._project()
        self._launch(
            transfer.advect,
            self._count,
            [
                grid, dt, self._gap, self._lower, self._upper, self._velocity, self._weight, self._shift,
                self._filled, self._clock, domain.solids, self._poses, self._centers, self._moved_velocities,
                self._mass, self._given, self._places, self._speeds,
                self._gradients,
            ],
        )  # fmt: skip

    def _diffuse(self) -> None:
        """Launch the diffusion of velocities."""
        wp.copy(self._before, self._velocity)
        wp.copy(self._other, self._velocity)
        bodies = [self._poses, self._centers, self._body_velocities]
        places = [self._counts[1:], self._faces, self._weight, self._filled, self._drag, self._distance, self._owner]
        source, target = self._velocity, self._other
        for _ in range(2 * math.ceil(self._sweeps / 2)):
            self._launch(
                viscosity.diffuse,
                len(self._faces),
                [self._domain.grid, self._dt, *places, *bodies, self._before, source, target],
            )
            source, target = target, source
        if self.body_mass.any():
            self._launch(
                viscosity.drag_bodies,
                len(self._faces),
                [self._domain.grid, self._dt, *places, *bodies, self._velocity, self._stuck, self._stuck_mass],
            )

    def _project(self) -> None:
        """Launch both solves: velocities that keep the volume, displacements that spread what is crowded."""
        grid, dt, cells = self._domain.grid, self._dt, self._cells
        found = self._counts[:1]
        bodies = [self._poses, self._centers, self._body_velocities]
        self._launch(
            pressure.list_cells,
            self._domain.size,
            [grid, self._held_particles, self._distance, cells, found, self._index],
        )
        self._launch(
            pressure.assemble,
            self._count,
            [
                grid, dt, RATE, found, self._filled, self._rest, self._index,
                self._fixed, self._distance, self._owner, self._velocity, self._density, *bodies, cells,
            ],
        )  # fmt: skip
        self._solve(cells.weight, cells.diagonal, cells.right, self._pressure, ITERATIONS, moving=True)
        if len(self.body_mass):
            self._launch(pressure.move_bodies, self._count, [dt, found, cells, self._pressure, self._given])
            self._launch(
                pressure.settle_bodies,
                len(self.body_mass),
                [self._given, self._lightness, self._softness, self._body_velocities, self._moved_velocities],
            )
        moved = [self._poses, self._centers, self._moved_velocities]
        self._launch(
            pressure.apply_pressure,
            self._count,
            [
                grid, dt, self._density, found, self._filled, self._rest, self._distance, self._owner, *moved, cells,
                self._pressure, self._velocity,
            ],
        )  # fmt: skip
        self._solve(cells.loose, cells.loose_diagonal, cells.excess, self._potential, SPREADINGS, moving=False)
        self._launch(
            pressure.apply_spread,
            self._count,
            [grid, found, self._filled, self._rest, cells, self._potential, self._shift],
        )

    def _solve(
        # Any: Warp and Newton have no type information
        self,
        weight: Any,  # Any: a warp array
        diagonal: Any,  # Any: a warp array
        right: Any,  # Any: a warp array
        solution: Any,  # Any: a warp array
        iterations: int,
        *,
        moving: bool,
    ) -> None:  # Any: warp arrays
        """Launch conjugate gradients from zero; a lane takes every so many-th of the cells."""
        found, cells, count = self._counts[:1], self._cells, self._count
        lanes = min(count, LANES) if self._device.is_cuda else 1  # most rows are empty: on a CPU these cost the most
        impulse = self._impulse if moving and self.body_mass.any() else self._none
        for array in (self._scale, self._impulse, solution, self._product):
            array.zero_()
        start = [found, right, diagonal, self._product, self._residual, self._along, self._sums[2]]
        self._launch(pressure.start, count, start)
        for step in range(1, iterations + 1):
            self._launch(
                pressure.spread,
                lanes,
                [
                    found, cells, weight, diagonal, self._along, step, self._scale, self._sums[2 * step + 1], LEAST,
                    self._product, impulse, lanes,
                ],
            )  # fmt: skip
            if len(impulse):
                self._launch(
                    pressure.gather,
                    lanes,
                    [
                        self._dt, self._domain.grid.cell, found, cells, self._along, step, self._scale,
                        self._sums[2 * step + 1], LEAST, impulse, self._lightness, self._softness, self._product, lanes,
                    ],
                )  # fmt: skip
            self._launch(
                pressure.update,
                lanes,
                [
                    found, diagonal, self._product, self._along, step, LEAST, self._scale, self._sums[2 * step + 2],
                    solution, self._residual, lanes,
                ],
            )  # fmt: skip
            self._launch(
                pressure.search,
                lanes,
                [found, diagonal, self._residual, step, LEAST, self._scale, self._along, lanes],
            )


def _cross(spin: tuple[float, float, float]) -> Array:
    """Return the gradient `(3, 3)` [1/s] of the velocity of a turning body."""
    x, y, z = spin
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
