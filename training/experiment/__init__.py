"""Experiments: arms that are trained alike but for one thing, judged on the same held-out clips, and compared."""

from training.experiment.chain import ArmChain, PlannedRun, arm_chains, runs_by_depth
from training.experiment.crossed import crossed_interval
from training.experiment.execution import RunCost, read_cost, run_experiment
from training.experiment.figures import Comparison, Figures, beside_trivial, comparisons, figure_rows
from training.experiment.judging import Judged, clip_groups, judge, judged_models, judged_result
from training.experiment.outcome import write_outcome
from training.experiment.plan import PLANS, Arm, ArmStage, Plan, find_plan
from training.experiment.setting import Setting, StepCounts

__all__ = [
    "PLANS",
    "Arm",
    "ArmChain",
    "ArmStage",
    "Comparison",
    "Figures",
    "Judged",
    "Plan",
    "PlannedRun",
    "RunCost",
    "Setting",
    "StepCounts",
    "arm_chains",
    "beside_trivial",
    "clip_groups",
    "comparisons",
    "crossed_interval",
    "figure_rows",
    "find_plan",
    "judge",
    "judged_models",
    "judged_result",
    "read_cost",
    "run_experiment",
    "runs_by_depth",
    "write_outcome",
]
