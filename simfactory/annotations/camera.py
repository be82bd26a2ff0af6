"""Camera parameters: intrinsics and pose at every frame."""

import numpy as np

from simfactory.annotations.base import Annotation, Arrays, ClipContext
from simfactory.signals import Signal

__all__ = ["ANNOTATION"]


def _clip(context: ClipContext) -> Arrays:
    frame_count = len(context.camera_to_world)
    return {
        "camera/K": np.tile(np.asarray(context.intrinsics, np.float64), (frame_count, 1, 1)),
        "camera/camera_to_world": np.asarray(context.camera_to_world, np.float64),
    }


ANNOTATION = Annotation(
    name="camera",
    signals=(
        Signal(
            name="camera/K",
            dims=("time", "uvw", "xyz"),
            dtype="float64",
            unit="px",
            description="Pinhole matrix: K @ (x, y, z) of a camera-frame point is z * (u, v, 1), raster coordinates.",
        ),
        Signal(
            name="camera/camera_to_world",
            dims=("time", "world", "camera"),
            dtype="float64",
            unit="m",
            description="Homogeneous 4 x 4 pose; camera axes x right, y down, z forward (OpenCV).",
        ),
    ),
    clip=_clip,
)
