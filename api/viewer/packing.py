"""Arrays in one binary message: a JSON header that names them, then their bytes, little-endian."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAGIC", "Quantised", "pack", "quantise", "unpack"]

MAGIC = b"SFV1"
ALIGNMENT = 8
LEVELS = 65535

Array = NDArray[np.generic]
Json = dict[str, Any]  # Any: JSON


class Quantised:
    """Values as 16-bit steps between the least and the greatest of them, along each of three axes.

    Attributes:
        steps: `(point, 3)` uint16.
        low: Value of step 0, `(3,)`.
        step: Width of a step, `(3,)`; a value is at most half of it off.
    """

    def __init__(self, steps: NDArray[np.uint16], low: NDArray[np.float64], step: NDArray[np.float64]) -> None:
        self.steps, self.low, self.step = steps, low, step

    def header(self) -> Json:
        """Return what a reader needs: value = low + step * integer."""
        return {"low": self.low.tolist(), "step": self.step.tolist(), "error": (self.step / 2).tolist()}

    def delta(self) -> NDArray[np.uint16]:
        """Return the differences of consecutive steps `(3, point)`, modulo 2^16: neighbours differ little."""
        planes = np.ascontiguousarray(self.steps.T)
        planes[:, 1:] -= planes[:, :-1].copy()
        return planes


def quantise(values: NDArray[np.floating]) -> Quantised:
    """Return values `(point, 3)`, all of them finite, as steps."""
    exact = values.astype(np.float64)
    low = exact.min(axis=0, initial=np.inf) if len(exact) else np.zeros(3)
    high = exact.max(axis=0, initial=-np.inf) if len(exact) else np.zeros(3)
    step = np.maximum(high - low, 1e-9) / LEVELS
    return Quantised(np.rint((exact - low) / step).astype(np.uint16), low, step)


def pack(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:  # Any: JSON
    """Return a message.

    It begins with `SFV1` and the header's length (uint32); the header is JSON, filled with spaces up to a multiple of
    8 bytes; its `arrays` say of each array its type, shape and place behind the header, a multiple of 8 again.
    """
    places: Json = {}
    parts: list[bytes] = []
    offset = 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        places[name] = {"dtype": array.dtype.name, "shape": list(array.shape), "offset": offset}
        padding = -len(data) % ALIGNMENT
        parts += [data, b"\0" * padding]
        offset += len(data) + padding
    text = json.dumps({**header, "arrays": places}, allow_nan=False).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return b"".join([MAGIC, np.uint32(len(text)).astype("<u4").tobytes(), text, *parts])


def unpack(message: bytes) -> tuple[Json, dict[str, Array]]:
    """Return the header and the arrays of a message.

    Raises:
        ValueError: It is none.
    """
    if message[:4] != MAGIC:
        raise ValueError(f"a message begins with {MAGIC!r}, not {message[:4]!r}")
    length = int(np.frombuffer(message, "<u4", 1, 4)[0])
    header: Json = json.loads(message[8 : 8 + length])
    arrays: dict[str, Array] = {}
    for name, place in header["arrays"].items():
        kind = np.dtype(place["dtype"]).newbyteorder("<")
        count = int(np.prod(place["shape"], dtype=np.int64))
        found = np.frombuffer(message, kind, count, 8 + length + place["offset"])
        arrays[name] = found.reshape(place["shape"])
    return header, arrays
