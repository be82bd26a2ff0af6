"""How kernels are launched on a GPU: recorded as graphs, in turn, and in what order they add up.

Warp records every launch of the process on a device, of whatever thread it is, so that a launch by another thread would
be replayed for ever after: nobody launches while somebody records. Steps that are replayed need no turn.

Where many threads add to one place, a GPU adds in any order, and sums of floating-point numbers depend on it. Modules
whose kernels do so say so (`scatters`); `add_in_order` has them collect what is added and add it sorted by thread, so
that reruns on a GPU are bit-identical. A CPU always adds in one order.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["add_in_order", "adds_in_order", "recorded", "scattering", "scatters", "turn"]

_turn = threading.RLock()
_records: dict[str, int] = {}  # by module
_ordered = threading.Event()


@contextmanager
def turn() -> Iterator[None]:
    """Have the device to oneself: to record a graph, or to launch from a thread beside one that records."""
    with _turn:
        yield


def recorded(work: Callable[[], None], device: Any) -> Callable[[], None]:  # Any: a warp Device
    """Record launches as a graph and return what replays it.

    The work itself is returned where graphs cannot allocate, and on a GPU that adds in order: collecting may run out of
    room, which a graph would not report.
    """
    import warp as wp

    if device.is_cuda and (adds_in_order() or not wp.is_mempool_enabled(device)):
        return work
    with turn(), wp.ScopedCapture(device=device) as capture:
        work()
    return lambda: wp.capture_launch(capture.graph)


def scatters(module: str, *, records: int) -> None:
    """Say that kernels of a module add to places that several threads share, or share out places by counting.

    Args:
        module: Its name.
        records: How often one thread adds to one array at most; more is an error where sums are ordered.
    """
    _records[module] = records
    if _ordered.is_set():
        _order(module)


def scattering() -> tuple[str, ...]:
    """Return the names of the modules that said so, of those that are imported."""
    return tuple(sorted(_records))


def add_in_order() -> None:
    """Have kernels that are launched on a GPU from now on add in a fixed order; costs time and memory.

    Reruns on GPUs of one architecture are then bit-identical. Grains are refused: Newton's MPM has no such mode.
    """
    _ordered.set()
    for module in _records:
        _order(module)


def adds_in_order() -> bool:
    """Tell whether `add_in_order` was called."""
    return _ordered.is_set()


def _order(module: str) -> None:
    import warp as wp

    options = {"deterministic": wp.DeterministicMode.RUN_TO_RUN, "deterministic_max_records": _records[module]}
    wp.set_module_options(options, module)
