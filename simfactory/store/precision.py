"""How precisely a signal is kept: its stored type, its step, and the way there and back."""

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from simfactory.errors import StoreError
from simfactory.signals import Signal
from simfactory.store.folder import Profile

__all__ = ["Array", "Encoding", "Quantiser", "Stored"]

# Any element type: stored arrays are of every numeric kind.
Array: TypeAlias = NDArray[np.generic]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Encoding:
    """How one array's values are stored: `value = stored * scale`, or a plain cast without a scale.

    Attributes:
        memory: Type of the values in memory.
        stored: Type of the stored elements.
        scale: Step [the signal's unit]; None = values are only cast.
        missing: Value in memory where nothing is defined; None = everywhere defined.
    """

    memory: np.dtype[np.generic]
    stored: np.dtype[np.generic]
    scale: float | None
    missing: float | None

    @property
    def stored_missing(self) -> float | int:
        """Stored value that means missing; 0 where everything is defined."""
        if self.scale is not None:
            return int(np.iinfo(self.stored.name).min)
        return 0 if self.missing is None else self.missing

    @property
    def reach(self) -> float:
        """Largest magnitude that is stored without saturating [the signal's unit]."""
        if self.scale is None:
            return float(np.finfo(self.stored.name).max) if self.stored.kind == "f" else np.inf
        return float(np.iinfo(self.stored.name).max) * self.scale

    def decode(self, stored: Array, out: Array | None = None) -> Array:
        """Return stored elements as values: quantised ones as float32, others as the type in memory."""
        if self.scale is None:
            if out is None:
                return stored.astype(self.memory, copy=False)
            np.copyto(out, stored, casting="same_kind")
            return out
        values = np.multiply(stored, np.float32(self.scale), out=out, dtype=np.float32)
        if self.missing is not None:
            np.copyto(values, np.float32(self.missing), where=stored == self.stored_missing)
        return values


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """Values of a signal that are in their stored form already: quantised where they were made.

    Attributes:
        elements: Stored elements, with the signal's smallest step.
        saturated: How many of them lie beyond the stored range.
    """

    elements: Array
    saturated: int = 0


@final
class Quantiser:
    """Turns a signal's values into stored elements, within half a step."""

    def __init__(self, signal: Signal, *, profile: Profile) -> None:
        self.signal = signal
        precision = signal.precision
        memory = np.dtype(signal.dtype)
        lossy = profile == "portable"
        stored = np.dtype(precision.dtype or memory) if lossy else memory
        scale = precision.scale if lossy else None
        if scale is not None and stored.kind != "i":
            raise StoreError(f"{signal.name}: a scale needs a signed integer type, not {stored.name}")
        self.encoding = Encoding(memory=memory, stored=stored, scale=scale, missing=signal.fill)
        self.saturated = 0

    @property
    def scalable(self) -> bool:
        """Whether the step may grow with the values."""
        precision = self.signal.precision
        return self.encoding.scale is not None and (precision.scale_max or 0.0) > (precision.scale or 0.0)

    def widen(self, peak: float) -> None:
        """Choose the smallest step that holds values up to `peak` [the signal's unit]."""
        scale = self.encoding.scale
        if scale is None or not self.scalable:
            return
        limit, largest = np.iinfo(self.encoding.stored.name).max, self.signal.precision.scale_max or scale
        while np.rint(peak / scale) > limit and scale * 2 <= largest:
            scale *= 2
        self.encoding = Encoding(
            memory=self.encoding.memory, stored=self.encoding.stored, scale=scale, missing=self.encoding.missing
        )

    def peak(self, values: Array) -> float:
        """Return the largest magnitude among the defined `values`."""
        if values.dtype.kind == "f" and self.signal.fill is not None and np.isnan(self.signal.fill):
            # fmax and fmin pass over NaN.
            return float(
                max(np.fmax.reduce(values, axis=None, initial=0), -np.fmin.reduce(values, axis=None, initial=0))
            )
        magnitude = np.abs(values.astype(np.float64))
        magnitude[self._missing(values)] = 0.0
        return float(magnitude.max(initial=0.0))

    def encode(self, values: Array, out: Array) -> NDArray[np.bool_] | None:
        """Write `values` into `out`; return where they were beyond the stored range, or None.

        Raises:
            StoreError: A value is neither finite nor the signal's missing value.
        """
        if self.encoding.scale is None:
            beyond = self._cast(values, out)
        else:
            beyond = self._quantise(values, out, scale=self.encoding.scale)
        if beyond is not None:
            self.saturated += int(np.count_nonzero(beyond))
        return beyond

    def _cast(self, values: Array, out: Array) -> NDArray[np.bool_] | None:
        if values.dtype.kind != "f":
            np.copyto(out, values)
            return None
        finite = np.isfinite(values)
        if not finite.all() and not (finite | self._missing(values)).all():
            self._refuse(values)
        if out.dtype.itemsize >= values.dtype.itemsize:
            np.copyto(out, values)
            return None
        with np.errstate(over="ignore"):
            np.copyto(out, values, casting="same_kind")
        beyond: NDArray[np.bool_] = np.isinf(out) & finite
        if not beyond.any():
            return None
        np.copyto(out, np.copysign(np.finfo(out.dtype.name).max, values), where=beyond, casting="same_kind")
        return beyond

    def _quantise(self, values: Array, out: Array, *, scale: float) -> NDArray[np.bool_] | None:
        exact = np.frexp(scale)[0] == 0.5  # a power of two: the division is exact in float32
        steps = np.multiply(values, 1.0 / scale) if exact else np.divide(values, scale, dtype=np.float64)
        np.rint(steps, out=steps)
        missing = self._missing(values)
        gaps = bool(missing.any())
        if gaps:
            np.copyto(steps, 0, where=missing)
        limit = np.iinfo(self.encoding.stored.name).max
        peak = max(float(steps.max(initial=0)), -float(steps.min(initial=0)))
        beyond: NDArray[np.bool_] | None = None
        if not peak <= limit:
            if not np.isfinite(peak):
                self._refuse(values)
            beyond = np.abs(steps) > limit
            np.clip(steps, -limit, limit, out=steps)
        np.copyto(out, steps, casting="unsafe")
        if gaps:
            np.copyto(out, self.encoding.stored_missing, where=missing, casting="unsafe")
        return beyond

    def _missing(self, values: Array) -> NDArray[np.bool_]:
        fill = self.signal.fill
        if fill is None:
            return np.zeros(values.shape, dtype=bool)
        found: NDArray[np.bool_] = np.isnan(values) if np.isnan(fill) else np.equal(values, fill)
        return found

    def _refuse(self, values: Array) -> None:
        kinds = [name for name, test in (("NaN", np.isnan), ("inf", np.isinf)) if test(values).any()]
        fill = self.signal.fill
        wanted = "no value may be missing" if fill is None else f"the only missing value is {fill}"
        raise StoreError(f"{self.signal.name}: given {' and '.join(kinds)}, but {wanted}; correct the annotation")
