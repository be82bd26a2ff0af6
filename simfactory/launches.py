"""Whose turn it is on a device: nobody launches kernels while somebody records some as a graph.

Warp records every launch of the process on a device, of whatever thread it is, so that a launch by another thread would
be replayed for ever after. Steps that are replayed need no turn.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["turn"]

_turn = threading.RLock()


@contextmanager
def turn() -> Iterator[None]:
    """Have the device to oneself: to record a graph, or to launch from a thread beside one that records."""
    with _turn:
        yield
