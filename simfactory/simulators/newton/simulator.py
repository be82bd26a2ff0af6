"""The Newton backend: rigid bodies, soft ones and ropes, all environments in one model, steps replayed as graphs."""

import importlib.metadata
import logging
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.arms import is_guided
from simfactory.episode import BodyProperties, Contacts, WorldState
from simfactory.errors import SimulationError
from simfactory.launches import recorded
from simfactory.simulators.admission import check_loadable
from simfactory.simulators.base import Simulator
from simfactory.simulators.commands import Commands
from simfactory.simulators.kinematics import start_orientation
from simfactory.simulators.newton.air import FLOW_KINDS
from simfactory.simulators.newton.bodies import body_kinds, node_body
from simfactory.simulators.newton.fitting import fitted_pose, loose_pose, surface_values
from simfactory.simulators.newton.forces import Actions, NodeActions
from simfactory.simulators.newton.linkage import JOINT_KINDS
from simfactory.simulators.newton.properties import effective_properties
from simfactory.simulators.newton.steps import Steps, steps_for
from simfactory.simulators.newton.worlds import Worlds, build_worlds
from simfactory.spec import SceneSpec

__all__ = ["NewtonSimulator"]

log = logging.getLogger(__name__)

BODY_ROWS, NODE_ROWS = ("body_q", "body_qd"), ("particle_q", "particle_qd")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Host:
    """The states of all environments on the host.

    Attributes:
        poses: `(row, 7)` position [m] and quaternion of every Newton body.
        velocities: `(row, 6)` linear [m/s] and angular [rad/s].
        nodes: `(node, 3)` positions of all nodes [m].
        node_velocities: `(node, 3)` [m/s].
        contacts: By environment.
        temperatures: `(node,)` [K], 0 for nodes without heat; None if no body has any.
    """

    poses: npt.NDArray[np.float32]
    velocities: npt.NDArray[np.float32]
    nodes: npt.NDArray[np.float32]
    node_velocities: npt.NDArray[np.float32]
    contacts: list[Contacts]
    temperatures: npt.NDArray[np.float32] | None


@final
class NewtonSimulator(Simulator):
    """Simulates rigid bodies with Newton's XPBD solver, scenes with soft ones with its VBD, ropes with our own.

    Every environment is a world of one model. A solver step is recorded once as a graph and replayed, on the CPU as on
    CUDA: the host does nothing between the steps of a frame. Joints are constraints on free bodies, so the whole state
    is the bodies' poses and velocities and those of nodes; Newton's velocities are those of the centre of mass in the
    world frame, as ours.

    Reruns are bit-identical on the CPU. On CUDA the deterministic modes of the solver and of the collision pipeline
    are asked for; what else adds up there does so in any order unless `launches.add_in_order` was called.

    Args:
        device: `cpu` or a CUDA device such as `cuda:0`.
    """

    name: ClassVar[str] = "newton"

    def __init__(self, *, device: str = "cpu") -> None:
        self._device = device
        self._clear()

    def _clear(self) -> None:
        self._worlds: Worlds | None = None
        self._frames: list[int] = []
        self._commands: list[Commands] = []
        self._substeps = 0
        self._replay_pair: Callable[[], None] | None = None
        self._replay_last: Callable[[], None] | None = None
        self._detect: Callable[[], None] | None = None
        self._steps: Steps | None = None
        self._states: Any = None  # Any: Newton and Warp objects have no type information
        self._start: Any = None  # Any: as above
        self._actions: Any = None  # Any: as above
        self._node_actions: NodeActions | None = None
        self._host: _Host | None = None

    @classmethod
    def supports(cls, kind: str) -> bool:
        """Return whether bodies, joints or flows of air of this kind can be simulated."""
        return kind in body_kinds() or kind in JOINT_KINDS or kind in FLOW_KINDS

    @classmethod
    def version(cls) -> str:
        """Return the versions of Newton and Warp."""
        return f"newton {importlib.metadata.version('newton')}, warp {wp.__version__}"

    def signature(self, spec: SceneSpec) -> tuple[Hashable, ...]:
        """Return fps, substeps, solver steps in each, the solver family and what it asks for.

        All environments advance by one common time step with one solver.

        Raises:
            SpecError: No solver moves all bodies of the scene, or a body is too stiff for its mesh and substeps.
            AssetError: A body's shape cannot be meshed.
        """
        family = steps_for(spec)
        return spec.fps, spec.substep_count, family.per_substep(spec), family.__name__, *family.variant(spec)

    def load(self, specs: Sequence[SceneSpec]) -> None:
        """Build one world per spec, compile what is not in the kernel cache, and record the solver step.

        The first call on a machine compiles for about half a minute; see `Simulator.load` for what it raises.
        """
        check_loadable(self, specs)
        self.release()
        begin = time.perf_counter()
        worlds = build_worlds(specs, device=self._device)
        model = worlds.model
        self._worlds = worlds
        self._frames = [0] * len(specs)
        self._commands = [Commands(spec) for spec in specs]
        self._states = (model.state(), model.state())
        self._start = model.state()
        self._substeps = specs[0].substep_count * steps_for(specs[0]).per_substep(specs[0])
        dt = 1.0 / (specs[0].fps * self._substeps)
        mass = model.body_mass.numpy().tolist() if model.body_count else []
        self._actions = Actions(worlds, mass, substeps=self._substeps)
        if model.particle_count:
            self._node_actions = NodeActions(worlds, self._actions, dt=dt)
        self._record(dt)
        log.info("loaded %d environments in %.1f s", len(specs), time.perf_counter() - begin)

    def drive(self, environment: int, targets: Mapping[str, float]) -> None:
        """Tell drives where their joints shall be at the end of the next frame; see `Simulator.drive`."""
        spec = self._loaded().specs[environment]
        ways = self._commands[environment].give(self._frames[environment], targets)
        if not ways:
            return
        assert self._steps is not None
        (self._actions if is_guided(spec) else self._steps).drive(environment, ways)

    def step(self) -> None:
        """Advance every environment by one frame."""
        self._loaded()
        assert self._replay_pair is not None
        assert self._steps is not None
        self._steps.upload_frame()
        self._actions.upload_frame(self._frames)
        for _ in range(self._substeps // 2):
            self._replay_pair()
        if self._replay_last is not None:
            self._replay_last()
        self._frames = [frame + 1 for frame in self._frames]
        self._host = None

    def state(self, environment: int) -> WorldState:
        """Return an environment's state, copied to the host.

        The pose of a body of nodes is the rigid motion that fits its nodes best, its velocities are those of its mass;
        loose particles have none but that of their centre of mass.

        Raises:
            SimulationError: Nothing is loaded, or there are more contacts than the solver has room for.
        """
        worlds, host = self._loaded(), self._read()
        spec, rows = worlds.specs[environment], worlds.body_rows[environment]
        position = np.array([body.position for body in spec.bodies], np.float32)
        quat = np.array([start_orientation(body) for body in spec.bodies], np.float32)
        velocity = np.zeros((len(rows), 6), np.float32)
        moving = rows >= 0
        position[moving], quat[moving] = host.poses[rows[moving], :3], host.poses[rows[moving], 3:]
        velocity[moving] = host.velocities[rows[moving]]
        vertices: dict[int, npt.NDArray[np.float32]] = {}
        particles: dict[int, npt.NDArray[np.float32]] = {}
        speeds_of: dict[int, npt.NDArray[np.float32]] = {}
        temperatures: dict[int, npt.NDArray[np.float32]] = {}
        for index, (begin, end) in worlds.node_rows[environment].items():
            made, nodes = node_body(spec.bodies[index]), host.nodes[begin:end].astype(np.float64)
            speeds = host.node_velocities[begin:end].astype(np.float64)
            if made.loose:
                pose = loose_pose(made, nodes, speeds, start_orientation(spec.bodies[index]))
                particles[index], speeds_of[index] = (
                    host.nodes[begin:end].copy(),
                    host.node_velocities[begin:end].copy(),
                )
            else:
                pose = fitted_pose(made, nodes, speeds)
            position[index], quat[index] = pose.position, pose.quat_xyzw
            velocity[index] = (*pose.linear_velocity, *pose.angular_velocity)
            if made.surface is not None:
                vertices[index] = made.surface(nodes).astype(np.float32)
                if host.temperatures is not None and host.temperatures[begin] > 0.0:
                    temperatures[index] = surface_values(made, host.temperatures[begin:end])
        return WorldState(
            time=self._frames[environment] / spec.fps,
            position=position,
            quat_xyzw=quat,
            linear_velocity=velocity[:, :3].copy(),
            angular_velocity=velocity[:, 3:].copy(),
            vertices=vertices,
            contacts=host.contacts[environment],
            particles=particles,
            particle_velocities=speeds_of,
            temperatures=temperatures,
        )

    def properties(self, environment: int) -> BodyProperties:
        """Return the effective parameters, read back from the model."""
        return effective_properties(self._loaded(), environment)

    def reset(self, environment: int) -> None:
        """Put one environment back to t = 0 by writing its rows back; all others stay bit-identical."""
        worlds = self._loaded()
        assert self._steps is not None
        for names, (begin, end) in (
            (BODY_ROWS, worlds.row_ranges[environment]),
            (NODE_ROWS, worlds.node_ranges[environment]),
        ):
            for state, name in product(self._states, names if end > begin else ()):
                wp.copy(getattr(state, name), getattr(self._start, name), begin, begin, end - begin)
        self._steps.forget(self._states[0], environment)
        self._actions.rewind(environment)
        self._commands[environment].forget()
        self._frames[environment] = 0
        self._host = None

    def release(self) -> None:
        """Free the model, its states and its graphs."""
        self._clear()

    def _record(self, dt: float) -> None:
        """Record two solver steps (there and back between two states), the odd last one, and contact detection."""
        worlds = self._loaded()
        model = worlds.model
        steps = steps_for(worlds.specs[0])(worlds, dt=dt)
        first, second = self._states

        def substep(source: Any, target: Any) -> None:  # Any: newton States
            self._actions.act(source)
            if self._node_actions is not None:
                self._node_actions.act(source)
            steps.advance(source, target)
            self._actions.advance()

        def pair() -> None:
            substep(first, second)
            substep(second, first)

        def last() -> None:
            substep(first, second)
            self._copy(first, second)

        self._steps = steps
        if model.body_count == 0 and model.particle_count == 0:
            self._replay_pair = self._detect = lambda: None
            return
        self._actions.upload_frame(self._frames)
        record = recorded if steps.recordable else _direct
        substep(first, second)  # compiles and loads every kernel before recording
        self._restore()
        self._replay_pair = record(pair, model.device)
        self._replay_last = record(last, model.device) if self._substeps % 2 else None
        self._detect = record(lambda: steps.detect(first), model.device)
        self._restore()

    def _copy(self, target: Any, source: Any) -> None:  # Any: newton States
        """Copy all poses and velocities from one state to another."""
        model = self._loaded().model
        for name in (*(BODY_ROWS if model.body_count else ()), *(NODE_ROWS if model.particle_count else ())):
            wp.copy(getattr(target, name), getattr(source, name))

    def _restore(self) -> None:
        """Put every environment back to t = 0."""
        assert self._steps is not None
        for state in self._states:
            self._copy(state, self._start)
        self._steps.forget(self._states[0])
        self._actions.rewind()

    def _read(self) -> "_Host":
        """Return the states and contacts of all environments, copied once a frame."""
        worlds = self._loaded()
        model = worlds.model
        if self._host is None:
            assert self._detect is not None
            assert self._steps is not None
            self._detect()
            state = self._states[0]
            poses, velocities = _rows(state, BODY_ROWS, (7, 6), model.body_count)
            nodes, node_velocities = _rows(state, NODE_ROWS, (3, 3), model.particle_count)
            contacts = [Contacts.none() for _ in worlds.specs]
            if model.body_count or model.particle_count:
                contacts = self._steps.read_contacts(nodes, poses)
            self._host = _Host(
                poses=poses,
                velocities=velocities,
                nodes=nodes,
                node_velocities=node_velocities,
                contacts=contacts,
                temperatures=self._steps.temperatures(),
            )
        return self._host

    def _loaded(self) -> Worlds:
        if self._worlds is None:
            raise SimulationError("nothing is loaded: call load(specs) first")
        return self._worlds


def _direct(work: Callable[[], None], device: Any) -> Callable[[], None]:  # Any: a warp Device
    """Return the work itself: its solver decides on the host."""
    return work


def _rows(
    state: Any,  # Any: a newton State
    names: tuple[str, str],
    widths: tuple[int, int],
    count: int,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return copies of two arrays of a state; it has none of them where there is nothing to count."""
    if not count:
        return np.zeros((0, widths[0]), np.float32), np.zeros((0, widths[1]), np.float32)
    return getattr(state, names[0]).numpy().copy(), getattr(state, names[1]).numpy().copy()
