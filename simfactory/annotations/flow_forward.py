"""Forward optical flow: where each pixel's surface point moves in the image until the next frame."""

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.annotations.image_motion import flow_signal, planar_flow

__all__ = ["ANNOTATION"]


def _frame(context: FrameContext) -> Arrays:
    return {"flow_forward": planar_flow(context.forward, context.surface)}


ANNOTATION = Annotation(
    name="flow_forward",
    signals=(
        flow_signal(
            "flow_forward",
            "(du, dv) of the same surface point from frame t to t + 1, x right, y down; NaN for sky, points behind "
            "the camera at t + 1, and the last frame.",
        ),
    ),
    frame=_frame,
    needs=frozenset({"forward"}),
)
