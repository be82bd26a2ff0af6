"""Robot arms: where they stand, how they are planned to move, and the bodies and joints that come of it."""

from layouts.arms.arm import Arm, equipped
from layouts.arms.plan import DOWN, Plan, Planner, approach

__all__ = ["DOWN", "Arm", "Plan", "Planner", "approach", "equipped"]
