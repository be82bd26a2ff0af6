"""Noising: the straight path between data and noise, its conversions, and timesteps of its high-noise end.

t = 0 is data and t = 1 is noise: x_t = (1 − t) x₀ + t ε, with velocity u = dx_t/dt = ε − x₀.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.precision import at_least_single

__all__ = [
    "clean_from_velocity",
    "noise_from_velocity",
    "noised",
    "preserving_sample",
    "preserving_step",
    "sample_times",
    "standardised",
    "velocity_from_residual",
    "velocity_from_v_prediction",
    "velocity_target",
]


def noised(clean: Tensor, noise: Tensor, time: Tensor | float) -> Tensor:
    """Return x_t = (1 − t) x₀ + t ε.

    **Source**: Phys4D, eq. (3), with the time axis of Wan and of diffusers' FlowMatchEuler (noise at t = 1).

    Args:
        clean: x₀ `(batch, …)`.
        noise: ε, standard normal, of the same shape.
        time: t in [0, 1]: one number, or a shape that is a prefix of x₀'s, such as `(batch,)`.

    Returns:
        x_t, in the shape and dtype of `clean`.

    Raises:
        SpecError: The shapes do not fit.
    """
    _same_shape(clean, noise)
    start, end = at_least_single(clean), at_least_single(noise)
    return torch.lerp(start, end.to(start.dtype), _over(time, start)).to(clean.dtype)


def velocity_target(clean: Tensor, noise: Tensor) -> Tensor:
    """Return u = ε − x₀, what a flow-matching model is to predict at any t.

    **Source**: Phys4D, eq. (2).

    Args:
        clean: x₀ of any shape.
        noise: ε of the same shape.

    Raises:
        SpecError: The shapes differ.
    """
    _same_shape(clean, noise)
    return noise - clean


def clean_from_velocity(noisy: Tensor, velocity: Tensor, time: Tensor | float) -> Tensor:
    """Return the model's estimate x̂₀ = x_t − t v of the data.

    Args:
        noisy: x_t `(batch, …)`.
        velocity: v of the same shape.
        time: t, as for `noised`.

    Raises:
        SpecError: The shapes do not fit.
    """
    return _along(noisy, velocity, time, backwards=True)


def noise_from_velocity(noisy: Tensor, velocity: Tensor, time: Tensor | float) -> Tensor:
    """Return the model's estimate ε̂ = x_t + (1 − t) v of the noise.

    Args:
        noisy: x_t `(batch, …)`.
        velocity: v of the same shape.
        time: t, as for `noised`.

    Raises:
        SpecError: The shapes do not fit.
    """
    return _along(noisy, velocity, time, backwards=False)


def preserving_sample(noisy: Tensor, time: Tensor | float) -> Tensor:
    """Return what a variance-preserving model is to be shown where the straight path is at x_t.

    Such a model knows x = α x₀ + σ ε with α² + σ² = 1. At α = (1 − t)/n, σ = t/n, n = √((1 − t)² + t²), this is x_t/n:
    the same mixture on another scale.

    Args:
        noisy: x_t `(batch, …)`.
        time: t, as for `noised`.
    """
    wide = at_least_single(noisy)
    clean_share, noise_share = _preserving_shares(_over(time, wide))
    return (wide * (clean_share + noise_share)).to(noisy.dtype)


def velocity_from_v_prediction(noisy: Tensor, v_prediction: Tensor, time: Tensor | float) -> Tensor:
    """Return the velocity ε̂ − x̂₀ of a model that predicts v = α ε − σ x₀ of `preserving_sample`.

    From x̂₀ = α x − σ v and ε̂ = σ x + α v follows ε̂ − x̂₀ = (σ − α) x + (σ + α) v.

    **Source**: T. Salimans, J. Ho, "Progressive distillation for fast sampling of diffusion models" (2022), appendix D,
    for v; CogVideoX predicts it.

    Args:
        noisy: x_t of the straight path `(batch, …)`, not the rescaled sample the model saw.
        v_prediction: v, the model's output for it, of the same shape.
        time: t, as for `noised`.

    Raises:
        SpecError: The shapes do not fit.
    """
    _same_shape(noisy, v_prediction)
    wide = at_least_single(noisy)
    clean_share, noise_share = _preserving_shares(_over(time, wide))
    total = clean_share + noise_share
    return (((noise_share - clean_share) * wide + v_prediction) * total).to(noisy.dtype)


def standardised(noisy: Tensor, time: Tensor | float, *, mean: Tensor | float, deviation: float) -> Tensor:
    """Return (x_t − (1 − t) μ)/√D with D = (1 − t)² σ² + t²: x_t of data around μ, with mean 0 and variance 1.

    **Source**: T. Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models" (2022), table 1
    and appendix B.6 (c_in), with a mean and on the straight path.

    Args:
        noisy: x_t `(batch, …)`.
        time: t, as for `noised`.
        mean: μ, what is expected of the data before anything else is known, broadcastable to `noisy`.
        deviation: σ > 0, how far the data is from it.
    """
    wide = at_least_single(noisy)
    moment = _over(time, wide)
    return ((wide - (1.0 - moment) * mean) / _spread(moment, deviation)).to(noisy.dtype)


def velocity_from_residual(
    noisy: Tensor, residual: Tensor, time: Tensor | float, *, mean: Tensor | float, deviation: float
) -> Tensor:
    """Return the velocity of a model that says only what the mean and x_t alone do not.

    The best linear estimate of data with mean μ and deviation σ is μ + (1 − t) σ²/D (x_t − (1 − t) μ), and it misses by
    σ t/√D: the model puts out what is missing, in these units, F. From u = (x_t − x̂₀)/t follows
    u = ((t − (1 − t) σ²) x_t − t μ)/D − σ/√D F, which is finite at t = 0 too.

    **Source**: T. Karras et al. (2022), table 1 and appendix B.6 (c_skip, c_out), with a mean and on the straight path.

    Args:
        noisy: x_t `(batch, …)`.
        residual: F, the model's output for it, of the same shape; 0 is the linear estimate.
        time: t, as for `noised`.
        mean: μ, as for `standardised`.
        deviation: σ > 0.

    Raises:
        SpecError: The shapes do not fit.
    """
    _same_shape(noisy, residual)
    wide = at_least_single(noisy)
    moment = _over(time, wide)
    spread = _spread(moment, deviation)
    known = ((moment - (1.0 - moment) * deviation**2) * wide - moment * mean) / spread**2
    return (known - deviation / spread * residual).to(noisy.dtype)


def preserving_step(time: Tensor, clean_variance: Tensor) -> Tensor:
    """Return the step of a variance-preserving schedule that mixes data and noise as the straight path does at t.

    The step's t is σ/(α + σ), α² = `clean_variance`; between two steps it is interpolated, for such models embed
    fractional steps as well. Times outside the schedule get its first or last step.

    Args:
        time: t of any shape.
        clean_variance: `(step,)` ᾱ of the schedule, falling (diffusers: `scheduler.alphas_cumprod`).

    Returns:
        Steps, in the shape of `time`, between 0 and the number of steps − 1.

    Raises:
        SpecError: The schedule does not fall, or has fewer than two steps.
    """
    schedule = clean_variance.double()
    if schedule.ndim != 1 or len(schedule) < 2 or not bool((schedule[1:] < schedule[:-1]).all()):
        raise SpecError(
            f"a schedule of shape {tuple(schedule.shape)} was given; allowed are two or more falling variances in one "
            "row: pass the scheduler's alphas_cumprod"
        )
    noise_scale = (1.0 - schedule).clamp(min=0.0).sqrt()
    known = noise_scale / (schedule.clamp(min=0.0).sqrt() + noise_scale)
    wanted = time.double().clamp(known[0], known[-1]).contiguous()
    right = torch.searchsorted(known, wanted).clamp(1, len(known) - 1)
    share = (wanted - known[right - 1]) / (known[right] - known[right - 1])
    return (right - 1 + share).to(at_least_single(time).dtype)


def sample_times(
    shape: int | Sequence[int],
    *,
    lowest: float = 0.0,
    shift: float = 1.0,
    power: float = 1.0,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """Draw times from the high-noise window [t_hi, 1].

    Without a window t = s w / (1 + (s − 1) w), w = u^(1/k), with u uniform in [0, 1]: shift s = 1 and power k = 1 are
    uniform; more of either prefers noise. With s = 1 times have the density k t^(k − 1), and at k = 3 the squared error
    of a velocity is on average that of the data that it leads to, (x̂₀ − x₀)² = t² (v − u)², at uniform times.
    The window conditions this law on t ≥ t_hi, by drawing u from [u(t_hi), 1]; nothing piles up at its edge.

    **Source**: Phys4D, §5.3 (the high-noise regime is fine-tuned); P. Esser et al., "Scaling rectified flow
    transformers for high-resolution image synthesis" (2024), eq. (23), for the shift.

    Args:
        shape: Of the result; a number n means `(n,)`.
        lowest: t_hi, in [0, 1).
        shift: s > 0.
        power: k > 0.
        generator: Where randomness comes from; None = torch's own.
        device: Where the result is; None = the generator's device, or the CPU.

    Returns:
        float32 times in [t_hi, 1].

    Raises:
        SpecError: The window, the shift or the power is outside its range.
    """
    if not 0.0 <= lowest < 1.0 or not shift > 0.0 or not power > 0.0:
        raise SpecError(
            f"the window begins at {lowest} with shift {shift} and power {power}; allowed are 0 <= t_hi < 1, a "
            "positive shift and a positive power"
        )
    size = (shape,) if isinstance(shape, int) else tuple(shape)
    where = device if device is not None else "cpu" if generator is None else generator.device
    first = (lowest / (shift - (shift - 1.0) * lowest)) ** power
    # 1 − rand lies in (0, 1]: pure noise can be drawn, which sampling starts from; the window's edge cannot.
    drawn = 1.0 - torch.rand(size, generator=generator, device=where)
    share = torch.pow(first + (1.0 - first) * drawn, 1.0 / power)
    return (shift * share / (1.0 + (shift - 1.0) * share)).clamp(lowest, 1.0)


def _along(noisy: Tensor, velocity: Tensor, time: Tensor | float, *, backwards: bool) -> Tensor:
    """Return the end of the straight line through x_t: at t = 0 if backwards, else at t = 1."""
    _same_shape(noisy, velocity)
    wide = at_least_single(noisy)
    moment = _over(time, wide)
    return (wide - moment * velocity if backwards else wide + (1.0 - moment) * velocity).to(noisy.dtype)


def _preserving_shares(time: Tensor) -> tuple[Tensor, Tensor]:
    length = torch.hypot(1.0 - time, time)
    return (1.0 - time) / length, time / length


def _spread(time: Tensor, deviation: float) -> Tensor:
    """Return the deviation of x_t, √((1 − t)² σ² + t²)."""
    return torch.hypot((1.0 - time) * deviation, time)


def _over(time: Tensor | float, values: Tensor) -> Tensor:
    """Return times with as many trailing axes of length 1 as `values` has more, so that they broadcast."""
    if not isinstance(time, Tensor):
        return values.new_tensor(time)
    if time.shape != values.shape[: time.ndim]:
        raise SpecError(
            f"times of shape {tuple(time.shape)} come with values of shape {tuple(values.shape)}; allowed is one time, "
            "or one for each entry of the leading axes"
        )
    wide = time.to(device=values.device, dtype=values.dtype)
    return wide.reshape(*time.shape, *(1,) * (values.ndim - time.ndim))


def _same_shape(one: Tensor, other: Tensor) -> None:
    if one.shape != other.shape:
        raise SpecError(f"shapes {tuple(one.shape)} and {tuple(other.shape)} differ; allowed are equal ones")
