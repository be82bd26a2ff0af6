"""Python's garbage collector kept away from what is made to last."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["lasting"]


@contextmanager
def lasting() -> Iterator[None]:
    """Make objects that stay for good: the collector neither runs meanwhile nor looks at them later.

    Importing a backend makes a million of them; looking through these again and again is a quarter of its time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
