"""What both optical flow fields share: their storage and the way from a motion to a planar field."""

import math

import numpy as np
import numpy.typing as npt

from simfactory.pixels import MotionArrays, SurfaceArrays
from simfactory.signals import Precision, Signal

__all__ = ["flow_signal", "planar_flow"]


def flow_signal(name: str, description: str) -> Signal:
    """Return the signal of a flow field: (du, dv) [px], planar, NaN where undefined."""
    return Signal(
        name=name,
        dims=("time", "uv", "y", "x"),
        dtype="float32",
        unit="px",
        description=description,
        fill=math.nan,
        precision=Precision(dtype="int16", scale=1.0 / 64.0, scale_max=1.0 / 8.0),
    )


def planar_flow(motion: MotionArrays | None, surface: SurfaceArrays) -> npt.NDArray[np.float32]:
    """Return `(2, height, width)` raster displacements [px]; NaN everywhere without a motion."""
    if motion is None:
        return np.full((2, *surface.depth.shape), np.nan, np.float32)
    return np.ascontiguousarray(motion.flow.transpose(2, 0, 1))
