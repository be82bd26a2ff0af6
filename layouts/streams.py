"""The type through which layouts and scenes receive randomness."""

from typing import Protocol

from simfactory.rng import Stream

__all__ = ["Streams"]


class Streams(Protocol):
    """Names → an independent random stream; the episode's seed, index and attempt are already in it."""

    def __call__(self, *names: str | int) -> Stream:
        """Return the stream of these names, from its beginning."""
        ...
