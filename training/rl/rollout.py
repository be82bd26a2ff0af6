"""Rollouts: clips sampled step by step, with every state on the way and the probability of each step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, final

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.sde import SAMPLERS, Reduction, SamplerName

__all__ = ["Exploration", "Rollout", "roll_out"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Exploration:
    """How a policy tries things.

    Attributes:
        sampler: One of `training.sde.SAMPLERS`.
        noise_level: Of the sampler.
        reduction: Of log-probabilities over dimensions.
    """

    sampler: SamplerName = "exact"
    noise_level: float = 0.7
    reduction: Reduction = "mean"


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Rollout:
    """Samples, from noise to data; without graphs.

    Attributes:
        times: `(step + 1,)`, from 1 to 0.
        states: x at each time `(step + 1, sample, …)`.
        log_probabilities: Of each step but the last, which has none `(step − 1, sample)`.
    """

    times: Tensor
    states: Tensor
    log_probabilities: Tensor

    @property
    def clean(self) -> Tensor:
        """What was sampled `(sample, …)`."""
        return self.states[-1]

    @property
    def trainable_count(self) -> int:
        """Steps that have a probability: the first ones, 0 … this − 1."""
        return len(self.log_probabilities)

    def chosen(self, samples: Tensor) -> Self:
        """Return some of the samples, by their places `(chosen,)`."""
        return type(self)(
            times=self.times, states=self.states[:, samples], log_probabilities=self.log_probabilities[:, samples]
        )


@torch.no_grad()
def roll_out(
    velocity: Callable[[Tensor, Tensor], Tensor],
    noise: Tensor,
    times: Tensor,
    *,
    exploration: Exploration,
    generator: torch.Generator | None = None,
) -> Rollout:
    """Sample from noise, and keep what happened on the way.

    Args:
        velocity: From x `(sample, …)` and t `(sample,)` to u of the shape of x.
        noise: x at the first time.
        times: `(step + 1,)`, falling from 1 to 0, with 2 or more steps; see `time_grid`.
        exploration: How.
        generator: Of the steps' noise; on the device of `noise`.

    Raises:
        SpecError: There are fewer than two steps, or they do not end at 0.
    """
    if len(times) < 3 or float(times[-1]) != 0.0:
        raise SpecError(f"times {times.tolist()}; give two steps or more that end at 0")
    states, told = [noise], []
    for now, following in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        x = states[-1]
        step = SAMPLERS[exploration.sampler](
            x,
            velocity(x, torch.full((len(x),), now, device=x.device)),
            now,
            following,
            noise_level=exploration.noise_level,
            generator=generator,
            reduction=exploration.reduction,
        )
        states.append(step.sample)
        if step.log_probability is not None:
            told.append(step.log_probability)
    return Rollout(times=times, states=torch.stack(states), log_probabilities=torch.stack(told))
