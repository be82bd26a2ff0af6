"""Advantages: by how much a sample's reward beats what was to be expected of its prompt."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.rl_config import AdvantageName

__all__ = [
    "ADVANTAGE_LIMIT",
    "RunningBaseline",
    "advantages",
    "best_and_worst",
    "groups_with_spread",
    "shuffled",
]

ADVANTAGE_LIMIT = 5.0
_FLOOR = 1e-6  # of deviations and of spreads


def advantages(
    rewards: Tensor,
    *,
    kind: AdvantageName = "grpo_group",
    baseline: Tensor | None = None,
    limit: float = ADVANTAGE_LIMIT,
) -> Tensor:
    """Return how much better than expected each sample is, in −limit … limit.

    grpo_group: (r − group's mean)/group's deviation. grpo_global: (r − group's mean)/deviation of all rewards of the
    batch, so that prompts whose samples hardly differ count little. rloo: r less the mean of the group's other samples.
    value: r less what is known of the prompt from earlier iterations, see `RunningBaseline`.

    **Source**: Z. Shao et al., "DeepSeekMath" (2024), eq. (3) and after it, for groups; J. Liu et al., "Flow-GRPO"
    (2025), whose code has the deviation of the batch as an option; A. Ahmadian et al., "Back to Basics: Revisiting
    REINFORCE Style Optimization" (2024), eq. (8), for rloo.

    Args:
        rewards: `(prompt, sample)`, two or more samples a prompt.
        kind: See above.
        baseline: `(prompt,)`, for `value`.
        limit: Largest size.

    Returns:
        `(prompt, sample)`.

    Raises:
        SpecError: There is no such kind, a prompt has one sample only, or the baseline is missing.
    """
    if rewards.ndim != 2 or rewards.shape[1] < 2:
        raise SpecError(f"rewards of shape {tuple(rewards.shape)}; give (prompt, sample) with 2 or more samples")
    centred = rewards - rewards.mean(dim=1, keepdim=True)
    if kind == "grpo_group":
        found = centred / rewards.std(dim=1, keepdim=True, correction=0).clamp(min=_FLOOR)
    elif kind == "grpo_global":
        found = centred / rewards.std(correction=0).clamp(min=_FLOOR)
    elif kind == "rloo":
        count = rewards.shape[1]
        found = centred * (count / (count - 1))
    elif kind == "value":
        if baseline is None or baseline.shape != rewards.shape[:1]:
            raise SpecError("advantages by value need a baseline of each prompt: give what RunningBaseline expects")
        found = rewards - baseline[:, None]
    else:
        raise SpecError(f"no advantage {kind!r}; choose one of grpo_group, grpo_global, rloo, value")
    return found.clamp(-limit, limit)


def groups_with_spread(rewards: Tensor) -> Tensor:
    """Return which prompts' samples differ in reward `(prompt,)` bool: others say nothing and are left out.

    Args:
        rewards: `(prompt, sample)`.
    """
    return (rewards.amax(dim=1) - rewards.amin(dim=1)) > _FLOOR


def best_and_worst(rewards: Tensor, count: int) -> Tensor:
    """Return the places of each group's best and worst samples `(prompt, 2 count)`, best first.

    Args:
        rewards: `(prompt, sample)`.
        count: How many of each; at most half a group.

    Raises:
        SpecError: The group is too small.
    """
    if not 1 <= count <= rewards.shape[1] // 2:
        raise SpecError(f"{count} best and worst of {rewards.shape[1]} samples; give 1 … {rewards.shape[1] // 2}")
    order = rewards.argsort(dim=1, descending=True, stable=True)
    return torch.cat([order[:, :count], order[:, -count:]], dim=1)


def shuffled(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return the same numbers in another place, over all prompts and samples: what a control arm learns from.

    Args:
        values: Advantages of any shape.
        generator: On the CPU.
    """
    order = torch.randperm(values.numel(), generator=generator).to(values.device)
    return values.flatten()[order].reshape(values.shape)


class RunningBaseline:
    """What to expect of a prompt: a running mean of its rewards in earlier iterations.

    Of a prompt that never came it expects the mean over those that did, and before there is any, 0. It learns after it
    was asked, so that a sample's own reward never is in what it is compared with.

    Args:
        kept: Share of the mean that a new iteration keeps.
    """

    def __init__(self, *, kept: float = 0.8) -> None:
        self._kept = kept
        self._means: dict[str, float] = {}

    def expected(self, prompts: Sequence[str]) -> Tensor:
        """Return `(prompt,)`."""
        known = self._means
        others = sum(known.values()) / len(known) if known else 0.0
        return torch.tensor([known.get(prompt, others) for prompt in prompts])

    def update(self, prompts: Sequence[str], rewards: Tensor) -> None:
        """Take in the rewards `(prompt, sample)` of an iteration."""
        for prompt, mean in zip(prompts, rewards.mean(dim=1).tolist(), strict=True):
            before = self._means.get(prompt, mean)
            self._means[prompt] = self._kept * before + (1.0 - self._kept) * mean

    def state_dict(self) -> dict[str, float]:
        """Return its means."""
        return dict(self._means)

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on from what `state_dict` returned."""
        self._means = dict(state)
