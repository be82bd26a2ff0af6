"""Pictures of all directions in latitude and longitude: their geometry, blur for rough mirrors, sampling tables.

Row 0 is the zenith; column 0 begins at the azimuth +π, columns run clockwise seen from above, the middle is +x.
"""

import functools
import math

import numpy as np
import numpy.typing as npt

__all__ = ["directions", "distribution", "prefiltered", "reduced", "solid_angles"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

UNIFORM_SHARE = 0.1  # of the samples: where a cell is dark its bright texels are still found


def directions(height: int, width: int) -> Float64:
    """Return the unit vectors `(height, width, 3)` through the texels' centres."""
    polar = (np.arange(height) + 0.5) * (math.pi / height)
    azimuth = math.pi - (np.arange(width) + 0.5) * (2.0 * math.pi / width)
    ring = np.sin(polar)[:, None]
    up = np.broadcast_to(np.cos(polar)[:, None], (height, width))
    return np.stack([ring * np.cos(azimuth), ring * np.sin(azimuth), up], axis=-1)


def solid_angles(height: int, width: int) -> Float64:
    """Return the solid angle [sr] of a texel of each row `(height,)`."""
    edges = np.cos(np.linspace(0.0, math.pi, height + 1))
    return -np.diff(edges) * (2.0 * math.pi / width)


def reduced(radiance: Float64, height: int, width: int) -> Float64:
    """Return a picture `(height, width, 3)` that sends the same light; the size must divide the given one's."""
    rows, columns = radiance.shape[0] // height, radiance.shape[1] // width
    weight = solid_angles(*radiance.shape[:2])[:, None, None]
    blocks = (radiance * weight).reshape(height, rows, width, columns, 3).sum(axis=(1, 3))
    return np.asarray(blocks / (columns * weight.reshape(height, rows).sum(axis=1)[:, None, None]))


@functools.lru_cache(maxsize=8)
def _lobe(height: int, width: int, power: float) -> npt.NDArray[np.complex128]:
    """Return a cosine lobe's weights by turn, row and row, transformed along the azimuth `(frequency, row, row)`.

    Each row is scaled so that the lobe's weights sum to 1.
    """
    polar = (np.arange(height) + 0.5) * (math.pi / height)
    turn = np.arange(width) * (2.0 * math.pi / width)
    level = np.cos(polar)[:, None] * np.cos(polar)
    ring = np.sin(polar)[:, None] * np.sin(polar)
    cosine = np.maximum(level[..., None] + ring[..., None] * np.cos(turn), 0.0)
    weights = cosine**power * solid_angles(height, width)[None, :, None]
    weights /= weights.sum(axis=(1, 2), keepdims=True)
    return np.ascontiguousarray(np.moveaxis(np.fft.rfft(weights, axis=-1), -1, 0))


def prefiltered(radiance: Float64, *, roughness: float) -> Float64:
    """Return a picture `(height, width, 3)` as rough surfaces mirror it: averaged by a lobe about each direction.

    The lobe is cosᵖ with p = (2/α² − 2) / 4, α = roughness², as in the procedural sky. It depends on azimuths through
    their difference alone, so that the sum over them is a product of Fourier transforms.

    Source: B. Karis, "Real shading in Unreal Engine 4" (2013), with the Blinn–Phong exponent of a GGX lobe.
    """
    height, width = radiance.shape[:2]
    power = max((2.0 / roughness**4 - 2.0) / 4.0, 1.0)
    spectrum = np.moveaxis(np.fft.rfft(radiance, axis=1), 1, 0)
    # The lobe is symmetric in the turn, so its transform is real up to rounding.
    blurred = np.moveaxis(_lobe(height, width, power).real @ spectrum, 0, 1)
    return np.asarray(np.maximum(np.fft.irfft(blurred, n=width, axis=1), 0.0))


def distribution(luminance: Float64) -> tuple[Float32, Float32]:
    """Return cumulative tables that choose a cell in proportion to its light.

    Args:
        luminance: Mean luminance of each cell `(height, width)`.

    Returns:
        Cumulative probability of the rows `(height + 1,)`, and of the cells in each row `(height, width + 1)`.

    Source: M. Pharr, W. Jakob, G. Humphreys, "Physically Based Rendering", 3rd ed. (2016), section 14.2.4.
    """
    height, width = luminance.shape
    area = np.broadcast_to(solid_angles(height, width)[:, None], luminance.shape)
    light = luminance * area
    share = light / max(float(light.sum()), 1e-30)
    share = (1.0 - UNIFORM_SHARE) * share + UNIFORM_SHARE * area / (4.0 * math.pi)
    rows = share.sum(axis=1)
    return _cumulative(rows / rows.sum()), _cumulative(share / rows[:, None])


def _cumulative(probability: Float64) -> Float32:
    """Return running sums with a leading 0 along the last axis, ending in exactly 1."""
    total = np.cumsum(probability, axis=-1)
    total[..., -1] = 1.0
    return np.concatenate([np.zeros_like(total[..., :1]), total], axis=-1).astype(np.float32)
