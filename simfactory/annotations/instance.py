"""Instance ids: which thing each pixel shows."""

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.signals import Signal

__all__ = ["ANNOTATION"]


def _frame(context: FrameContext) -> Arrays:
    return {"instance": context.surface.instance}


ANNOTATION = Annotation(
    name="instance",
    signals=(
        Signal(
            name="instance",
            dims=("time", "y", "x"),
            dtype="uint16",
            unit="id",
            description=(
                "Instance id, stable over time and cameras: 0 sky, 1 ground, 2 room, 3 + k body k "
                "(see bodies/instance)."
            ),
        ),
    ),
    frame=_frame,
)
