"""Robot arms on a bench: where they stand, and how a plan of theirs becomes part of a stage."""

from layouts.arms.bench import BEFORE, OPEN, Bench, bench

__all__ = ["BEFORE", "OPEN", "Bench", "bench"]
