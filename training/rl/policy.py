"""The policy's objective: clipped ratios times advantages, less the divergence from a reference."""

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from training.rl.rollout import Exploration, Rollout
from training.sde import Reduction, step_of_sample

__all__ = ["PolicyTerms", "chosen_steps", "clipped_objective", "gaussian_divergence", "policy_terms"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyTerms:
    """What a step of sampling says of the policy, each `(sample,)`.

    Attributes:
        objective: To be made large, with a graph.
        clipped: Whether the ratio was clipped, so that it has no gradient.
        ratio: π/π_old, without a graph.
        divergence: KL(π ‖ reference), with a graph; 0 without a reference.
    """

    objective: Tensor
    clipped: Tensor
    ratio: Tensor
    divergence: Tensor


def clipped_objective(
    log_probability: Tensor, old_log_probability: Tensor, advantage: Tensor, *, clip: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return min(r A, clip(r, 1 ± ε) A), whether its gradient is cut, and r = π/π_old; each of the shape given.

    **Source**: J. Schulman et al., "Proximal Policy Optimization Algorithms" (2017), eq. (7); Phys4D, eq. (36), (37).

    Args:
        log_probability: log π of what was done, with a graph.
        old_log_probability: log π_old, of the policy that did it.
        advantage: A.
        clip: ε > 0.
    """
    ratio = (log_probability - old_log_probability).exp()
    free, held = ratio * advantage, ratio.clamp(1.0 - clip, 1.0 + clip) * advantage
    return torch.minimum(free, held), held < free, ratio.detach()


def gaussian_divergence(
    mean: Tensor, reference_mean: Tensor, deviation: Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    """Return KL(N(μ, σ²) ‖ N(μ_ref, σ²)) = (μ − μ_ref)²/(2 σ²) `(sample,)`: exact, for both have the step's σ.

    **Source**: J. Liu et al., "Flow-GRPO" (2025), §4.1.

    Args:
        mean: μ `(sample, …)`.
        reference_mean: μ_ref of the same shape.
        deviation: σ > 0, broadcastable.
        reduction: Over all axes but the first.
    """
    terms = 0.5 * ((mean - reference_mean) / deviation).square().reshape(len(mean), -1)
    return terms.mean(dim=1) if reduction == "mean" else terms.sum(dim=1)


def policy_terms(
    velocity: Tensor,
    rollout: Rollout,
    step: int,
    advantage: Tensor,
    *,
    exploration: Exploration,
    clip: float,
    reference_velocity: Tensor | None = None,
) -> PolicyTerms:
    """Return what one step of a rollout says of the policy whose velocity is given.

    Args:
        velocity: At `rollout.states[step]` and `rollout.times[step]`, with a graph.
        rollout: What the old policy did.
        step: One that has a probability.
        advantage: Of each sample `(sample,)`.
        exploration: How the rollout was made.
        clip: ε, see `clipped_objective`.
        reference_velocity: The reference's at the same place; None = no divergence is asked for.
    """
    states, times = rollout.states, rollout.times
    now, following = float(times[step]), float(times[step + 1])

    def asked(slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        found = step_of_sample(
            states[step + 1],
            states[step],
            slope,
            now,
            following,
            sampler=exploration.sampler,
            noise_level=exploration.noise_level,
            reduction=exploration.reduction,
        )
        assert found.log_probability is not None  # trainable steps have noise
        return found.log_probability, found.mean, found.deviation

    told, mean, deviation = asked(velocity)
    objective, clipped, ratio = clipped_objective(told, rollout.log_probabilities[step], advantage, clip=clip)
    divergence = torch.zeros_like(objective)
    if reference_velocity is not None:
        _, wanted, _ = asked(reference_velocity.detach())
        divergence = gaussian_divergence(mean, wanted, deviation, reduction=exploration.reduction)
    return PolicyTerms(objective=objective, clipped=clipped, ratio=ratio, divergence=divergence)


def chosen_steps(count: int, share: float, generator: torch.Generator) -> tuple[int, ...]:
    """Return which steps of sampling are trained on, in their order: a share of them, rounded up, drawn at random.

    Args:
        count: Steps that have a probability.
        share: In (0, 1].
        generator: On the CPU.
    """
    wanted = max(1, math.ceil(share * count - 1e-9))
    return tuple(sorted(torch.randperm(count, generator=generator)[:wanted].tolist()))
