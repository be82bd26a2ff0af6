"""What a recorded signal is: its name, axes, meaning, and how precisely each profile stores it."""

from dataclasses import dataclass

__all__ = [
    "HIT",
    "LOSSLESS",
    "OCCLUDED_AFTER",
    "OCCLUDED_BEFORE",
    "OUTSIDE_AFTER",
    "OUTSIDE_BEFORE",
    "SATURATED",
    "Precision",
    "Signal",
]

# Bits of the signal `mask`.
HIT, OCCLUDED_AFTER, OUTSIDE_AFTER, OCCLUDED_BEFORE, OUTSIDE_BEFORE, SATURATED = (1 << bit for bit in range(6))


@dataclass(frozen=True, kw_only=True, slots=True)
class Precision:
    """How the `portable` profile stores a signal; `archive` always stores `Signal.dtype` itself.

    A stored integer `q` means the value `q * scale`. With `scale` None values are cast to `dtype`.

    Attributes:
        dtype: numpy name of the stored type; empty = the signal's own.
        scale: Smallest step, in the signal's unit; the writer may double it, up to `scale_max`,
            where a clip's values would not fit (the array's `scale_factor` says what was used).
        scale_max: Largest step allowed; values beyond its range saturate.
    """

    dtype: str = ""
    scale: float | None = None
    scale_max: float | None = None


LOSSLESS = Precision()


@dataclass(frozen=True, kw_only=True, slots=True)
class Signal:
    """One array of a clip.

    Attributes:
        name: Path inside the clip's Zarr group, e.g. `depth` or `tracks/position`.
        dims: Axis names. `time` first = one slice per frame. A ragged signal has `dims[0]` equal to its
            group's item axis (`point`, `contact`), grows frame by frame, and its group gets an
            `offsets` array (time + 1) that says which rows belong to which frame.
        dtype: numpy name of the in-memory type.
        unit: SI unit, `px`, `1` or `id`.
        description: One sentence, with frame and missing value.
        fill: Value where nothing is defined; None = every element is defined.
        precision: How the portable profile stores it.
        ragged: Whether the number of rows differs from frame to frame.
    """

    name: str
    dims: tuple[str, ...]
    dtype: str
    unit: str
    description: str
    fill: float | None = None
    precision: Precision = LOSSLESS
    ragged: bool = False
