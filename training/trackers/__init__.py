"""Point trackers: one file each, found by looking; each exports `TRACKER`, a class."""

import importlib
import pkgutil
from typing import cast

from simfactory.errors import SpecError
from training.trackers.base import PointTracker, TrackSet

__all__ = ["PointTracker", "TrackSet", "load_tracker", "tracker_names"]


def tracker_names() -> tuple[str, ...]:
    """Return the names of all trackers, whether they can run here or not."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "base"))


def load_tracker(name: str, *, device: str = "cpu") -> PointTracker:
    """Return a tracker, ready to be used.

    Raises:
        SpecError: There is no such tracker, or its package or weights are missing; the message says how to get them.
    """
    if name not in tracker_names():
        raise SpecError(f"unknown tracker {name!r}; choose one of {', '.join(tracker_names())}")
    return cast(type[PointTracker], importlib.import_module(f"{__name__}.{name}").TRACKER).load(device=device)
