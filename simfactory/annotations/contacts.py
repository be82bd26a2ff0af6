"""Contacts: who touches whom, where, and how hard."""

import math

import numpy as np

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.signals import Signal

__all__ = ["ANNOTATION"]


def _frame(context: FrameContext) -> Arrays:
    contacts = context.clip.trajectory.contacts[context.frame]
    return {
        "contacts/a": contacts.a.astype(np.uint16, copy=False),
        "contacts/b": contacts.b.astype(np.uint16, copy=False),
        "contacts/point": contacts.point,
        "contacts/normal": contacts.normal,
        "contacts/impulse": contacts.impulse,
    }


def _signal(
    name: str, dtype: str, unit: str, description: str, *, xyz: bool = False, fill: float | None = None
) -> Signal:
    dims = ("contact", "xyz") if xyz else ("contact",)
    return Signal(
        name=f"contacts/{name}", dims=dims, dtype=dtype, unit=unit, description=description, fill=fill, ragged=True
    )


ANNOTATION = Annotation(
    name="contacts",
    signals=(
        _signal("a", "uint16", "id", "Instance id of the first side."),
        _signal("b", "uint16", "id", "Instance id of the second side."),
        _signal("point", "float32", "m", "Position, world frame.", xyz=True),
        _signal("normal", "float32", "1", "Unit normal from a to b, world frame.", xyz=True),
        _signal(
            "impulse",
            "float32",
            "N s",
            "Normal impulse over the last frame; NaN where the backend cannot tell.",
            fill=math.nan,
        ),
    ),
    frame=_frame,
)
