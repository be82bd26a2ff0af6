"""Backward optical flow: where each pixel's surface point was in the image at the previous frame."""

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.annotations.image_motion import flow_signal, planar_flow

__all__ = ["ANNOTATION"]


def _frame(context: FrameContext) -> Arrays:
    return {"flow_backward": planar_flow(context.backward, context.surface)}


ANNOTATION = Annotation(
    name="flow_backward",
    signals=(
        flow_signal(
            "flow_backward",
            "(du, dv) of the same surface point from frame t to t - 1, x right, y down; NaN for sky, points behind "
            "the camera at t - 1, and the first frame.",
        ),
    ),
    frame=_frame,
    needs=frozenset({"backward"}),
)
