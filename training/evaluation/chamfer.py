"""The 4D Chamfer distance between two clouds of points in space and time."""

from dataclasses import dataclass

import numpy as np

from simfactory.errors import SpecError
from training.chamfer import chamfer_directions
from training.evaluation._inputs import Array, Float64, need_finite, numbers

__all__ = ["ChamferMetrics", "chamfer_metrics"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChamferMetrics:
    """How far two 4D clouds are from each other.

    Attributes:
        chamfer: Sum of the two directions [m].
        to_target: Mean distance of a predicted point to the nearest true one [m].
        from_target: Mean distance of a true point to the nearest predicted one [m].
    """

    chamfer: float
    to_target: float
    from_target: float


def chamfer_metrics(predicted: Array, target: Array, *, duration: float, time_scale: float = 1.0) -> ChamferMetrics:
    """Return the 4D Chamfer distance between all points of a clip and all true ones.

    d((x, t), (y, s)) = √(‖x − y‖² + λ² (t − s)² / duration²); the distance is
    mean over P of min over G of d + mean over G of min over P of d.

    Args:
        predicted: `(point, 4)` points (x, y, z [m], t [s]), finite.
        target: `(point, 4)` true points, in the same frame.
        duration: Of the clip [s]; time is divided by it.
        time_scale: λ, the distance that the whole clip's duration is worth [m].

    Raises:
        SpecError: A cloud is empty or not finite; the duration or the time scale is out of range.

    **Source**: Phys4D E.3.2 (normalised time) and eqs. 10 and 11.
    """
    if not 0.0 < duration < np.inf:
        raise SpecError(f"duration is {duration} s; give one above zero")
    if not 0.0 <= time_scale < np.inf:
        raise SpecError(f"time_scale is {time_scale} m; give zero or more")
    ours, theirs = _cloud("predicted", predicted), _cloud("target", target)
    to_target, from_target = chamfer_directions(
        ours[:, :3], ours[:, 3], theirs[:, :3], theirs[:, 3], time_scale=time_scale / duration
    )
    return ChamferMetrics(chamfer=to_target + from_target, to_target=to_target, from_target=from_target)


def _cloud(name: str, points: Array) -> Float64:
    cloud = numbers(name, points, "point xyzt", last=4)
    if not len(cloud):
        raise SpecError(f"nothing valid: {name} holds no points; a distance to an empty cloud is undefined")
    need_finite(name, cloud, "leave out pixels where nothing is hit")
    return cloud
