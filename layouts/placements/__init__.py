"""Placements: each file puts the bodies of one role in place, free of what is already there."""

from layouts.placements.base import Placement, Range

__all__ = ["Placement", "Range"]
