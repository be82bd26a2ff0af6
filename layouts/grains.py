"""Grains cut to measure: as many as before, in another region."""

import numpy as np
import numpy.typing as npt

from layouts.solids import volume
from layouts.stage import moved
from simfactory.spec import BodyGranular, BodySolid, Box, Cone, Cylinder

__all__ = ["filled"]

Vector = npt.NDArray[np.float64]


def filled(grains: BodySolid, region: Box | Cone | Cylinder, center: Vector, orientation: Vector) -> BodyGranular:
    """Return grains that fill a region at a place, about as many as before: their size follows from that.

    Args:
        grains: A granular body.
        region: Region to fill.
        center: `(3,)` place of its origin [m].
        orientation: `(4,)` xyzw.
    """
    assert isinstance(grains, BodyGranular)
    before = volume(grains)
    shape = grains.model_copy(update={"geometry": region, "scale": 1.0, "aspect": (1.0, 1.0, 1.0)})
    radius = grains.grain_radius * (volume(shape) / before) ** (1.0 / 3.0)
    placed = moved(
        grains,
        geometry=region,
        scale=1.0,
        aspect=(1.0, 1.0, 1.0),
        grain_radius=round(radius, 5),
        position=center,
        orientation=orientation,
    )
    assert isinstance(placed, BodyGranular)
    return placed
