"""What goes wrong in learning from preferences, told from a run's own figures."""

from collections.abc import Mapping

from training.config import DPOConfig

__all__ = ["alarms"]

RISE = 1.02  # times the reference's error
UNDECIDED = 0.05  # from a half


def alarms(figures: Mapping[str, float], *, step: int, config: DPOConfig) -> dict[str, tuple[float, str]]:
    """Return each alarm by the name of its metric: 1 if it is raised, else 0, and what it says.

    `alarm/winner_error`: intact clips themselves became more than 2 % worse than under the reference. Only the
    difference to the broken ones is rewarded, so both may rise. `alarm/undecided`: after `patience` steps the share of
    preferred intact clips is still within 0.05 of a half.

    Args:
        figures: Means of the last steps, by name of the metric.
        step: Steps that are done.
        config: With patience.
    """
    winner, reference = figures["dpo/winner_error"], figures["dpo/reference_winner_error"]
    accuracy = figures["dpo/accuracy"]
    return {
        "alarm/winner_error": (
            float(winner > RISE * reference),
            f"the error of intact clips is {winner:.5g}, the reference's {reference:.5g}: the model forgets what it "
            "knew; raise dpo.beta, give losses.flow_matching a weight, or lower optimizer.rate",
        ),
        "alarm/undecided": (
            float(step >= config.patience and abs(accuracy - 0.5) <= UNDECIDED),
            f"intact clips are preferred in a share of {accuracy:.2f} of the pairs: nothing is learned; raise "
            "optimizer.rate, or look whether the broken clips differ in these windows",
        ),
    }
