"""The preference loss: what is right is to lose less error than what is wrong, each against a reference model."""

import torch.nn.functional as functional
from torch import Tensor

from simfactory.errors import SpecError
from training.precision import at_least_single

__all__ = ["dpo_loss"]


def dpo_loss(
    winner: Tensor, loser: Tensor, *, reference_winner: Tensor, reference_loser: Tensor, beta: float
) -> Tensor:
    """Return the mean over pairs of −log σ(−(β/2) [(e(w) − e_ref(w)) − (e(l) − e_ref(l))]).

    e is the mean squared error of the velocity (`flow_matching_errors`), at the same time and noise for all four. The
    loss is log 2 where the model is the reference, or β is 0.

    **Source**: B. Wallace et al., "Diffusion Model Alignment Using Direct Preference Optimization" (2024), eq. (14);
    with velocities J. Liu et al., "Improving Video Generation with Human Feedback" (2025), Flow-DPO with a constant β.

    Args:
        winner: e(w) `(pair,)` of the trained model.
        loser: e(l) `(pair,)` of it.
        reference_winner: e_ref(w) `(pair,)`.
        reference_loser: e_ref(l) `(pair,)`.
        beta: β ≥ 0.

    Returns:
        A scalar in at least float32.

    Raises:
        SpecError: The shapes differ, there is no pair, or β is negative.
    """
    shapes = [tuple(errors.shape) for errors in (winner, loser, reference_winner, reference_loser)]
    if len(set(shapes)) > 1 or len(shapes[0]) != 1 or not shapes[0][0]:
        raise SpecError(f"errors of pairs have shapes {shapes}; allowed are four of one shape (pair,), 1 pair or more")
    if not beta >= 0.0:
        raise SpecError(f"beta is {beta}; give 0 or more")
    gained = at_least_single(winner) - at_least_single(reference_winner)
    lost = at_least_single(loser) - at_least_single(reference_loser)
    return functional.softplus(0.5 * beta * (gained - lost)).mean()
