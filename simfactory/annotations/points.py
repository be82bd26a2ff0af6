"""4D points: where moving surface points are in space and time, with id and velocity."""

import numpy as np
import numpy.typing as npt

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.episode import SKY
from simfactory.signals import Signal
from simfactory.transforms import transform_points, unproject

__all__ = ["ANNOTATION", "MOVING_SPEED"]

MOVING_SPEED = 0.01  # [m/s], in the world: faster points are moving


def _frame(context: FrameContext) -> Arrays:
    clip, surface = context.clip, context.surface
    stride, fps = clip.spec.sensors.point_stride, clip.spec.fps
    grid = np.s_[stride // 2 :: stride, stride // 2 :: stride]
    velocity = _velocity(context, fps)[grid]
    speed_squared = np.einsum("yxk,yxk->yx", velocity, velocity)
    rows, columns = np.nonzero((speed_squared > MOVING_SPEED**2) & (surface.instance[grid] != SKY))
    velocity = velocity[rows, columns]
    rows, columns = rows * stride + stride // 2, columns * stride + stride // 2
    pixels = np.stack([columns, rows], axis=-1) + 0.5
    seen = unproject(pixels, surface.depth[rows, columns], clip.intrinsics)
    position = np.empty((len(rows), 4), np.float32)
    position[:, :3] = transform_points(clip.camera_to_world[context.frame], seen)
    position[:, 3] = clip.trajectory.time[context.frame]
    return {
        "points/position": position,
        "points/instance": surface.instance[rows, columns],
        "points/velocity": velocity,
    }


def _velocity(context: FrameContext, fps: float) -> npt.NDArray[np.float32]:
    """Return the mean velocity `(height, width, 3)` [m/s] until the next frame; at the last, since the previous one."""
    if context.forward is not None:
        return context.forward.displacement * np.float32(fps)
    if context.backward is not None:
        return context.backward.displacement * np.float32(-fps)
    return np.zeros((*context.surface.depth.shape, 3), np.float32)


def _signal(name: str, dims: tuple[str, ...], dtype: str, unit: str, description: str) -> Signal:
    return Signal(name=f"points/{name}", dims=dims, dtype=dtype, unit=unit, description=description, ragged=True)


ANNOTATION = Annotation(
    name="points",
    signals=(
        _signal(
            "position",
            ("point", "xyzt"),
            "float32",
            "m",
            "(x, y, z) [m], world frame, and t [s] of visible surface points that move faster than 0.01 m/s, on every "
            "n-th pixel (sensors.point_stride); static ones are rebuilt by unprojecting depth.",
        ),
        _signal("instance", ("point",), "uint16", "id", "Instance id of the surface."),
        _signal(
            "velocity",
            ("point", "xyz"),
            "float32",
            "m/s",
            "Mean velocity until the next frame, world frame; at the last frame, since the previous one.",
        ),
    ),
    frame=_frame,
    needs=frozenset({"forward", "backward"}),
)
