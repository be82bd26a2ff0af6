"""What a law is, how it is measured, and the scenes' common clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simfactory.episode import Trajectory
from simfactory.simulators import Simulator
from simfactory.spec import BodyRigid, SceneSpec
from simfactory.testing.specs import make_spec

__all__ = ["FPS", "GRAVITY", "ROUNDING", "Law", "measure", "scene"]

GRAVITY = 9.81  # [m/s²]
FPS = 60.0
FRAMES = 121  # two seconds
ROUNDING = 2e-4  # some hundred float32 additions to numbers of the order of 1–10, relative error 6e-8 each


@dataclass(frozen=True, kw_only=True, slots=True)
class Law:
    """One law: a scene, a figure read from its trajectory, and its exact value.

    Attributes:
        name: Short name.
        spec: The scene.
        figure: Reads the measured figure from a trajectory.
        exact: The closed form's value.
        tolerance: Largest |measured − exact| that the method's order or a documented limit explains.
        reason: Why this tolerance.
        unit: Unit of the figure.
        needs: What a backend must simulate: `contact`, `air`, `torque`; nothing for ballistic and prescribed motion.
    """

    name: str
    spec: SceneSpec
    figure: Callable[[Trajectory], float]
    exact: float
    tolerance: float
    reason: str
    unit: str
    needs: tuple[str, ...] = ()


def measure(simulator: Simulator, laws: Sequence[Law]) -> list[float]:
    """Simulate the scenes of all laws together and return the measured figures."""
    simulator.load([law.spec for law in laws])
    states = [[simulator.state(index)] for index in range(len(laws))]
    for _ in range(max(law.spec.frame_count for law in laws) - 1):
        simulator.step()
        for index in range(len(laws)):
            states[index].append(simulator.state(index))
    return [
        float(law.figure(Trajectory.from_states(states[index][: law.spec.frame_count], simulator.properties(index))))
        for index, law in enumerate(laws)
    ]


def scene(substeps: int, bodies: Sequence[BodyRigid], **options: object) -> SceneSpec:
    """Return a scene of two seconds at 60 Hz, without ground unless an option says so."""
    return make_spec(bodies=bodies, fps=FPS, frame_count=FRAMES, substeps=substeps, **{"ground": False, **options})  # type: ignore[arg-type]  # forwarded as given
