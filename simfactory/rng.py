"""Named random streams: (seed, name) → independent draws that never shift each other.

Draws come from raw Philox words (whose sequence numpy guarantees) through formulas written here,
so that a numpy release cannot change a sampled scene.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

__all__ = ["Span", "Stream", "stream"]

T = TypeVar("T")


@runtime_checkable
class Span(Protocol):
    """Which values of a parameter are wanted."""

    @property
    def asked(self) -> bool:
        """Whether a range was asked for, rather than a part of the usual one left out."""
        ...

    def moved(self, value: float, usual: tuple[float, float] | None = None) -> float:
        """Return a wanted value for a drawn one, rising with it."""
        ...

    def allows(self, value: float) -> bool:
        """Tell whether a value is wanted."""
        ...


class Stream:
    """A sequence of draws; create one with `stream`."""

    def __init__(self, key: bytes, spans: "Mapping[str, Span] | None" = None) -> None:
        """Start a stream at a 16-byte key; `spans` says how values of named parameters are changed."""
        self._bits = np.random.Philox(key=int.from_bytes(key, "little"))
        self._spans = spans or {}

    def within(self, name: str, value: float, usual: tuple[float, float] | None = None) -> float:
        """Return a drawn value of a named parameter, moved into the range that was asked for; else as it is.

        Nothing is drawn, so that a range moves no other draw.

        Args:
            name: Name of the parameter.
            value: What was drawn.
            usual: What it was drawn from, if that is not the parameter's usual range.
        """
        span = self._spans.get(name)
        return value if span is None else span.moved(value, usual)

    def allows(self, name: str, value: float) -> bool:
        """Tell whether a named parameter may have a value."""
        span = self._spans.get(name)
        return span is None or span.allows(value)

    def asks(self, name: str) -> bool:
        """Tell whether a range was asked for."""
        span = self._spans.get(name)
        return span is not None and span.asked

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """Draw from [low, high)."""
        word = int(self._bits.random_raw()) >> 11
        return low + (high - low) * (word * 2.0**-53)

    def log_uniform(self, low: float, high: float) -> float:
        """Draw from [low, high), uniform in the logarithm; `low` must be positive."""
        return math.exp(self.uniform(math.log(low), math.log(high)))

    def integer(self, low: int, high: int) -> int:
        """Draw an integer from low to high, both included."""
        return low + min(int(self.uniform() * (high - low + 1)), high - low)

    def chance(self, probability: float) -> bool:
        """Draw True with a probability."""
        return self.uniform() < probability

    def choice(self, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """Draw one of the options, by weight if weights are given."""
        if weights is None:
            return options[self.integer(0, len(options) - 1)]
        mark = self.uniform() * math.fsum(weights)
        for option, weight in zip(options, weights, strict=True):
            mark -= weight
            if mark < 0.0:
                return option
        return options[-1]

    def normal(self) -> float:
        """Draw from the standard normal distribution (Box–Muller)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.uniform()))
        return radius * math.cos(2.0 * math.pi * self.uniform())

    def direction(self) -> tuple[float, float, float]:
        """Draw a unit vector, uniform on the sphere."""
        z = self.uniform(-1.0, 1.0)
        angle = self.uniform(0.0, 2.0 * math.pi)
        ring = math.sqrt(1.0 - z * z)
        return ring * math.cos(angle), ring * math.sin(angle), z

    def quat_xyzw(self) -> tuple[float, float, float, float]:
        """Draw a rotation, uniform on SO(3).

        Source: K. Shoemake, "Uniform random rotations", Graphics Gems III (1992).
        """
        u, a, b = self.uniform(), self.uniform(0.0, 2.0 * math.pi), self.uniform(0.0, 2.0 * math.pi)
        s, c = math.sqrt(1.0 - u), math.sqrt(u)
        return s * math.sin(a), s * math.cos(a), c * math.sin(b), c * math.cos(b)


def stream(seed: int, *names: str | int, spans: Mapping[str, Span] | None = None) -> Stream:
    """Return the stream of a seed and a path of names.

    Streams with different names are independent: drawing more from one never changes another.

    Args:
        seed: Any integer.
        *names: What the draws are for, e.g. `"body", 3, "mass"`.
        spans: Name of a parameter → the values of it that are wanted.
    """
    path = "/".join([str(seed), *map(str, names)])
    return Stream(hashlib.sha256(path.encode()).digest()[:16], spans)
