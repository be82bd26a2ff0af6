"""Robot arms: where they stand, how they are planned to move, and the bodies and joints that come of it."""

from layouts.arms.bench import BEFORE, OPEN, Bench, bench
from layouts.arms.plan import DOWN, Plan, Planner, approach

__all__ = ["BEFORE", "DOWN", "OPEN", "Bench", "Plan", "Planner", "approach", "bench"]
