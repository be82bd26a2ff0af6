"""Likeness of frames to true frames: PSNR and SSIM."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import correlate1d

from simfactory.errors import SpecError
from training.evaluation._inputs import Array, Float64, need_finite, need_same_shape, numbers

__all__ = ["ImageMetrics", "image_metrics"]

WINDOW_RADIUS = 5  # [px]: an 11×11 window
WINDOW_SIGMA = 1.5  # [px]
C1 = 0.01**2
C2 = 0.03**2
CHANGE = 0.05  # of the range: more than noise and soft shadows


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageMetrics:
    """How like two clips are.

    Attributes:
        psnr: Peak signal-to-noise ratio of the whole clip [dB]; inf where the clips are the same.
        ssim: Structural similarity, mean over windows, channels and frames, −1…1 [1].
        psnr_changing: PSNR of the pixels in which the true clip has changed [dB]; NaN where none has.
    """

    psnr: float
    ssim: float
    psnr_changing: float


def image_metrics(predicted: Array, target: Array) -> ImageMetrics:
    """Measure the likeness of frames.

    PSNR = −10 log₁₀ MSE, with the MSE of the whole clip in units of the full range: a mean of the frames' PSNR would be
    infinite as soon as one frame (that on which a model is conditioned) is reproduced exactly. SSIM has a Gaussian
    window of 11×11 pixels and σ = 1.5, K₁ = 0.01, K₂ = 0.03, and counts whole windows only. A pixel of a frame has
    changed if a channel differs by more than 5 % of the range from that of the first true frame: where things move, and
    where they were. There a still frame is wrong, however little of the picture it is.

    Args:
        predicted: `(time, height, width, channel)` uint8, or colours in 0…1.
        target: The same, true; of the same type.

    Raises:
        SpecError: Shapes or types differ, colours are outside 0…1, or frames are smaller than the window.

    **Source**: Wang et al. 2004 (SSIM).
    """
    ours, theirs = _colours("predicted", predicted), _colours("target", target)
    need_same_shape("predicted", ours, "target", theirs)
    if (np.asarray(predicted).dtype == np.uint8) != (np.asarray(target).dtype == np.uint8):
        raise SpecError("one of predicted and target is uint8 and the other is not; give both in one range")
    size = 2 * WINDOW_RADIUS + 1
    if min(ours.shape[1:3]) < size or not len(ours) or not ours.shape[-1]:
        raise SpecError(f"frames have shape {ours.shape}; SSIM needs {size} pixels or more each way, and a frame")
    error = (ours - theirs) ** 2
    changing = error[(np.abs(theirs - theirs[0]) > CHANGE).any(axis=-1)]
    ssim = [float(_ssim(a, b).mean()) for a, b in zip(ours, theirs, strict=True)]
    return ImageMetrics(
        psnr=_decibels(float(error.mean())),
        ssim=float(np.mean(ssim)),
        psnr_changing=_decibels(float(changing.mean())) if len(changing) else float("nan"),
    )


def _decibels(error: float) -> float:
    return -10.0 * float(np.log10(error)) if error else float("inf")


def _colours(name: str, frames: Array) -> Float64:
    given = np.asarray(frames)
    colours = numbers(name, given, "time height width channel") / (255.0 if given.dtype == np.uint8 else 1.0)
    need_finite(name, colours, "give colours in 0…1 or uint8")
    if colours.size and (colours.min() < 0.0 or colours.max() > 1.0):
        raise SpecError(f"{name} reaches from {colours.min():g} to {colours.max():g}; give colours in 0…1 or uint8")
    return colours


def _ssim(a: Float64, b: Float64) -> Float64:
    """Return SSIM of two images `(height, width, channel)` at the centre of each whole window."""
    mean_a, mean_b = _windowed(a), _windowed(b)
    var_a, var_b = _windowed(a * a) - mean_a**2, _windowed(b * b) - mean_b**2
    covariance = _windowed(a * b) - mean_a * mean_b
    alike = (2.0 * mean_a * mean_b + C1) * (2.0 * covariance + C2)
    return np.asarray(alike / ((mean_a**2 + mean_b**2 + C1) * (var_a + var_b + C2)))


def _windowed(image: Float64) -> Float64:
    offsets = np.arange(-WINDOW_RADIUS, WINDOW_RADIUS + 1)
    weights = np.exp(-0.5 * (offsets / WINDOW_SIGMA) ** 2)
    weights /= weights.sum()
    blurred = correlate1d(correlate1d(image, weights, axis=0), weights, axis=1)
    inner = slice(WINDOW_RADIUS, -WINDOW_RADIUS)
    return np.asarray(blurred[inner, inner])
