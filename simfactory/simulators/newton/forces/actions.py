"""The actions on all bodies of a model: tables on the device, one kernel a solver step."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.arms import Guide, acting_bodies, is_guided
from simfactory.joints import Way
from simfactory.simulators.kinematics import motion_of, prescribed_motion
from simfactory.simulators.newton.forces.kernels import act_on_bodies, advance_clock
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import BodyRigid, SceneSpec

__all__ = ["DRAG_COEFFICIENT", "Actions"]

DRAG_COEFFICIENT = 0.47  # a sphere below the drag crisis


class Actions:
    """Prescribed motion, robots that are guided, pushes, damping and air of every environment.

    The number of solver steps taken is kept per world on the device, as the clock of the air, so that a recorded step
    serves every step of every frame. Only the poses of moving kinematic bodies are uploaded, once a frame.

    Args:
        worlds: The model and which of its rows belong to which environment.
        mass: Mass of every Newton body [kg].
        substeps: Solver steps per frame.
    """

    def __init__(self, worlds: Worlds, mass: Sequence[float], *, substeps: int) -> None:
        self._worlds = worlds
        self._device = worlds.model.device
        self._substeps = substeps
        count = worlds.model.body_count
        self.air = worlds.air
        self.air.dt = 1.0 / (worlds.specs[0].fps * substeps)
        self._moving: list[tuple[int, BodyRigid, int]] = []  # environment, body, column of the table
        self._guided: list[tuple[int, Guide, slice]] = []  # environment, its robot, columns of the table
        column_of_body, columns = np.full(count, -1), 0
        pushes: list[list[tuple[int, npt.NDArray[np.float64]]]] = [[] for _ in range(count)]
        decay, drag_step = np.ones(count), np.zeros(count)
        for environment, spec in enumerate(worlds.specs):
            dt = 1.0 / (spec.fps * self._substeps)
            parts = spec.robot.bodies if spec.robot is not None and is_guided(spec) else ()
            if parts:
                guide, names = Guide(spec, dt=dt, steps=substeps), [body.name for body in spec.bodies]
                rows = [int(worlds.body_rows[environment][names.index(name)]) for name in parts]
                moving = [row for row in rows if row >= 0]
                self._guided.append((environment, guide, slice(columns, columns + len(moving))))
                column_of_body[moving] = columns + np.arange(len(moving))
                columns += len(moving)
            for body, row in zip(acting_bodies(spec), worlds.body_rows[environment], strict=True):
                if not isinstance(body, BodyRigid) or row < 0 or body.name in parts:
                    continue
                if body.mobility == "kinematic":
                    column_of_body[row] = columns
                    self._moving.append((environment, body, columns))
                    columns += 1
                    continue
                decay[row] = math.exp(-body.physical.damping * dt)
                drag_step[row] = drag_rate(spec, body.physical.density, mass[row]) * dt
                pushes[row] = [
                    (math.ceil(push.time / dt - 1e-6), np.asarray(push.impulse) / mass[row])
                    for push in spec.triggers
                    if push.body == body.name
                ]
        self._prescribed = self.array(column_of_body, wp.int32)
        table = self._substeps, columns
        self._pose = self.array(np.zeros((*table, 7)), wp.transform)
        self._velocity = self.array(np.zeros((*table, 6)), wp.spatial_vector)
        flat = [push for row in pushes for push in row]
        self._push_start = self.array(np.cumsum([0] + [len(row) for row in pushes]), wp.int32)
        self._push_step = self.array(np.array([step for step, _ in flat]), wp.int32)
        self._push_velocity = self.array(np.array([gain for _, gain in flat]).reshape(-1, 3), wp.vec3)
        self._decay = self.array(decay, wp.float32)
        self._drag_step = self.array(drag_step, wp.float32)

    def upload_frame(self, frames: Sequence[int]) -> None:
        """Write the poses of moving bodies at every solver step of the coming frame.

        Args:
            frames: Frames that each environment has completed.
        """
        if not self._moving and not self._guided:
            return
        pose = np.zeros((*self._pose.shape, 7), np.float32)
        velocity = np.zeros((*self._pose.shape, 6), np.float32)
        for environment, guide, columns in self._guided:
            way = guide.frame(frames[environment])
            pose[:, columns] = np.concatenate([way.position, way.quat_xyzw], axis=-1)
            velocity[:, columns] = np.concatenate([way.linear_velocity, way.angular_velocity], axis=-1)
        for environment, body, column in self._moving:
            spec = self._worlds.specs[environment]
            steps = frames[environment] * self._substeps + 1 + np.arange(self._substeps)
            motion = prescribed_motion(body, motion_of(spec, body.name), steps / (spec.fps * self._substeps))
            pose[:, column, :3], pose[:, column, 3:] = motion.position, motion.quat_xyzw
            velocity[:, column, :3], velocity[:, column, 3:] = motion.linear_velocity, motion.angular_velocity
        self._pose.assign(pose)
        self._velocity.assign(velocity)

    def drive(self, environment: int, ways: Mapping[str, Way]) -> None:
        """Let the guided robot of an environment take other ways than its waypoints, by name of the joint."""
        next(guide for owner, guide, _ in self._guided if owner == environment).drive(ways)

    def act(self, state: Any) -> None:  # Any: a newton State
        """Launch the actions of the coming solver step on a state."""
        model = self._worlds.model
        wp.launch(
            act_on_bodies,
            dim=model.body_count,
            inputs=[
                self.air,
                self._substeps,
                model.body_world,
                self._prescribed,
                self._pose,
                self._velocity,
                self._push_start,
                self._push_step,
                self._push_velocity,
                self._decay,
                self._drag_step,
            ],
            outputs=[state.body_q, state.body_qd],
            device=self._device,
        )

    def advance(self) -> None:
        """Count one solver step in every environment."""
        wp.launch(advance_clock, dim=len(self._worlds.specs), outputs=[self.air.clock], device=self._device)

    def rewind(self, environment: int | None = None) -> None:
        """Set the step count of one environment, or of all, to zero, and guide robots by their waypoints."""
        for owner, guide, _ in self._guided:
            if environment in (None, owner):
                guide.forget()
        if environment is None:
            self.air.clock.zero_()
        else:
            self.air.clock[environment : environment + 1].zero_()

    def array(self, values: Any, dtype: Any) -> Any:  # Any: warp arrays and types
        """Return values as an array on the model's device."""
        kind = np.int32 if dtype is wp.int32 else np.float32
        return wp.array(np.asarray(values, kind), dtype=dtype, device=self._device)


def drag_rate(spec: SceneSpec, density: float, mass: float) -> float:
    """Return k/m [1/m] of the drag law dv/dt = -(k/m) |v - wind| (v - wind), k = ½ ρ C_d A.

    A is the cross-section of the ball of equal volume; C_d is that of a ball at 10³ < Re < 2·10⁵.

    Source: L. D. Landau, E. M. Lifshitz, "Fluid Mechanics" (1987), §45.
    """
    volume = mass / density
    area = math.pi * (3.0 * volume / (4.0 * math.pi)) ** (2.0 / 3.0)
    return float(0.5 * spec.environment.air_density * DRAG_COEFFICIENT * area / mass)
