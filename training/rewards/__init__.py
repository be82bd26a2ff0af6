"""Rewards of clips as 4D scenes: one file each, a weighed sum, a gate that they must pass, and judges from outside.

All take predicted scenes and the simulator's truth, and give a number for each clip: 0 is perfect, less is worse.
"""

from training.rewards.gate import GateReport, check_rewards, gate_report, judged_gate_report
from training.rewards.judges import FlowJudge, HeadsJudge, Judge
from training.rewards.scene import NEEDED_OUTPUTS, Reward, Scene4D, Truth4D, swap_clips, truth_of
from training.rewards.total import REWARDS, Judged, TotalReward

__all__ = [
    "NEEDED_OUTPUTS",
    "REWARDS",
    "FlowJudge",
    "GateReport",
    "HeadsJudge",
    "Judge",
    "Judged",
    "Reward",
    "Scene4D",
    "TotalReward",
    "Truth4D",
    "check_rewards",
    "gate_report",
    "judged_gate_report",
    "swap_clips",
    "truth_of",
]
