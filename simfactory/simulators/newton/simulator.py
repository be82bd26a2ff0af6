"""The Newton backend: XPBD rigid bodies, all environments in one model, solver steps replayed as recorded graphs."""

import importlib.metadata
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.episode import BodyProperties, Contacts, WorldState
from simfactory.errors import SimulationError
from simfactory.simulators.admission import check_loadable
from simfactory.simulators.base import Simulator
from simfactory.simulators.kinematics import start_orientation
from simfactory.simulators.newton.bodies import body_kinds
from simfactory.simulators.newton.contacts import read_contacts
from simfactory.simulators.newton.bodies.soft_body import soft_mesh
from simfactory.simulators.newton.forces import Actions, SoftActions
from simfactory.simulators.newton.properties import effective_properties
from simfactory.simulators.newton.soft_state import joined, read_soft_contacts, soft_pose
from simfactory.simulators.newton.steps_rigid import StepsRigid
from simfactory.simulators.newton.steps_soft import StepsSoft, soft_steps
from simfactory.simulators.newton.worlds import Worlds, build_worlds
from simfactory.spec import BodySoft, SceneSpec

__all__ = ["NewtonSimulator"]

log = logging.getLogger(__name__)

@final
class NewtonSimulator(Simulator):
    """Simulates rigid bodies with Newton's XPBD solver.

    Every environment is a world of one model. A solver step is recorded once as a graph and replayed, on the CPU as on
    CUDA: the host does nothing between the steps of a frame. There are no joints, so the whole state is the bodies'
    poses and velocities; Newton's velocities are those of the centre of mass in the world frame, as ours.

    Reruns are bit-identical on the CPU. On CUDA the deterministic modes of the solver and of the collision pipeline
    are asked for.

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
        self._replay_pair: Callable[[], None] | None = None
        self._replay_last: Callable[[], None] | None = None
        self._detect: Callable[[], None] | None = None
        self._states: Any = None  # Any: Newton and Warp objects have no type information
        self._start: Any = None  # Any: as above
        self._actions: Any = None  # Any: as above
        self._contacts: Any = None  # Any: as above
        self._host: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], list[Contacts]] | None = None

    @classmethod
    def supports(cls, kind: str) -> bool:
        """Return whether bodies of this kind can be simulated."""
        return kind in body_kinds()

    @classmethod
    def version(cls) -> str:
        """Return the versions of Newton and Warp."""
        return f"newton {importlib.metadata.version('newton')}, warp {wp.__version__}"

    def signature(self, spec: SceneSpec) -> tuple[float, int]:
        """Return (fps, substeps): all environments advance by one common time step."""
        return spec.fps, spec.substep_count

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
        self._states = (model.state(), model.state())
        self._start = model.state()
        self._actions = Actions(worlds, model.body_mass.numpy().tolist())
        self._record(1.0 / (specs[0].fps * specs[0].substep_count), odd=specs[0].substep_count % 2 == 1)
        log.info("loaded %d environments in %.1f s", len(specs), time.perf_counter() - begin)

    def step(self) -> None:
        """Advance every environment by one frame."""
        worlds = self._loaded()
        assert self._replay_pair is not None
        self._actions.upload_frame(self._frames)
        for _ in range(worlds.specs[0].substep_count // 2):
            self._replay_pair()
        if self._replay_last is not None:
            self._replay_last()
        self._frames = [frame + 1 for frame in self._frames]
        self._host = None

    def state(self, environment: int) -> WorldState:
        """Return an environment's state, copied to the host.

        Raises:
            SimulationError: Nothing is loaded, or there are more contacts than the solver has room for.
        """
        worlds = self._loaded()
        poses, velocities, contacts = self._read()
        spec, rows = worlds.specs[environment], worlds.body_rows[environment]
        position = np.array([body.position for body in spec.bodies], np.float32)
        quat = np.array([start_orientation(body) for body in spec.bodies], np.float32)
        velocity = np.zeros((len(rows), 6), np.float32)
        moving = rows >= 0
        position[moving], quat[moving] = poses[rows[moving], :3], poses[rows[moving], 3:]
        velocity[moving] = velocities[rows[moving]]
        return WorldState(
            time=self._frames[environment] / spec.fps,
            position=position,
            quat_xyzw=quat,
            linear_velocity=velocity[:, :3].copy(),
            angular_velocity=velocity[:, 3:].copy(),
            contacts=contacts[environment],
        )

    def properties(self, environment: int) -> BodyProperties:
        """Return the effective parameters, read back from the model."""
        return effective_properties(self._loaded(), environment)

    def reset(self, environment: int) -> None:
        """Put one environment back to t = 0 by writing its rows back; all others stay bit-identical."""
        begin, end = self._loaded().row_ranges[environment]
        for state in self._states:
            for name in ("body_q", "body_qd"):
                wp.copy(getattr(state, name), getattr(self._start, name), begin, begin, end - begin)
        self._actions.rewind(environment)
        self._frames[environment] = 0
        self._host = None

    def release(self) -> None:
        """Free the model, its states and its graphs."""
        self._clear()

    def _record(self, dt: float, *, odd: bool) -> None:
        """Record two solver steps (there and back between two states), the odd last one, and contact detection."""
        worlds = self._loaded()
        model, cuda = worlds.model, worlds.model.device.is_cuda
        solver = newton.solvers.SolverXPBD(
            model,
            iterations=ITERATIONS,
            rigid_contact_relaxation=RELAXATION,
            rigid_contact_con_weighting=False,
            enable_restitution=False,  # see Impacts
            deterministic=wp.DeterministicMode.RUN_TO_RUN if cuda else None,
        )
        pipeline = newton.CollisionPipeline(
            model,
            rigid_contact_max=worlds.contact_capacity,
            speculative_contact_gap_max=SPECULATIVE_GAP,
            include_static_kinematic_pairs=False,
            deterministic=cuda,
        )
        contacts, control = pipeline.contacts(), model.control()
        impacts = Impacts(model, contacts, dt=dt)
        first, second = self._states

        def substep(source: Any, target: Any) -> None:  # Any: newton States
            self._actions.act(source)
            pipeline.collide(source, contacts, dt=dt)
            impacts.before_step(source)
            solver.step(source, target, control, contacts, dt)
            impacts.after_step(target)
            self._actions.advance()

        def pair() -> None:
            substep(first, second)
            substep(second, first)

        def last() -> None:
            substep(first, second)
            wp.copy(first.body_q, second.body_q)
            wp.copy(first.body_qd, second.body_qd)

        if model.body_count == 0:
            self._replay_pair = self._detect = lambda: None
        else:
            self._actions.upload_frame(self._frames)
            substep(first, second)  # compiles and loads every kernel before recording
            self._restore()
            self._replay_pair = _recorded(pair, model.device)
            self._replay_last = _recorded(last, model.device) if odd else None
            self._detect = _recorded(lambda: pipeline.collide(first, contacts, dt=0.0), model.device)
            self._restore()
        self._contacts = contacts

    def _restore(self) -> None:
        """Put every environment back to t = 0."""
        for state in self._states:
            wp.copy(state.body_q, self._start.body_q)
            wp.copy(state.body_qd, self._start.body_qd)
        self._actions.rewind()

    def _read(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], list[Contacts]]:
        """Return poses `(row, 7)`, velocities `(row, 6)` and contacts of all environments, copied once a frame."""
        worlds = self._loaded()
        if self._host is None:
            assert self._detect is not None
            if worlds.model.body_count == 0:
                empty = [Contacts.none() for _ in worlds.specs]
                self._host = np.zeros((0, 7), np.float32), np.zeros((0, 6), np.float32), empty
            else:
                self._detect()
                poses, velocities = self._states[0].body_q.numpy().copy(), self._states[0].body_qd.numpy().copy()
                self._host = poses, velocities, read_contacts(worlds, self._contacts, poses)
        return self._host

    def _loaded(self) -> Worlds:
        if self._worlds is None:
            raise SimulationError("nothing is loaded: call load(specs) first")
        return self._worlds


def _recorded(work: Callable[[], None], device: Any) -> Callable[[], None]:  # Any: a warp Device
    """Record launches as a graph and return what replays it; where graphs cannot allocate, return the work itself."""
    if device.is_cuda and not wp.is_mempool_enabled(device):
        return work
    with wp.ScopedCapture(device=device) as capture:
        work()
    return lambda: wp.capture_launch(capture.graph)
