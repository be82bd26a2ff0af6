"""The mock backend: closed-form motion behind the simulator contract."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from simfactory.episode import BodyProperties, WorldState
from simfactory.errors import SimulationError
from simfactory.simulators.admission import check_loadable
from simfactory.simulators.base import Simulator
from simfactory.simulators.commands import Commands
from simfactory.simulators.mock.motion import body_mass, body_motion, sheet_vertices
from simfactory.spec import Body, BodyRigid, BodySheet, SceneSpec

__all__ = ["MockSimulator"]

BLOCK = 64  # frames whose motion is computed at a time

RULES = {
    "contact": "none: bodies pass through each other and through the ground",
    "friction": "not used: there is no contact",
    "restitution": "not used: there is no contact",
    "mass": "density × volume of the mesh; used by pushes only",
    "inertia": "not computed (0): every body keeps its first angular velocity",
    "damping": "not used",
    "air": "not used: neither drag nor wind; scenes with jets or vortices are refused",
}


@final
class MockSimulator(Simulator):
    """Moves bodies along closed forms, exact at any time and free of accumulated error.

    Dynamic rigid bodies fly ballistically and keep their first angular velocity, pushes change velocities, kinematic
    bodies follow their motions, static ones stand, sheets vibrate. Computed in float64 from the frame's time alone,
    rounded to float32 at the edge. It stands in wherever motion is needed and physics is not: tests of renderers,
    annotations and stores, and demonstrations without a physics engine.

    Args:
        device: Accepted for uniformity; everything runs on the host.
    """

    name: ClassVar[str] = "mock"

    def __init__(self, *, device: str = "cpu") -> None:
        self._specs: list[SceneSpec] = []
        self._frames: list[int] = []
        self._blocks: dict[int, tuple[int, dict[str, npt.NDArray[np.float32]]]] = {}

    @classmethod
    def supports(cls, kind: str) -> bool:
        """Return whether bodies of this kind can be simulated: rigid and sheet."""
        return kind in ("rigid", "sheet")

    @classmethod
    def version(cls) -> str:
        """Return the name and version of the closed forms."""
        return "mock 1"

    def signature(self, spec: SceneSpec) -> tuple[float, int]:
        """Return (fps, substeps): environments advance by one common frame time."""
        return spec.fps, spec.substep_count

    def load(self, specs: Sequence[SceneSpec]) -> None:
        """Take one scene per environment; see `Simulator.load`."""
        check_loadable(self, specs)
        self._specs = list(specs)
        self._frames = [0] * len(specs)
        self._blocks = {}

    def drive(self, environment: int, targets: Mapping[str, float]) -> None:
        """Refuse every target: scenes with joints are not loaded."""
        Commands(self._specs[environment]).give(self._frames[environment], targets)

    def step(self) -> None:
        """Advance every environment by one frame."""
        if not self._specs:
            raise SimulationError("nothing is loaded: call load(specs) before step()")
        self._frames = [frame + 1 for frame in self._frames]

    def state(self, environment: int) -> WorldState:
        """Return an environment's closed-form state at its current time."""
        spec, frame = self._specs[environment], self._frames[environment]
        time = frame / spec.fps
        first, motions = self._block(environment, frame)
        return WorldState(
            time=time,
            vertices={
                index: sheet_vertices(body, time).astype(np.float32)
                for index, body in enumerate(spec.bodies)
                if isinstance(body, BodySheet)
            },
            **{name: rows[frame - first].copy() for name, rows in motions.items()},
        )

    def _block(self, environment: int, frame: int) -> tuple[int, dict[str, npt.NDArray[np.float32]]]:
        """Return the first frame of a block of frames, and all bodies' motion in it: computed once."""
        first = frame - frame % BLOCK
        known = self._blocks.get(environment)
        if known is None or known[0] != first:
            spec = self._specs[environment]
            times = np.arange(first, first + BLOCK) / spec.fps
            motions = [body_motion(spec, index, times) for index in range(len(spec.bodies))]
            names = ("position", "quat_xyzw", "linear_velocity", "angular_velocity")
            rows = {
                name: np.stack([getattr(motion, name) for motion in motions], axis=1).astype(np.float32)
                for name in names
            }
            known = self._blocks[environment] = first, rows
        return known

    def properties(self, environment: int) -> BodyProperties:
        """Return what the closed forms use: masses of dynamic bodies; see `rules` for the rest."""
        bodies = self._specs[environment].bodies
        return BodyProperties(
            mass=np.array([_mass(body) for body in bodies]),
            inertia=np.zeros((len(bodies), 3, 3)),
            friction=np.zeros(len(bodies)),
            restitution=np.zeros(len(bodies)),
            ground_friction=float("nan"),
            rules=RULES,
        )

    def reset(self, environment: int) -> None:
        """Put one environment back to t = 0."""
        self._frames[environment] = 0

    def release(self) -> None:
        """Forget all environments."""
        self._specs, self._frames, self._blocks = [], [], {}


def _mass(body: Body) -> float:
    return body_mass(body) if isinstance(body, BodyRigid) and body.mobility == "dynamic" else float("inf")
