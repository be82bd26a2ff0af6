"""Flow models as stochastic processes: sampling steps from noise to data that have a probability.

t = 1 is noise and t = 0 is data, as in `training.noising`: x̂₀ = x_t − t u and ε̂ = x_t + (1 − t) u. Each step draws from
a normal distribution around a mean that the velocity gives; all but the last, t′ = 0, which is x̂₀ itself.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.noising import clean_from_velocity, noise_from_velocity
from training.precision import at_least_single

__all__ = [
    "SAMPLERS",
    "Reduction",
    "Sampler",
    "SamplerName",
    "SdeStep",
    "cps",
    "dance",
    "exact",
    "flow_grpo",
    "log_probability",
    "step_of_sample",
]

Reduction = Literal["mean", "sum"]
SamplerName = Literal["exact", "flow_grpo", "dance", "cps"]
Time: TypeAlias = Tensor | float
Moments: TypeAlias = tuple[Tensor, Tensor]  # mean, and standard deviation that broadcasts to it


class SdeStep(NamedTuple):
    """A step and its probability.

    Attributes:
        sample: x at t′ `(batch, …)`, without a graph.
        log_probability: log p(x′ | x) `(batch,)`, the mean or the sum over all other axes; None where the step has no
            noise: the last one, and all at noise level 0. Gradients reach the velocity.
        mean: Of x′ `(batch, …)`, with a graph.
        deviation: Of x′, `(batch, 1, …)`; 0 where the step has no noise.
    """

    sample: Tensor
    log_probability: Tensor | None
    mean: Tensor
    deviation: Tensor


Sampler: TypeAlias = Callable[..., SdeStep]


def exact(
    x: Tensor,
    velocity: Tensor,
    t: Time,
    t_next: Time,
    *,
    noise_level: float,
    generator: torch.Generator | None = None,
    reduction: Reduction = "mean",
) -> SdeStep:
    """Take the frozen-posterior step x′ = (1 − t′) x̂₀ + t′ (ρ ε̂ + √(1 − ρ²) z), ρ = [t′(1 − t)/(t(1 − t′))]^(a²/2).

    It solves dx = [u + σ²/(2t) ε̂] dt + σ dw with σ = a √(t/(1 − t)) exactly while x̂₀ stays what it is: seen as ε, the
    process is stationary and forgets at the rate σ²/(2t²), whose integral is a²/2 times the log of t/(1 − t). So it is
    exact for data that is one point, and of first order otherwise. From t = 1 nothing of ε̂ is kept.

    **Source**: Phys4D, eq. (8), for the process; J. Song et al., "Denoising Diffusion Implicit Models" (2021), eq.
    (12), for steps of this form; J. Zou et al., "Precise: SDE-Consistent Stochastic Sampling for RL Post-Training of
    Flow-Matching Models" (2026), for the frozen posterior.

    Args:
        x: x_t `(batch, …)`.
        velocity: u of the same shape.
        t: In (0, 1]: one number, or `(batch,)`.
        t_next: t′ in [0, t), alike.
        noise_level: a ≥ 0; 0 is the Euler step.
        generator: Where z comes from, on the device of `x`; None = torch's own.
        reduction: Of the log-probability over all axes but the first.

    Raises:
        SpecError: Shapes do not fit, or times do not fall.
    """
    return _drawn(_exact, x, velocity, (t, t_next, noise_level), generator, reduction)


def flow_grpo(
    x: Tensor,
    velocity: Tensor,
    t: Time,
    t_next: Time,
    *,
    noise_level: float,
    generator: torch.Generator | None = None,
    reduction: Reduction = "mean",
) -> SdeStep:
    """Take the Euler-Maruyama step of the same process: x′ = x + [u + σ²/(2t) ε̂] (t′ − t) + σ √(t − t′) z.

    σ = a √(t/(1 − t)), with 1 − t′ in the place of 1 − t at t = 1, as its authors do. From there the step has a
    variance of t′² + a² (1 − t′) + a⁴/4 where t′² is right: a⁴/4 stays however many steps there are.

    **Source**: J. Liu et al., "Flow-GRPO: Training Flow Matching Models via Online RL" (2025), eq. (12).

    Arguments and errors as for `exact`; the last step, t′ = 0, is that of Euler, without noise.
    """
    return _drawn(_flow_grpo, x, velocity, (t, t_next, noise_level), generator, reduction)


def dance(
    x: Tensor,
    velocity: Tensor,
    t: Time,
    t_next: Time,
    *,
    noise_level: float,
    generator: torch.Generator | None = None,
    reduction: Reduction = "mean",
) -> SdeStep:
    """Take the Euler-Maruyama step of the process with constant noise, σ = η: see `flow_grpo`.

    **Source**: Z. Xue et al., "DanceGRPO: Unleashing GRPO on Visual Generation" (2025), §3.2 (σ = η, the noise level).

    Arguments and errors as for `exact`; the last step, t′ = 0, is that of Euler, without noise.
    """
    return _drawn(_dance, x, velocity, (t, t_next, noise_level), generator, reduction)


def cps(
    x: Tensor,
    velocity: Tensor,
    t: Time,
    t_next: Time,
    *,
    noise_level: float,
    generator: torch.Generator | None = None,
    reduction: Reduction = "mean",
) -> SdeStep:
    """Take the coefficient-preserving step x′ = (1 − t′) x̂₀ + t′ (cos(ηπ/2) ε̂ + sin(ηπ/2) z).

    Shares of data and of noise are 1 − t′ and t′ at any noise level, for cos² + sin² = 1; the same share of the noise
    is new in each step, so there is no process that it converges to as steps get smaller.

    **Source**: F. Wang, Z. Yu, "Coefficients-Preserving Sampling for Reinforcement Learning with Flow Matching" (2025).

    Arguments and errors as for `exact`; the noise level η is at most 1.
    """
    return _drawn(_cps, x, velocity, (t, t_next, noise_level), generator, reduction)


SAMPLERS: Mapping[SamplerName, Sampler] = MappingProxyType(
    {"exact": exact, "flow_grpo": flow_grpo, "dance": dance, "cps": cps}
)


def step_of_sample(
    sample: Tensor,
    x: Tensor,
    velocity: Tensor,
    t: Time,
    t_next: Time,
    *,
    sampler: SamplerName,
    noise_level: float,
    reduction: Reduction = "mean",
) -> SdeStep:
    """Return a given step as another velocity sees it: how probable it would have been.

    Args:
        sample: x′, drawn before.
        x: x_t that it was drawn from.
        velocity: Of the policy that is asked.
        t: As for `exact`.
        t_next: As for `exact`.
        sampler: What drew it.
        noise_level: As for `exact`.
        reduction: As for `exact`.

    Raises:
        SpecError: Shapes do not fit, times do not fall, or there is no such sampler.
    """
    if sampler not in _MOMENTS:
        raise SpecError(f"no sampler {sampler!r}; choose one of {', '.join(_MOMENTS)}")
    mean, deviation = _moments(_MOMENTS[sampler], x, velocity, (t, t_next, noise_level))
    return _step(sample.detach(), mean, deviation, reduction)


def log_probability(sample: Tensor, mean: Tensor, deviation: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Return log N(x′; μ, σ²) `(batch,)`, as the mean or the sum over all axes but the first.

    The mean is that of a dimension: ratios of it do not grow with a clip's size, so one width clips them all.

    Args:
        sample: x′ `(batch, …)`.
        mean: μ of the same shape.
        deviation: σ > 0, broadcastable to it.
        reduction: Over the other axes.

    Raises:
        SpecError: There is no such reduction.
    """
    if reduction not in ("mean", "sum"):
        raise SpecError(f"reduction={reduction!r}; choose mean or sum")
    wide = at_least_single(mean)
    scale = deviation.to(wide).expand_as(wide)
    terms = -0.5 * ((sample.to(wide) - wide) / scale).square() - scale.log() - 0.5 * math.log(2.0 * math.pi)
    flat = terms.reshape(len(terms), -1)
    return flat.mean(dim=1) if reduction == "mean" else flat.sum(dim=1)


def _drawn(
    moments: Callable[..., Moments],
    x: Tensor,
    velocity: Tensor,
    options: tuple[Time, Time, float],
    generator: torch.Generator | None,
    reduction: Reduction,
) -> SdeStep:
    mean, deviation = _moments(moments, x, velocity, options)
    noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=mean.dtype)
    return _step((mean.detach() + deviation * noise).to(x.dtype), mean, deviation, reduction)


def _step(sample: Tensor, mean: Tensor, deviation: Tensor, reduction: Reduction) -> SdeStep:
    known = bool((deviation > 0.0).any())
    told = log_probability(sample, mean, deviation, reduction=reduction) if known else None
    return SdeStep(sample=sample, log_probability=told, mean=mean, deviation=deviation)


def _moments(
    moments: Callable[..., Moments], x: Tensor, velocity: Tensor, options: tuple[Time, Time, float]
) -> Moments:
    """Return mean and deviation of a step after a look at what was given."""
    wide = at_least_single(x)
    now, following = (_column(time, wide) for time in options[:2])
    noise_level = options[2]
    if not (bool((now > following).all()) and bool((following >= 0.0).all()) and bool((now <= 1.0).all())):
        raise SpecError(f"a step from t = {options[0]} to {options[1]}; allowed is 1 ≥ t > t′ ≥ 0")
    if bool((following == 0.0).any()) and not bool((following == 0.0).all()):
        raise SpecError("some steps of the batch are last ones, t′ = 0, which have no probability: take them apart")
    if not 0.0 <= noise_level < math.inf:
        raise SpecError(f"noise_level={noise_level}; give a finite one of 0 or more")
    moment, slope = now.flatten() if now.ndim else now, velocity.to(wide)
    clean = clean_from_velocity(wide, slope, moment)
    if bool((following == 0.0).all()):
        return clean, torch.zeros_like(now)
    noise = noise_from_velocity(wide, slope, moment)
    return moments((wide, slope, clean, noise), now, following, noise_level)


def _exact(parts: tuple[Tensor, ...], t: Tensor, t_next: Tensor, noise_level: float) -> Moments:
    _, _, clean, noise = parts
    base = t_next * (1.0 - t) / (t * (1.0 - t_next))
    kept = base.pow(0.5 * noise_level**2)
    return _mixed(clean, noise, t_next, kept)


def _cps(parts: tuple[Tensor, ...], t: Tensor, t_next: Tensor, noise_level: float) -> Moments:
    if noise_level > 1.0:
        raise SpecError(f"noise_level={noise_level} of cps; allowed is 0 … 1, where all noise is new")
    _, _, clean, noise = parts
    # cos(π/2) is not quite 0 in floating point, which is no harm: it is 6e-17.
    return _mixed(clean, noise, t_next, torch.full_like(t, math.cos(0.5 * math.pi * noise_level)))


def _flow_grpo(parts: tuple[Tensor, ...], t: Tensor, t_next: Tensor, noise_level: float) -> Moments:
    left = torch.where(t >= 1.0, 1.0 - t_next, 1.0 - t)
    return _euler_maruyama(parts, t, t_next, noise_level * (t / left).sqrt())


def _dance(parts: tuple[Tensor, ...], t: Tensor, t_next: Tensor, noise_level: float) -> Moments:
    return _euler_maruyama(parts, t, t_next, torch.full_like(t, noise_level))


def _mixed(clean: Tensor, noise: Tensor, t_next: Tensor, kept: Tensor) -> Moments:
    """Return the moments of (1 − t′) x̂₀ + t′ (ρ ε̂ + √(1 − ρ²) z)."""
    # (1 − ρ)(1 + ρ) keeps its digits where ρ is close to 1.
    renewed = ((1.0 - kept) * (1.0 + kept)).clamp(min=0.0).sqrt()
    return (1.0 - t_next) * clean + t_next * kept * noise, t_next * renewed


def _euler_maruyama(parts: tuple[Tensor, ...], t: Tensor, t_next: Tensor, scale: Tensor) -> Moments:
    """Return the moments of x + [u + σ²/(2t) ε̂] (t′ − t) + σ √(t − t′) z."""
    x, velocity, _, noise = parts
    drift = velocity + scale.square() / (2.0 * t) * noise
    return x + (t_next - t) * drift, scale * (t - t_next).sqrt()


def _column(time: Time, values: Tensor) -> Tensor:
    """Return times as one number, or with as many trailing axes of length 1 as `values` has more."""
    wide = torch.as_tensor(time, dtype=values.dtype, device=values.device)
    if wide.ndim > 1 or (wide.ndim == 1 and len(wide) != len(values)):
        raise SpecError(f"times of shape {tuple(wide.shape)} for {len(values)} samples; give one, or one for each")
    return wide.reshape(*wide.shape, *(1,) * (values.ndim - 1)) if wide.ndim else wide


_MOMENTS: Mapping[SamplerName, Callable[..., Moments]] = MappingProxyType(
    {"exact": _exact, "flow_grpo": _flow_grpo, "dance": _dance, "cps": _cps}
)
