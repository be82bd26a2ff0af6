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
from training.data import Batch
from training.evaluation.bootstrap import Interval, bootstrap_interval
from training.rewards.judges import Judge
from training.rewards.scene import Scene4D, Truth4D, swap_clips, truth_of
from training.rewards.total import TotalReward

__all__ = ["FEWEST_CLIPS", "GateReport", "check_rewards", "gate_report", "judged_gate_report"]

FEWEST_CLIPS = 8  # of fewer an interval says little: by chance alone all of 5 differences have one sign once in 16


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class GateReport:
    """Rewards of three kinds of scenes of the same clips, judged together.

    Attributes:
        truth: Mean of the clips themselves.
        generated: Mean of what the model makes.
        wrong: Mean of other clips.
        truth_lead: By how much the truth is before what is generated, clip by clip.
        generated_lead: By how much that is before the wrong clips.
        parts: Means of each reward in its own unit, (truth, generated, wrong) by name.
        clip_count: Clips.
    """

    truth: float
    generated: float
    wrong: float
    truth_lead: Interval
    generated_lead: Interval
    parts: Mapping[str, tuple[float, float, float]]
    clip_count: int

    @property
    def is_open(self) -> bool:
        """Whether truth > generated > wrong clip, each by more than chance: both intervals lie above 0."""
        return self.truth_lead.low > 0.0 and self.generated_lead.low > 0.0

    def __str__(self) -> str:
        """Return the figures for people."""
        leads = [
            f"{name} by {lead.mean:.3f} [{lead.low:.3f}, {lead.high:.3f}]"
            for name, lead in (
                ("truth before generated", self.truth_lead),
                ("generated before wrong clip", self.generated_lead),
            )
        ]
        lines = [f"truth {self.truth:.3f}, generated {self.generated:.3f}, wrong clip {self.wrong:.3f}", *leads]
        lines += [f"{name} {a:.4g}, {b:.4g}, {c:.4g}" for name, (a, b, c) in self.parts.items()]
        return "; ".join(lines)


def gate_report(
    generated: Scene4D, truth: Truth4D, reward: TotalReward, *, read: Scene4D | None = None, seed: int = 0
) -> GateReport:
    """Return what the three kinds of scenes are worth beside the same truth.

    Leads are means over clips of paired differences, with their 95 % bootstrap intervals.

    Args:
        generated: What is read from the clips that a model makes of the first frames.
        truth: The clips themselves, all different: the wrong clip of each is the one before it.
        reward: How they are judged; the three are put in units of their common spread.
        read: What the same judge reads from the clips themselves; None = their exact geometry. Without it, the truth
            and the wrong clips have an advantage that no model of videos has.
        seed: Of the bootstrap.
    """
    own = truth.as_scene() if read is None else read
    kinds = [reward.parts(scene, truth) for scene in (own, generated, swap_clips(own))]
    count = len(truth)
    joined = {name: torch.cat([kind[name] for kind in kinds]) for name in kinds[0]}
    totals = reward.total(joined).reshape(3, count).double().cpu().numpy()
    means = totals.mean(axis=1).tolist()
    return GateReport(
        truth=means[0],
        generated=means[1],
        wrong=means[2],
        truth_lead=bootstrap_interval(totals[0] - totals[1], seed=seed),
        generated_lead=bootstrap_interval(totals[1] - totals[2], seed=seed),
        parts={name: _three(values, count) for name, values in joined.items()},
        clip_count=count,
    )


def judged_gate_report(
    judge: Judge, generated: Tensor, batch: Batch, reward: TotalReward, *, seed: int = 0
) -> GateReport:
    """Return the report on clips that a model made, all three kinds as a judge reads them.

    Args:
        judge: Such as the policy's frozen heads: what the policy is to learn from.
        generated: rgb `(batch, frame, 3, height, width)`, −1 … 1, made of the batch's first frames.
        batch: Clips of a validation split, with `NEEDED_OUTPUTS`.
        reward: See `gate_report`.
        seed: See `gate_report`.
    """
    truth = truth_of(batch)
    return gate_report(judge(generated, truth), truth, reward, read=judge(batch["rgb"], truth), seed=seed)


def check_rewards(report: GateReport) -> None:
    """Refuse to start unless the reward puts truth before generated clips, and those before wrong ones.

    Raises:
        RunError: It does not, or not by more than chance, or there are too few clips to tell.
    """
    if report.clip_count < FEWEST_CLIPS:
        raise RunError(
            f"the reward was asked of {report.clip_count} clips, which is too few to trust it; give a validation split "
            f"of {FEWEST_CLIPS} or more"
        )
    if not report.is_open:
        raise RunError(
            f"the reward does not put truth > generated > wrong clip on {report.clip_count} clips ({report}): train "
            "model and heads further by pretrain and sft, change the rewards' weights, or give more clips if an "
            "interval only touches 0"
        )


def _three(values: Tensor, count: int) -> tuple[float, float, float]:
    truth, generated, wrong = values.reshape(3, count).mean(dim=1).tolist()
    return truth, generated, wrong
