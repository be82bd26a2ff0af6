"""Values of images between pixel centres, and depth carried along optical flow."""

import numpy as np

from simfactory.errors import SpecError
from training.evaluation._inputs import Bool, Float64

__all__ = ["between_true_pixels", "bilinear", "flow_targets", "inverse_depth", "is_inside", "pixel_centres"]

ROUNDING = 1e-9  # by which weights of four neighbours may miss one


def pixel_centres(height: int, width: int) -> Float64:
    """Return `(height, width, 2)` raster positions (x, y) of pixel centres [px]."""
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([columns, rows], axis=-1)


def flow_targets(flow: Float64) -> Float64:
    """Return where a frame's pixel centres go under its flow, `(height, width, 2)` raster positions [px]."""
    return pixel_centres(*flow.shape[:2]) + flow


def is_inside(points: Float64, height: int, width: int) -> Bool:
    """Return whether raster positions `(..., 2)` lie between centres of pixels, where bilinear weights exist."""
    x, y = points[..., 0], points[..., 1]
    # NaN compares as False, so undefined flow is outside.
    return np.asarray((x >= 0.5) & (x <= width - 0.5) & (y >= 0.5) & (y <= height - 0.5))


def bilinear(image: Float64, points: Float64) -> Float64:
    """Return an image's values at raster positions inside it, by bilinear weights of the four pixels around.

    Args:
        image: `(height, width, ...)`, finite.
        points: `(point, 2)` positions (x, y) for which `is_inside` holds [px].

    Returns:
        `(point, ...)`.
    """
    height, width = image.shape[:2]
    x, y = points[:, 0] - 0.5, points[:, 1] - 0.5
    # The last column begins a cell of weight zero beyond it.
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    extra = (1,) * (image.ndim - 2)
    across, down = (x - left).reshape(-1, *extra), (y - top).reshape(-1, *extra)
    upper = image[top, left] * (1.0 - across) + image[top, right] * across
    lower = image[bottom, left] * (1.0 - across) + image[bottom, right] * across
    return np.asarray(upper * (1.0 - down) + lower * down)


def between_true_pixels(mask: Bool, points: Float64) -> Bool:
    """Return whether every pixel that carries weight at a raster position is True in a mask `(height, width)`."""
    return np.asarray(bilinear(mask.astype(np.float64), points) > 1.0 - ROUNDING)


def inverse_depth(name: str, depth: Float64) -> Float64:
    """Return 1/depth, which is linear in the image over any plane, as depth itself is not; 0 where depth is inf.

    Raises:
        SpecError: A depth is NaN, zero or negative.
    """
    bad = int((~(depth > 0.0)).sum())
    if bad:
        raise SpecError(
            f"{name} is NaN or not positive at {bad} of {depth.size} pixels; depth to be warped must be positive "
            "everywhere (inf where nothing is hit): clip it first"
        )
    return np.asarray(1.0 / depth)
