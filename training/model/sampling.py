"""Deterministic sampling: Euler steps from noise to a clip, with a first frame and guidance."""

from collections.abc import Callable

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.model.backbone import Backbone

__all__ = ["euler_integrate", "guided_velocity", "sample_latents", "sample_video", "time_grid"]


def time_grid(step_count: int, *, shift: float = 1.0) -> Tensor:
    """Return times from 1 (noise) to 0 (data): t = σ τ / (1 + (σ − 1) τ) of evenly spaced τ.

    Args:
        step_count: Steps; one less than times.
        shift: σ > 0; above 1 more of the steps are spent at high noise, as large clips need it.

    Returns:
        `(step_count + 1,)` float32, falling.

    Raises:
        SpecError: There is no step, or the shift is not positive.

    **Source**: P. Esser et al., "Scaling Rectified Flow Transformers" (2024), eq. (23).
    """
    if step_count < 1 or not shift > 0:
        raise SpecError(f"{step_count} steps with shift {shift}; allowed are 1 or more steps and a positive shift")
    # In double precision, so that the first time is 1 when it is rounded.
    even = torch.linspace(1.0, 0.0, step_count + 1, dtype=torch.float64)
    return (shift * even / (1 + (shift - 1) * even)).float()


def euler_integrate(velocity: Callable[[Tensor, Tensor], Tensor], noise: Tensor, times: Tensor) -> Tensor:
    """Return x at the last time: x ← x + (t′ − t) u(x, t) from the first on.

    Args:
        velocity: From x `(batch, …)` and t `(batch,)` to u of the shape of x.
        noise: x at the first time.
        times: `(step + 1,)`.
    """
    x = noise
    for now, following in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        x = x + (following - now) * velocity(x, torch.full((len(x),), now, device=x.device))
    return x


def guided_velocity(
    backbone: Backbone,
    x_t: Tensor,
    t: Tensor,
    *,
    first_frame: Tensor | None,
    text: Tensor,
    null_text: Tensor,
    guidance: float,
) -> Tensor:
    """Return u₀ + g (u − u₀), u₀ the velocity without a prompt.

    Args:
        backbone: The model.
        x_t: Noisy latents `(batch, channel, time, height, width)`.
        t: `(batch,)` in 0 … 1.
        first_frame: What `Backbone.encode_first_frame` returned, or None.
        text: Embeddings of the prompts.
        null_text: Embeddings of empty prompts, of the same shape.
        guidance: g; 1 = as the model was trained, for which the model is called only once.

    **Source**: J. Ho, T. Salimans, "Classifier-Free Diffusion Guidance" (2022), eq. (6).
    """
    prompted: Tensor = backbone(x_t, t, first_frame=first_frame, text=text)
    if guidance == 1:
        return prompted
    free: Tensor = backbone(x_t, t, first_frame=first_frame, text=null_text)
    return free + guidance * (prompted - free)


@torch.no_grad()
def sample_latents(
    backbone: Backbone,
    noise: Tensor,
    *,
    first_frame: Tensor | None,
    text: Tensor,
    null_text: Tensor | None = None,
    guidance: float = 1.0,
    step_count: int = 30,
    shift: float = 1.0,
) -> Tensor:
    """Return latents that the model makes of noise; the same noise gives the same latents.

    Args:
        backbone: The model.
        noise: Standard normal, `(batch, channel, time, height, width)`.
        first_frame: What `Backbone.encode_first_frame` returned, or None.
        text: Embeddings of the prompts.
        null_text: Embeddings of empty prompts; None = those of "".
        guidance: See `guided_velocity`.
        step_count: Euler steps.
        shift: See `time_grid`.

    Raises:
        SpecError: There is no step, or the shift is not positive.
    """
    if null_text is None:
        null_text = backbone.encode_text([""] * len(noise)) if guidance != 1 else text

    def velocity(x: Tensor, t: Tensor) -> Tensor:
        return guided_velocity(
            backbone, x, t, first_frame=first_frame, text=text, null_text=null_text, guidance=guidance
        )

    return euler_integrate(velocity, noise, time_grid(step_count, shift=shift))


@torch.no_grad()
def sample_video(
    backbone: Backbone,
    *,
    prompts: list[str],
    frame_count: int,
    size: tuple[int, int],
    first_frame: Tensor | None = None,
    seed: int = 0,
    guidance: float = 1.0,
    step_count: int = 30,
    shift: float = 1.0,
) -> Tensor:
    """Return videos of prompts and first frames.

    Args:
        backbone: The model.
        prompts: One for each video.
        frame_count: Frames.
        size: Rows and columns [px].
        first_frame: `(batch, 3, height, width)` in −1 … 1, or None.
        seed: Of the noise, which is drawn on the CPU: the same on every device.
        guidance: See `guided_velocity`.
        step_count: Euler steps.
        shift: See `time_grid`.

    Returns:
        `(batch, 3, frame, height, width)` in −1 … 1.

    Raises:
        SpecError: The model cannot make clips of this size, or a number is out of its range.
    """
    latent_shape = backbone.shape.grid.latent_shape(frame_count, *size)
    reference = next(backbone.parameters())
    noise = torch.randn(
        len(prompts), backbone.shape.latent_channels, *latent_shape, generator=torch.Generator().manual_seed(seed)
    )
    condition = None
    if first_frame is not None:
        condition = backbone.encode_first_frame(first_frame.to(reference), frame_count=frame_count)
    latents = sample_latents(
        backbone,
        noise.to(reference),
        first_frame=condition,
        text=backbone.encode_text(prompts),
        guidance=guidance,
        step_count=step_count,
        shift=shift,
    )
    return backbone.decode(latents).clamp(-1, 1)
