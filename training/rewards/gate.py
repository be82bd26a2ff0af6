"""The gate before reinforcement learning: a reward that cannot tell truth, imitation and nonsense apart is no reward.

In one run the truth scored −2.26, what the model made −1.65, and an empty clip −2.0: it would have been trained away
from the truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from simfactory.errors import RunError
from training.rewards.scene import Scene4D, Truth4D, swap_clips
from training.rewards.total import TotalReward

__all__ = ["FEWEST_CLIPS", "GateReport", "check_rewards", "gate_report"]

FEWEST_CLIPS = 4


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class GateReport:
    """Mean rewards of three kinds of scenes, judged together.

    Attributes:
        truth: Of the clips' own geometry.
        generated: Of what the model makes.
        wrong: Of the geometry of other clips.
        parts: Means of each reward in its own unit, (truth, generated, wrong) by name.
        clip_count: Clips.
    """

    truth: float
    generated: float
    wrong: float
    parts: Mapping[str, tuple[float, float, float]]
    clip_count: int

    @property
    def is_open(self) -> bool:
        """Whether truth > generated > wrong clip."""
        return self.truth > self.generated > self.wrong

    def __str__(self) -> str:
        """Return the figures for people."""
        lines = [f"truth {self.truth:.3f}, generated {self.generated:.3f}, wrong clip {self.wrong:.3f}"]
        lines += [f"{name} {a:.4g}, {b:.4g}, {c:.4g}" for name, (a, b, c) in self.parts.items()]
        return "; ".join(lines)


def gate_report(generated: Scene4D, truth: Truth4D, reward: TotalReward) -> GateReport:
    """Return what the three kinds of scenes are worth beside the same truth.

    Args:
        generated: What is read from the clips that a model makes of the first frames.
        truth: The clips themselves.
        reward: How they are judged; the three are put in units of their common spread.
    """
    own = truth.as_scene()
    kinds = [reward.parts(scene, truth) for scene in (own, generated, swap_clips(own))]
    count = len(truth)
    joined = {name: torch.cat([kind[name] for kind in kinds]) for name in kinds[0]}
    totals = reward.total(joined).reshape(3, count).mean(dim=1).tolist()
    return GateReport(
        truth=totals[0],
        generated=totals[1],
        wrong=totals[2],
        parts={name: _three(values, count) for name, values in joined.items()},
        clip_count=count,
    )


def check_rewards(report: GateReport) -> None:
    """Refuse to start unless the reward puts truth before generated clips, and those before wrong ones.

    Raises:
        RunError: It does not, or there are too few clips to tell.
    """
    if report.clip_count < FEWEST_CLIPS:
        raise RunError(
            f"the reward was asked of {report.clip_count} clips, which is too few to trust it; give a validation split "
            f"of {FEWEST_CLIPS} or more"
        )
    if not report.is_open:
        raise RunError(
            f"the reward does not put truth > generated > wrong clip on {report.clip_count} clips ({report}): train "
            "model and heads further by pretrain and sft, or change the rewards' weights"
        )


def _three(values: Tensor, count: int) -> tuple[float, float, float]:
    truth, generated, wrong = values.reshape(3, count).mean(dim=1).tolist()
    return truth, generated, wrong
