"""Ground-truth harness: clips against an independent float64 oracle, and planted errors that it must find."""

from collections.abc import Mapping

from simfactory.episode import Episode
from simfactory.testing.ground_truth.comparison import EXACT, Limits, compare, violations
from simfactory.testing.ground_truth.consistency import CONSISTENT, consistency, track_flow_residual
from simfactory.testing.ground_truth.contexts import mock_trajectory, oracle_contexts, record
from simfactory.testing.ground_truth.grains import PLANTED_GRAINS
from simfactory.testing.ground_truth.heat import PLANTED_HEAT
from simfactory.testing.ground_truth.oracle import Oracle, WorldMotion
from simfactory.testing.ground_truth.planted import PLANTED, oracle_arrays
from simfactory.testing.ground_truth.scenes import sample_scene
from simfactory.testing.ground_truth.storage import store_clip, stored_arrays, stored_limits

__all__ = [
    "CONSISTENT",
    "EXACT",
    "PLANTED",
    "PLANTED_GRAINS",
    "PLANTED_HEAT",
    "Limits",
    "Oracle",
    "WorldMotion",
    "assert_exact",
    "check",
    "compare",
    "consistency",
    "mock_trajectory",
    "oracle_arrays",
    "oracle_contexts",
    "oracles",
    "record",
    "sample_scene",
    "store_clip",
    "stored_arrays",
    "stored_limits",
    "track_flow_residual",
    "violations",
]


def oracles(episode: Episode, *, closed_form: bool) -> list[Oracle]:
    """Return the oracle of every clip of an episode, in order.

    Args:
        episode: The episode.
        closed_form: Take poses from the mock backend's formulas in float64, instead of the recorded trajectory.
    """
    spec = episode.spec
    motion = WorldMotion.closed_form(spec) if closed_form else WorldMotion.recorded(episode.trajectory)
    return [Oracle(spec, clip.camera, motion) for clip in episode.clips]


def check(episode: Episode, *, closed_form: bool) -> list[dict[str, float]]:
    """Return the figures of every clip of an episode against the oracle.

    Args:
        episode: The episode, in memory: before any storage quantisation.
        closed_form: Take poses from the mock backend's formulas in float64, instead of the recorded trajectory.
    """
    pairs = zip(oracles(episode, closed_form=closed_form), episode.clips, strict=True)
    return [compare(oracle, clip.arrays) for oracle, clip in pairs]


def assert_exact(figures: Mapping[str, float], limits: Limits = EXACT) -> None:
    """Assert that figures keep their limits.

    Raises:
        AssertionError: Some do not; the message names each.
    """
    found = violations(figures, limits)
    if found:
        raise AssertionError("not exact: " + "; ".join(found))
