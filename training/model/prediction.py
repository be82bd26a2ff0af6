"""What other models predict, as velocities: v-prediction under a variance-preserving schedule."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

__all__ = ["VariancePreserving", "schedule_positions", "variance_preserving", "velocity_from_v_prediction"]


@dataclass(frozen=True, kw_only=True, slots=True)
class VariancePreserving:
    """A sample of the straight path, scaled to z = a x₀ + s ε with a² + s² = 1.

    Attributes:
        sample: z, of the shape of x_t.
        signal: a = (1 − t)/n with n = √((1 − t)² + t²), `(batch, 1, …)`.
        noise: s = t/n.
    """

    sample: Tensor
    signal: Tensor
    noise: Tensor


def variance_preserving(x_t: Tensor, t: Tensor) -> VariancePreserving:
    """Return z = x_t/n, n = √((1 − t)² + t²): the same sample as a variance-preserving model sees it.

    Args:
        x_t: (1 − t) x₀ + t ε, `(batch, …)`.
        t: `(batch,)` in 0 … 1.
    """
    times = t.reshape(-1, *[1] * (x_t.ndim - 1)).float()
    length = torch.sqrt((1 - times) ** 2 + times**2)
    return VariancePreserving(sample=x_t / length, signal=(1 - times) / length, noise=times / length)


def velocity_from_v_prediction(prediction: Tensor, state: VariancePreserving) -> Tensor:
    """Return u = ε − x₀ from v = a ε − s x₀: x₀ = a z − s v and ε = s z + a v, so u = (s − a) z + (a + s) v.

    Args:
        prediction: v, of the shape of z.
        state: z, a and s.

    **Source**: T. Salimans, J. Ho, "Progressive Distillation" (2022), appendix D, for v; the rest is algebra.
    """
    signal, noise = state.signal, state.noise
    return (noise - signal) * state.sample + (signal + noise) * prediction


def schedule_positions(t: Tensor, alphas_cumprod: Tensor) -> Tensor:
    """Return the step, not rounded, at which a schedule has the ratio of noise to signal that flow time t has.

    Step k has √ᾱ and √(1 − ᾱ), which is flow time √(1 − ᾱ)/(√ᾱ + √(1 − ᾱ)); between steps time is interpolated, and
    outside of the schedule its nearest step is taken.

    Args:
        t: `(batch,)` in 0 … 1.
        alphas_cumprod: ᾱ `(step,)`, falling.

    Returns:
        `(batch,)` float32 in 0 … steps − 1.
    """
    signal = np.sqrt(alphas_cumprod.double().cpu().numpy())
    noise = np.sqrt(1 - signal**2)
    steps = np.interp(t.detach().double().cpu().numpy(), noise / (signal + noise), np.arange(len(signal)))
    return torch.from_numpy(steps).to(device=t.device, dtype=torch.float32)
