"""Whether an episode breaks the law that it is to break, where cameras see it, and no other one."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

import numpy as np

from simfactory.episode import Surface, Trajectory
from simfactory.quality.energy import body_radii, energy_growth
from simfactory.quality.laws import Measured, caught_up, measure_laws
from simfactory.quality.penetration import deepest
from simfactory.quality.recording import ClipChecks
from simfactory.quality.thresholds import Thresholds
from simfactory.spec import SceneSpec
from simfactory.violations import given

__all__ = ["Judged", "judge_violation"]

AROUND = 3  # frames before and after that in which a body is deepest inside another

NAMES = {"gravity": "gravity_error", "restitution": "restitution_error"}  # of figures, where not the law's own


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What a violation changes in a quality report.

    Attributes:
        figures: Figures that are added, or replaced: the growth of energy is that in the world as it was made.
        reasons: Reasons against the episode.
        excused: Reasons that are none: the law is broken on purpose.
    """

    figures: dict[str, float] = field(default_factory=dict)
    reasons: Set[str] = frozenset()
    excused: Set[str] = frozenset()


def judge_violation(
    spec: SceneSpec,
    trajectory: Trajectory,
    surfaces: Sequence[Surface],
    clips: Sequence[ClipChecks],
    limits: Thresholds,
) -> Judged:
    """Measure all laws that can be broken, and compare with the one that is to be; see `quality.laws`.

    Args:
        spec: The scene; without a violation there is nothing to judge.
        trajectory: All states.
        surfaces: Surfaces of the scene.
        clips: What each camera's recording measured; none before it is recorded.
        limits: Limits.
    """
    if spec.violation is None:
        return Judged()
    world = given(spec) if spec.violation == "gravity" else spec
    laws = measure_laws(spec, trajectory, gravity=world.environment.gravity)
    figures = {NAMES.get(name, name): measured.figure for name, measured in laws.items()}
    if not trajectory.properties.rules.get("contact", "").startswith("none"):  # a backend without contact says so
        deep = deepest(spec, trajectory, surfaces)
        frames = np.arange(max(deep.frame - AROUND, 0), min(deep.frame + AROUND + 1, trajectory.frame_count))
        laws["penetration"] = Measured(figure=deep.share, body=deep.body, frames=frames)
    broken = {name: found for name, found in laws.items() if found.figure > _limit(name, limits)}
    own = broken.pop(spec.violation, None)
    reasons = set(broken) - {"penetration"}  # of which the report tells by itself
    if own is None or not all(_is_seen(spec.violation, own, clip, limits) for clip in clips):
        reasons.add("violation_unseen")
    own_clock = caught_up(trajectory, own) if own is not None and spec.violation == "delay" else trajectory
    figures["energy_growth"] = energy_growth(world, own_clock, body_radii(tuple(surfaces), len(spec.bodies)))
    excused = {"penetration"} if spec.violation == "penetration" else set[str]()
    return Judged(figures=figures, reasons=reasons, excused=excused)


def _limit(law: str, limits: Thresholds) -> float:
    return float(getattr(limits, NAMES.get(law, law)))


def _is_seen(law: str, measured: Measured, clip: ClipChecks, limits: Thresholds) -> bool:
    """Tell whether a camera sees the body at one of the frames at which it breaks a law; before and after a jump."""
    area = clip.body_area
    frames = measured.frames[measured.frames < len(area)]
    seen = area[frames, measured.body] >= limits.visible_area
    return bool(len(frames)) and bool(seen.all() if law == "teleport" else seen.any())
