"""Checks of the arrays that a metric is handed; every message names both sides."""

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError

__all__ = ["Array", "Bool", "Float64", "choice", "flags", "need_finite", "need_same_shape", "need_some", "numbers"]

Array = npt.NDArray[np.generic]
Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]


def numbers(name: str, array: Array, dims: str, *, last: int | None = None) -> Float64:
    """Return an array as float64 once it has the dimensions that its caller promises.

    Args:
        name: What it is called in messages.
        array: Real numbers, NaN and inf included.
        dims: Names of its dimensions, separated by blanks; a first name of `...` stands for any number of them.
        last: Size of the last dimension where that is fixed.

    Raises:
        SpecError: It has other dimensions, or holds no real numbers.
    """
    given = np.asarray(array)
    if given.dtype.kind not in "fiub":
        raise SpecError(f"{name} holds {given.dtype}; give real numbers")
    names = dims.split()
    fits = given.ndim >= len(names) if names[0] == "..." else given.ndim == len(names)
    if not fits or (last is not None and given.shape[-1] != last):
        size = f", the last of size {last}" if last is not None else ""
        raise SpecError(f"{name} has shape {given.shape}; its dimensions must be ({', '.join(names)}){size}")
    return given.astype(np.float64, copy=False)


def need_same_shape(name: str, array: Array, other_name: str, other: Array) -> None:
    """Raise unless two arrays have the same shape.

    Raises:
        SpecError: They do not; the message names both.
    """
    if array.shape != other.shape:
        raise SpecError(
            f"{name} has shape {array.shape}, but {other_name} has {other.shape}; "
            "give both the same shape (crop or resample one of them first)"
        )


def flags(name: str, array: Array | None, other_name: str, shape: tuple[int, ...]) -> Bool:
    """Return a mask of a given shape; all True where none is given.

    Raises:
        SpecError: It is not boolean or has another shape.
    """
    if array is None:
        return np.ones(shape, bool)
    given = np.asarray(array)
    if given.dtype != np.bool_:
        raise SpecError(f"{name} holds {given.dtype}; give booleans (for example `array > 0`)")
    if given.shape != shape:
        raise SpecError(f"{name} has shape {given.shape}, but {other_name} asks for {shape}; give that shape")
    return given.astype(np.bool_, copy=False)


def need_some(mask: Bool, what: str) -> None:
    """Raise unless anything is left to measure.

    Raises:
        SpecError: Nothing is.
    """
    if not mask.any():
        raise SpecError(f"nothing valid: none of {mask.size} {what} can be compared; look at valid and at the target")


def need_finite(name: str, values: Float64, remedy: str) -> None:
    """Raise where a number that takes part in a metric is NaN or inf.

    Raises:
        SpecError: Some are; the message says how many.
    """
    bad = int(values.size - np.isfinite(values).sum())
    if bad:
        raise SpecError(f"{name} is NaN or inf at {bad} of {values.size} values that are compared; {remedy}")


def choice(name: str, given: str, allowed: tuple[str, ...]) -> None:
    """Raise unless an option is one of those allowed.

    Raises:
        SpecError: It is another.
    """
    if given not in allowed:
        raise SpecError(f"{name} is {given!r}; allowed are {', '.join(map(repr, allowed))}")
