"""Checks what a writer is given: names, types and shapes, axis by axis."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from simfactory.errors import StoreError
from simfactory.signals import Signal
from simfactory.store.precision import Array

__all__ = ["OFFSETS", "AxisSizes", "check_names", "group_of"]

OFFSETS = "offsets"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(/[A-Za-z][A-Za-z0-9_]*)*")
_FIXED = {"uv": 2, "xyz": 3, "xyzt": 4, "quat_xyzw": 4}


def group_of(name: str) -> str:
    """Return the group path of an array; empty = the clip's root."""
    return name.rpartition("/")[0]


def check_names(signals: Sequence[Signal]) -> None:
    """Check that signals have distinct, usable names and axes.

    Raises:
        StoreError: A name is malformed, doubled, reserved, or both an array and a group.
    """
    names = [signal.name for signal in signals]
    groups = {"/".join(name.split("/")[:depth]) for name in names for depth in range(1, name.count("/") + 1)}
    ragged = {group_of(signal.name) for signal in signals if signal.ragged}
    for signal in signals:
        name = signal.name
        if not _NAME.fullmatch(name):
            raise StoreError(f"signal name {name!r}: letters, digits and _ between /, beginning with a letter")
        if names.count(name) > 1 or name in groups:
            raise StoreError(f"signal {name!r} is given twice, or is also a group; give each array one name")
        if not signal.dims or len(set(signal.dims)) != len(signal.dims):
            raise StoreError(f"signal {name!r}: dims {signal.dims} must be at least one axis, each named once")
        if signal.ragged and (not group_of(name) or signal.dims[0] == "time"):
            raise StoreError(f"ragged signal {name!r} with dims {signal.dims}: needs a group and its item axis first")
        if group_of(name) in ragged and name.endswith(f"/{OFFSETS}"):
            raise StoreError(f"signal {name!r}: the store itself writes the offsets of a ragged group")


class AxisSizes:
    """Sizes of named axes: known ones from the start, others as the first array shows them.

    An axis that is not one of `time`, `y`, `x` or a coordinate belongs to its group: `point` in `points/` and `point`
    in `tracks/` may differ.
    """

    def __init__(self, known: Mapping[str, int]) -> None:
        self._known = {**_FIXED, **known}
        self._grouped: dict[tuple[str, str], int] = {}

    def checked(self, signal: Signal, value: object, *, dims: tuple[str, ...]) -> Array:
        """Return `value` in the signal's type, its shape checked against the axes `dims`.

        The first axis of a ragged signal may have any size.

        Raises:
            StoreError: The shape or the type does not fit; names the signal, what was given and what is wanted.
        """
        array = np.asarray(value)
        wanted = np.dtype(signal.dtype)
        group = group_of(signal.name)
        sizes = [self._known.get(axis, self._grouped.get((group, axis))) for axis in dims]
        if signal.ragged:
            sizes[0] = None
        shape = ", ".join(f"{axis}={'any' if size is None else size}" for axis, size in zip(dims, sizes, strict=True))
        fits = array.ndim == len(dims) and all(
            size is None or size == given for size, given in zip(sizes, array.shape, strict=False)
        )
        casting: Literal["same_kind", "safe"] = (
            "same_kind" if wanted.kind == "f" and array.dtype.kind == "f" else "safe"
        )
        if not fits or not np.can_cast(array.dtype, wanted, casting):
            raise StoreError(
                f"{signal.name}: given shape {array.shape} of {array.dtype}, wanted ({shape}) of {wanted.name}"
            )
        for axis, size, given in list(zip(dims, sizes, array.shape, strict=True))[signal.ragged :]:
            if size is None:
                self._grouped[group, axis] = given
        converted: Array = array.astype(wanted, copy=False)
        return converted
