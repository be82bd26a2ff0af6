"""Forward and backward flow against each other: where a flow can be believed, and where points are hidden."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from training.estimators import FlowEstimator, Frames

__all__ = ["PIXELS", "SHARE", "both_flows", "field_at", "flow_reliability"]

Array: TypeAlias = npt.NDArray[Any]  # Any: of any real dtype
Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

PIXELS, SHARE = 0.5, 0.05  # a way there and back may miss by so many pixels and such a share of its length


def flow_reliability(forward: Array, backward: Array) -> tuple[Bool, Bool]:
    """Return where flow ends inside the picture, and where the flow back undoes it.

    With p = x + F(x), x is reliable where ‖F(x) + B(p)‖ ≤ 0.5 px + 0.05 (‖F(x)‖ + ‖B(p)‖).

    **Source**: Sundaram et al. 2010, "Dense point trajectories by GPU-accelerated large displacement optical flow",
    eq. (5), there with squares; the numbers are ours.

    Args:
        forward: F `(2, height, width)` [px], t → t+1.
        backward: B `(2, height, width)` [px], t+1 → t.

    Returns:
        `(height, width)` inside and `(height, width)` reliable, the second only where inside.

    Raises:
        SpecError: The shapes do not fit.
    """
    if forward.ndim != 3 or len(forward) != 2 or forward.shape != backward.shape:
        raise SpecError(f"flows have shapes {forward.shape} and {backward.shape}; give (2, height, width) twice")
    height, width = forward.shape[1:]
    column, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    target = np.stack([column + forward[0], row + forward[1]], axis=-1)
    with np.errstate(invalid="ignore"):
        inside = np.asarray((target >= 0.0).all(axis=-1) & (target < (width, height)).all(axis=-1))
    back = field_at(backward, target).transpose(2, 0, 1)
    miss, length = (
        np.linalg.norm(forward + back, axis=0),
        np.linalg.norm(forward, axis=0) + np.linalg.norm(back, axis=0),
    )
    return inside, inside & (miss <= PIXELS + SHARE * length)


def both_flows(estimator: FlowEstimator, frames: Frames) -> tuple[Float32, Float32]:
    """Return flow to the next frame and flow back from it, `(time − 1, 2, height, width)` [px] each.

    Args:
        estimator: Sees the video forwards, then backwards.
        frames: `(time, height, width, 3)` uint8, sRGB.
    """
    backward = estimator.flow(np.ascontiguousarray(frames[::-1]))
    return estimator.flow(frames)[:-1], backward[:-1][::-1]


def field_at(field: Array, points: Array) -> Float32:
    """Return a field `(channel, height, width)` at raster positions `(…, 2)`, bilinear: `(…, channel)`.

    Beyond the outermost pixel centres it is what it is there; NaN where a position is not finite.
    """
    height, width = field.shape[1:]
    finite = np.isfinite(points).all(axis=-1, keepdims=True)
    place = np.where(finite, points, 0.5) - 0.5  # in pixel centres
    place = np.clip(place, 0.0, (width - 1, height - 1))
    first = np.minimum(place.astype(np.int64), np.maximum((width - 2, height - 2), 0))
    column, row = first[..., 0], first[..., 1]
    right, below = np.minimum(column + 1, width - 1), np.minimum(row + 1, height - 1)
    across, down = np.moveaxis(place - first, -1, 0)
    upper = field[:, row, column] * (1.0 - across) + field[:, row, right] * across
    lower = field[:, below, column] * (1.0 - across) + field[:, below, right] * across
    sampled = np.moveaxis(upper * (1.0 - down) + lower * down, 0, -1)
    return np.where(finite, sampled, np.nan).astype(np.float32)
