"""Metrics of what a model predicts, against the simulator's truth."""

from training.evaluation.bootstrap import Interval, PairedDifference, bootstrap_interval, paired_difference
from training.evaluation.chamfer import ChamferMetrics, chamfer_metrics
from training.evaluation.depth import (
    Alignment,
    DepthMetrics,
    ObjectDepthMetrics,
    align_depth,
    background_depth,
    depth_metrics,
    object_depth_metrics,
)
from training.evaluation.dynamics import DynamicsMetrics, PenetrationMetrics, dynamics_metrics, penetration_metrics
from training.evaluation.flow import (
    FlowMetrics,
    MotionBin,
    ObjectFlowMetrics,
    epe_by_motion,
    flow_metrics,
    object_flow_metrics,
    zero_flow_metrics,
)
from training.evaluation.image import ImageMetrics, image_metrics
from training.evaluation.novel_time import NovelTimeMetrics, carry_depth, novel_time_metrics
from training.evaluation.physics_iq import (
    PhysicsIqClip,
    PhysicsIqMeasures,
    PhysicsIqScore,
    PhysicsIqTake,
    motion_masks,
    physics_iq,
    physics_iq_clip,
    physics_iq_score,
    physics_iq_take,
)
from training.evaluation.physics_iq_cases import PhysicsIqCase, find_generated, find_physics_iq_cases
from training.evaluation.physics_iq_run import PhysicsIqRow, PhysicsIqTable, run_physics_iq
from training.evaluation.report import MetricRow, Report, ReportCurve, ReportFiles, ReportPicture, write_report
from training.evaluation.tapvid import TapvidMetrics, TrackQueries, sample_queries, tapvid_metrics
from training.evaluation.videos import frames_at, read_frames, video_fps, video_frame_count
from training.evaluation.warp import RgbWarpMetrics, WarpErrors, WarpMetrics, rgb_warp_metrics, warp_metrics
from training.evaluation.worldline import WorldlineMetrics, chain_flow, lift_tracks, worldline_metrics

__all__ = [
    "Alignment",
    "ChamferMetrics",
    "DepthMetrics",
    "DynamicsMetrics",
    "FlowMetrics",
    "ImageMetrics",
    "Interval",
    "MetricRow",
    "MotionBin",
    "NovelTimeMetrics",
    "ObjectDepthMetrics",
    "ObjectFlowMetrics",
    "PairedDifference",
    "PenetrationMetrics",
    "PhysicsIqCase",
    "PhysicsIqClip",
    "PhysicsIqMeasures",
    "PhysicsIqRow",
    "PhysicsIqScore",
    "PhysicsIqTable",
    "PhysicsIqTake",
    "Report",
    "ReportCurve",
    "ReportFiles",
    "ReportPicture",
    "RgbWarpMetrics",
    "TapvidMetrics",
    "TrackQueries",
    "WarpErrors",
    "WarpMetrics",
    "WorldlineMetrics",
    "align_depth",
    "background_depth",
    "bootstrap_interval",
    "carry_depth",
    "chain_flow",
    "chamfer_metrics",
    "depth_metrics",
    "dynamics_metrics",
    "epe_by_motion",
    "find_generated",
    "find_physics_iq_cases",
    "flow_metrics",
    "frames_at",
    "image_metrics",
    "lift_tracks",
    "motion_masks",
    "novel_time_metrics",
    "object_depth_metrics",
    "object_flow_metrics",
    "paired_difference",
    "penetration_metrics",
    "physics_iq",
    "physics_iq_clip",
    "physics_iq_score",
    "physics_iq_take",
    "read_frames",
    "rgb_warp_metrics",
    "run_physics_iq",
    "sample_queries",
    "tapvid_metrics",
    "video_fps",
    "video_frame_count",
    "warp_metrics",
    "worldline_metrics",
    "write_report",
    "zero_flow_metrics",
]
