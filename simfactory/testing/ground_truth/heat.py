"""Compares temperatures with the oracle's geometry, and plants errors in them."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from simfactory.episode import FIRST_BODY, GROUND
from simfactory.spec import BodyRigid
from simfactory.testing.ground_truth.oracle import Oracle, View

__all__ = ["PLANTED_HEAT", "compare_temperature"]

Array = npt.NDArray[np.generic]
Arrays = Mapping[str, Array]
Float64 = npt.NDArray[np.float64]


def compare_temperature(oracle: Oracle, arrays: Arrays, frame: int, view: View) -> tuple[Float64, int, int]:
    """Return errors [K] of pixels on which clip and oracle see the same, how many say NaN wrongly, of how many.

    The oracle's own triangle and weights take the temperature of the recorded vertices.
    """
    shown = arrays["temperature"][frame].astype(np.float64)
    same = arrays["instance"][frame].astype(np.int64) == view.instance
    expected = np.full(shown.shape, np.nan)
    for instance, value in _kept(oracle).items():
        expected[view.instance == instance] = value
    for body, values in oracle.motion.temperatures.items():
        pixels = view.instance == FIRST_BODY + body
        mesh = next(surface.mesh for surface in oracle.surfaces if surface.body == body)
        rows = view.triangle[pixels] - oracle.first_triangle[FIRST_BODY + body]
        expected[pixels] = np.einsum("pk,pk->p", view.weights[pixels], values[frame][mesh.triangles[rows]])
    wrong = same & (np.isfinite(shown) != np.isfinite(expected))
    both = same & np.isfinite(shown) & np.isfinite(expected)
    return np.abs(shown - expected)[both], int(wrong.sum()), int(same.sum())


def _kept(oracle: Oracle) -> dict[int, float]:
    spec = oracle.spec
    kept = {FIRST_BODY + k: body.temperature for k, body in enumerate(spec.bodies) if isinstance(body, BodyRigid)}
    if spec.ground is not None:
        kept[GROUND] = spec.ground.temperature
    return {instance: value for instance, value in kept.items() if value is not None}


def _late_temperature(arrays: Arrays) -> dict[str, Array]:
    """Deliver temperatures one frame late."""
    late = arrays["temperature"]
    return {**arrays, "temperature": np.concatenate([late[:1], late[:-1]])}


def _celsius(arrays: Arrays) -> dict[str, Array]:
    """Deliver temperatures in degrees Celsius."""
    return {**arrays, "temperature": arrays["temperature"].astype(np.float32) - np.float32(273.15)}


def _cold_floor(arrays: Arrays) -> dict[str, Array]:
    """Leave out what keeps its temperature."""
    ground = arrays["instance"] == GROUND
    return {**arrays, "temperature": np.where(ground, np.float32(np.nan), arrays["temperature"].astype(np.float32))}


PLANTED_HEAT: Mapping[str, Callable[[Arrays], dict[str, Array]]] = {
    "late_temperature": _late_temperature,
    "celsius": _celsius,
    "cold_floor": _cold_floor,
}
