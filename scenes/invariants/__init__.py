"""What must be seen in every episode of a base scene, and what it is due to."""

from scenes.invariants.causes import CAUSES, Cause, without
from scenes.invariants.check import Verdict, check
from scenes.invariants.invariant import Invariant
from scenes.invariants.measures import MEASURES, MeasureName

__all__ = ["CAUSES", "MEASURES", "Cause", "Invariant", "MeasureName", "Verdict", "check", "without"]
