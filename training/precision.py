"""Precision: what half-precision tensors are computed in."""

from torch import Tensor

__all__ = ["at_least_single"]


def at_least_single(values: Tensor) -> Tensor:
    """Return floating tensors of less than 32 bits, and tensors of integers or bools, as float32; others as they are.

    Sums over the pixels of a clip leave the range of float16 and the resolution of bfloat16, and so do reciprocals of
    small depths: every loss is computed, and returned, in at least single precision.
    """
    if values.is_floating_point() and values.dtype.itemsize >= 4:
        return values
    return values.float()
