"""Mask bits: what is hit, and which flow vectors end at a hidden or an unseen point."""

import numpy as np

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.episode import SKY
from simfactory.signals import OCCLUDED_AFTER, OCCLUDED_BEFORE, OUTSIDE_AFTER, OUTSIDE_BEFORE, Signal

__all__ = ["ANNOTATION"]


def _frame(context: FrameContext) -> Arrays:
    bits = (context.surface.instance != SKY).astype(np.uint8)  # HIT is bit 0
    for motion, occluded, outside in (
        (context.forward, OCCLUDED_AFTER, OUTSIDE_AFTER),
        (context.backward, OCCLUDED_BEFORE, OUTSIDE_BEFORE),
    ):
        if motion is not None:
            bits |= motion.occluded.view(np.uint8) * np.uint8(occluded)
            bits |= motion.outside.view(np.uint8) * np.uint8(outside)
    return {"mask": bits}


ANNOTATION = Annotation(
    name="mask",
    signals=(
        Signal(
            name="mask",
            dims=("time", "y", "x"),
            dtype="uint8",
            unit="1",
            description=(
                "Bits: 0 hit; 1 occluded at t + 1; 2 outside the frame or behind the camera at t + 1; 3 occluded at "
                "t - 1; 4 outside or behind at t - 1; 5 flow beyond the stored range. Bits 1-4 are 0 where there is "
                "no such frame."
            ),
        ),
    ),
    frame=_frame,
    needs=frozenset({"forward", "backward"}),
)
