"""The 4D Chamfer distance between two sets of points in space and time."""

import math
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial import KDTree
from torch import Tensor

from simfactory.errors import SpecError
from training.precision import at_least_single

__all__ = ["chamfer_4d", "chamfer_directions"]

Array: TypeAlias = npt.NDArray[Any]  # Any: points of any float type are taken

_PAIRS = 1 << 26  # distances that brute force holds at a time: 256 MiB


@overload
def chamfer_4d(
    points_a: Tensor, times_a: Tensor, points_b: Tensor, times_b: Tensor, *, time_scale: float, squared: bool = False
) -> Tensor: ...
@overload
def chamfer_4d(
    points_a: Array, times_a: Array, points_b: Array, times_b: Array, *, time_scale: float, squared: bool = False
) -> float: ...
def chamfer_4d(
    points_a: Tensor | Array,
    times_a: Tensor | Array,
    points_b: Tensor | Array,
    times_b: Tensor | Array,
    *,
    time_scale: float,
    squared: bool = False,
) -> Tensor | float:
    """Return CD = mean_a min_b d + mean_b min_a d, with d((x, t), (y, s)) = √(‖x − y‖² + λ² (t − s)²).

    Nearest neighbours are exact: from a k-d tree on the CPU, from all pairs, some rows at a time, on a GPU. Neighbours
    are found without gradients; the distances to them have one, 0 between equal points.

    An empty set is refused. The distance to it has no value: infinity would turn the mean of a group of rewards, and
    its spread, into NaN, and any number would be a secret penalty. The caller knows which is fair: a penalty for a
    video in which nothing moves, a row left out of a table.

    **Source**: Phys4D, eq. (10) and (11).

    Args:
        points_a: x `(point, 3)` [m].
        times_a: t `(point,)` [s].
        points_b: y `(point, 3)` [m]; all four are tensors on one device, or all are arrays.
        times_b: s `(point,)` [s].
        time_scale: λ [m/s], what a second is worth.
        squared: Average d² instead of d.

    Returns:
        The distance [m], or [m²] if squared: a scalar tensor for tensors, a float for arrays.

    Raises:
        SpecError: A set is empty, the shapes do not fit, or a number is not finite.
    """
    forth, back = _directions((points_a, times_a), (points_b, times_b), time_scale, squared=squared)
    total = forth + back
    return total if isinstance(points_a, Tensor) else float(total)


def chamfer_directions(
    points_a: Array, times_a: Array, points_b: Array, times_b: Array, *, time_scale: float
) -> tuple[float, float]:
    """Return the two parts of `chamfer_4d`, which takes the same arguments: mean_a min_b d and mean_b min_a d [m].

    Raises:
        SpecError: As there.
    """
    forth, back = _directions((points_a, times_a), (points_b, times_b), time_scale, squared=False)
    return float(forth), float(back)


def _directions(
    a: tuple[Tensor | Array, Tensor | Array],
    b: tuple[Tensor | Array, Tensor | Array],
    time_scale: float,
    *,
    squared: bool,
) -> tuple[Tensor, Tensor]:
    if not (math.isfinite(time_scale) and time_scale >= 0.0):
        raise SpecError(f"time_scale is {time_scale}; allowed is a finite number of 0 m/s or more")
    ours, theirs = _scaled(*a, time_scale), _scaled(*b, time_scale)
    if ours.device != theirs.device or isinstance(a[0], Tensor) != isinstance(b[0], Tensor):
        raise SpecError(
            f"the sets are {type(a[0]).__name__} on {ours.device} and {type(b[0]).__name__} on {theirs.device}; "
            "allowed are two of one kind in one place"
        )
    dtype = torch.promote_types(ours.dtype, theirs.dtype)
    ours, theirs = ours.to(dtype), theirs.to(dtype)
    forth = _distances(ours, theirs[_nearest(ours.detach(), theirs.detach())], squared=squared)
    back = _distances(theirs, ours[_nearest(theirs.detach(), ours.detach())], squared=squared)
    return forth.mean(), back.mean()


def _scaled(points: Tensor | Array, times: Tensor | Array, time_scale: float) -> Tensor:
    """Return `(point, 4)` (x, y, z, λ t) [m]; those of arrays in float64."""
    if isinstance(points, Tensor) and isinstance(times, Tensor):
        place, time = at_least_single(points), at_least_single(times)
    else:
        # Copied: torch takes no arrays that run backwards.
        place, time = (torch.from_numpy(np.array(values, np.float64, order="C")) for values in (points, times))
    if place.ndim != 2 or place.shape[1] != 3 or time.shape != place.shape[:1] or len(place) == 0:
        raise SpecError(
            f"points of shape {tuple(place.shape)} came with times of shape {tuple(time.shape)}; allowed are (N, 3) "
            "and (N,) with N of 1 or more: decide what an empty set costs before asking for a distance"
        )
    both = torch.cat([place, (time_scale * time).to(place.dtype)[:, None]], dim=1)
    if not bool(torch.isfinite(both).all()):
        raise SpecError("a point or a time is not finite; leave such points out: they have no place")
    return both


def _nearest(queries: Tensor, targets: Tensor) -> Tensor:
    """Return the index of each query's nearest target."""
    if queries.device.type == "cpu":
        found = KDTree(targets.numpy()).query(queries.numpy())[1]
        return torch.from_numpy(np.asarray(found, np.int64))
    return _nearest_of_all(queries, targets, pairs=_PAIRS)


def _nearest_of_all(queries: Tensor, targets: Tensor, *, pairs: int) -> Tensor:
    """Return the index of each query's nearest target, with no more than about `pairs` distances at a time."""
    rows = max(1, pairs // len(targets))
    # Differences are taken as they are: |x|² − 2 x·y + |y|², which is faster, loses the digits of near points.
    mode = "donot_use_mm_for_euclid_dist"
    found = [
        torch.cdist(queries[first : first + rows], targets, compute_mode=mode).argmin(dim=1)
        for first in range(0, len(queries), rows)
    ]
    return torch.cat(found)


def _distances(one: Tensor, other: Tensor, *, squared: bool) -> Tensor:
    difference = one - other
    return difference.square().sum(dim=1) if squared else torch.linalg.vector_norm(difference, dim=1)
