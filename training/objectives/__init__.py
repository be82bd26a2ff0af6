"""Objectives: what a batch costs a model, as the sum of losses that the configuration gives a weight."""

from training.objectives.alignment import alignment_block
from training.objectives.draws import Draws, draw
from training.objectives.objective import Encoded, Objective, StepResult, encoded

__all__ = ["Draws", "Encoded", "Objective", "StepResult", "alignment_block", "draw", "encoded"]
