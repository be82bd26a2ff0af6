"""Losses: pure functions of tensors, one file for each idea."""

from training.losses.averaging import average, charbonnier
from training.losses.depth import depth_loss
from training.losses.flow import flow_loss, visibility_loss
from training.losses.flow_matching import flow_matching_errors, flow_matching_loss
from training.losses.preference import dpo_loss
from training.losses.relational import cosine_gram, relational_alignment_loss
from training.losses.trajectory import predicted_tracks, trajectory_alignment_loss
from training.losses.warp import rgb_warp_loss, warp_loss

__all__ = [
    "average",
    "charbonnier",
    "cosine_gram",
    "depth_loss",
    "dpo_loss",
    "flow_loss",
    "flow_matching_errors",
    "flow_matching_loss",
    "predicted_tracks",
    "relational_alignment_loss",
    "rgb_warp_loss",
    "trajectory_alignment_loss",
    "visibility_loss",
    "warp_loss",
]
