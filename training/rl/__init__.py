"""Reinforcement learning on 4D scenes: a video model as a policy whose samples are judged by what happens in them."""

from training.rl.advantages import RunningBaseline, advantages, best_and_worst, groups_with_spread, shuffled
from training.rl.copies import WeightCopy
from training.rl.policy import PolicyTerms, chosen_steps, clipped_objective, gaussian_divergence, policy_terms
from training.rl.rollout import Exploration, Rollout, roll_out

__all__ = [
    "Exploration",
    "PolicyTerms",
    "Rollout",
    "RunningBaseline",
    "WeightCopy",
    "advantages",
    "best_and_worst",
    "chosen_steps",
    "clipped_objective",
    "gaussian_divergence",
    "groups_with_spread",
    "policy_terms",
    "roll_out",
    "shuffled",
]
