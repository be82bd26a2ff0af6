"""Colour: what the camera records, averaged over each pixel."""

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.signals import Signal

__all__ = ["ANNOTATION"]


def _frame(context: FrameContext) -> Arrays:
    assert context.rgb is not None  # it says that it needs it
    return {"rgb": context.rgb}


ANNOTATION = Annotation(
    name="rgb",
    signals=(
        Signal(
            name="rgb",
            dims=("time", "y", "x", "channel"),
            dtype="uint8",
            unit="1",
            description="Colour, sRGB, averaged over the pixel.",
        ),
    ),
    frame=_frame,
    needs=frozenset({"rgb"}),
)
