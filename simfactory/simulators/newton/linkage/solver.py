"""Newton's XPBD with joints of ours: the solver itself sees free bodies."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import newton
import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.arms import held_joints
from simfactory.joints import Way, drive_of
from simfactory.simulators.kinematics import start_orientation
from simfactory.simulators.newton.linkage.kernels import (
    BALL,
    HINGE,
    SLIDER,
    WELD,
    Bodies,
    Link,
    begin_joints,
    hold_joints,
)
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import Joint, JointHinge, JointSlider, SceneSpec
from simfactory.transforms import quat_between, quat_multiply, quat_rotate

__all__ = ["JOINT_KINDS", "LinkedSolver"]

JOINT_KINDS = {"hinge": HINGE, "slider": SLIDER, "ball_joint": BALL, "weld": WELD}
FREE = 1e9  # [rad or m] where there is no limit
NEVER = 1e9  # [s]
SWEEPS = 2  # over all joints, in every iteration of the contacts


@final
class LinkedSolver(newton.solvers.SolverXPBD):
    """SolverXPBD whose every iteration also sweeps over the joints of each world.

    Newton's own joints lose a third of a pendulum's energy in two seconds at 240 Hz, and swing 9 % too slowly however
    small the step. These keep it (see `kernels.hold_joints`). They may form loops.

    Args:
        worlds: The model's environments.
        dt: Solver step [s].
        firm: Whether something beside joints acts within the sweeps, see `between_sweeps`.
        options: Of SolverXPBD.
    """

    # Any: options of an untyped class
    def __init__(self, worlds: Worlds, *, dt: float, firm: bool = False, **options: Any) -> None:
        super().__init__(worlds.model, **options)
        self._worlds, self._dt = worlds, dt
        self._device, self._row_count = worlds.model.device, int(worlds.model.body_count)
        self._count = sum(len(held_joints(spec)) for spec in worlds.specs)
        self.between_sweeps: Callable[[int, Any, Any], None] | None = None  # Any: warp arrays of poses and velocities
        self._active = self._count > 0 or firm
        if self._active:
            self._upload()

    def begin(self, state: Any) -> None:  # Any: a newton State
        """Remember how the joints begin the step; call it before `step`, and before contacts look at velocities."""
        if not self._active:
            return
        wp.launch(
            begin_joints,
            dim=len(self._worlds.specs),
            inputs=[
                self._link_start,
                self._links,
                self._worlds.model.gravity,
                self._is_linked,
                self._row_start,
                self._dt,
            ],
            outputs=[self._clock, state.body_q, self._bodies.start, self._begin, self._given, state.body_qd],
            device=self._device,
        )

    @property
    def bodies(self) -> Any:  # Any: a warp structure
        """What impulses act on; only in scenes with joints, or with `firm`."""
        return self._bodies

    def forget(self, environment: int | None = None) -> None:
        """Put the clock of one environment, or of all, back to t = 0, and its drives to their waypoints."""
        if self._active:
            rows = slice(None) if environment is None else slice(environment, environment + 1)
            self._clock[rows].zero_()
            for way in (way for ways in self._way_rows[rows] for way in ways.values()):
                self._table[way] = self._plan[way]
                self._is_new = True

    def drive(self, environment: int, ways: Mapping[str, Way]) -> None:
        """Let the drives of an environment take other ways than their waypoints, by name of the joint."""
        for name, (before, after) in ways.items():
            rows = self._way_rows[environment][name]
            self._table[rows] = NEVER, after.position
            self._table[rows.start : rows.start + 2, 0] = before.time, after.time
            self._table[rows.start, 1] = before.position
            self._is_new = True

    def upload_frame(self) -> None:
        """Send the ways of drives to the device, if there are other ones than in the last frame."""
        if self._active and self._is_new:
            self._times.assign(self._table[:, 0])
            self._positions.assign(self._table[:, 1])
            self._is_new = False

    def _apply_body_deltas(self, model: Any, state_in: Any, state_out: Any, *arguments: Any) -> Any:  # Any: newton
        pose, velocity = super()._apply_body_deltas(model, state_in, state_out, *arguments)
        if self.between_sweeps is None:
            self._sweep(0, SWEEPS, pose, velocity)
            return pose, velocity
        for number in range(SWEEPS):
            self._sweep(number, 1, pose, velocity)
            self.between_sweeps(number, pose, velocity)
        return pose, velocity

    def _sweep(self, first: int, count: int, pose: Any, velocity: Any) -> None:  # Any: warp arrays
        """Sweep over the joints, there in even sweeps and back in odd ones."""
        if not self._count:
            return
        wp.launch(
            hold_joints,
            dim=len(self._worlds.specs),
            inputs=[
                self._link_start,
                self._links,
                self._times,
                self._positions,
                self._bodies,
                self._dt,
                first,
                count,
                self._clock,
                self._begin,
                self._given,
            ],
            outputs=[pose, velocity],
            device=self._device,
        )

    def _upload(self) -> None:
        worlds, model, device = self._worlds, self._worlds.model, self._device
        starts, rows = [0], []
        waypoints: list[tuple[float, float]] = []
        linked = np.zeros(self._row_count, np.int32)
        self._way_rows: list[dict[str, slice]] = []  # of the table, by environment and joint
        for spec, body_rows in zip(worlds.specs, worlds.body_rows, strict=True):
            self._way_rows.append({})
            for joint in held_joints(spec):
                link = _link(spec, joint, body_rows, first=len(waypoints))
                self._way_rows[-1][joint.name] = slice(int(link.first), int(link.last))
                link.twin = _twin(spec, joint, first=starts[-1])
                waypoints += _waypoints(joint)
                linked[[row for row in (link.parent, link.child) if row >= 0]] = 1
                rows.append(link)
            starts.append(len(rows))
        self._links: Any = wp.array(rows or [Link()], dtype=Link, device=device)  # Any: warp arrays, here and below
        self._link_start: Any = self._ints(starts)  # Any: as above
        self._row_start: Any = self._ints([0, *(end for _, end in worlds.row_ranges)])  # Any: as above
        self._is_linked: Any = self._ints(linked)  # Any: as above
        self._plan = np.array(waypoints or [(0.0, 0.0)], np.float32)  # times and positions
        self._table, self._is_new = self._plan.copy(), False
        self._times: Any = wp.array(self._table[:, 0], dtype=wp.float32, device=device)  # Any: as above
        self._positions: Any = wp.array(self._table[:, 1], dtype=wp.float32, device=device)  # Any: as above
        self._clock: Any = self._ints(np.zeros(len(worlds.specs)))  # Any: as above
        self._begin: Any = wp.zeros(max(len(rows), 1), dtype=wp.float32, device=device)  # Any: as above
        self._given: Any = wp.zeros(max(len(rows), 1), dtype=wp.vec4, device=device)  # Any: as above
        self._bodies: Any = Bodies()  # Any: as above
        self._bodies.com = model.body_com
        self._bodies.inverse_mass, self._bodies.inverse_inertia = (
            self.body_inv_mass_effective,
            self.body_inv_inertia_effective,
        )
        self._bodies.start = wp.clone(model.body_q)

    def _ints(self, values: npt.ArrayLike) -> Any:  # Any: a warp array
        return wp.array(np.asarray(values, np.int32), dtype=wp.int32, device=self._device)


def _waypoints(joint: Joint) -> list[tuple[float, float]]:
    """Return times and positions; two at least where there is a drive: as many as a command needs."""
    drive = drive_of(joint)
    points = [(point.time, point.position) for point in drive.waypoints] if drive is not None else []
    return [*points, (NEVER, points[0][1])] if len(points) == 1 else points


def _link(spec: SceneSpec, joint: Joint, rows: npt.NDArray[np.int64], *, first: int) -> Any:  # Any: a warp structure
    """Return a joint as kernels read it; static bodies are the world."""
    link: Any = Link()  # Any: a warp structure
    link.kind = int(JOINT_KINDS[joint.kind])
    axis = np.asarray(joint.axis if isinstance(joint, JointHinge | JointSlider) else (1.0, 0.0, 0.0))
    world = quat_between((1.0, 0.0, 0.0), axis / np.linalg.norm(axis))
    names = [body.name for body in spec.bodies]
    parent = -1 if joint.parent is None else int(rows[names.index(joint.parent)])
    child = int(rows[names.index(joint.child)])
    link.parent, link.child = parent, child
    link.frame_parent = _local(spec, None if parent < 0 else joint.parent, joint.anchor, world)
    link.frame_child = _local(spec, joint.child, joint.anchor, world)
    link.lower, link.upper = -FREE, FREE
    if isinstance(joint, JointHinge | JointSlider):
        link.lower = -FREE if joint.lower is None else joint.lower
        link.upper = FREE if joint.upper is None else joint.upper
        link.damping, link.friction = joint.damping, joint.friction
        if joint.drive is not None:
            link.stiffness, link.drag, link.strength = (
                joint.drive.stiffness,
                joint.drive.damping,
                joint.drive.strength,
            )
    link.first, link.last = first, first + len(_waypoints(joint))
    return link


def _twin(spec: SceneSpec, joint: Joint, *, first: int) -> int:
    """Return the row of the finger joint before this one in a robot's gripper, -1 for all other joints."""
    if spec.robot is None or not isinstance(joint, JointSlider):
        return -1
    fingers = [
        entry.name for entry in spec.joints if isinstance(entry, JointSlider) and entry.name in spec.robot.joints
    ]
    place = fingers.index(joint.name) if joint.name in fingers else 0
    return first + [entry.name for entry in spec.joints].index(fingers[place - 1]) if place else -1


# Any: a warp transform
def _local(spec: SceneSpec, name: str | None, anchor: Sequence[float], world: npt.NDArray[np.float64]) -> Any:
    if name is None:
        return wp.transform(wp.vec3(*anchor), wp.quat(*world))
    body = next(body for body in spec.bodies if body.name == name)
    back = start_orientation(body) * np.array([-1.0, -1.0, -1.0, 1.0])
    place = quat_rotate(back, np.asarray(anchor) - np.asarray(body.position))
    return wp.transform(wp.vec3(*place), wp.quat(*quat_multiply(back, world)))
