"""Estimators: depth and flow of a video from its colours alone; what lies in this folder is what there is."""

from training.estimators.base import (
    DepthEstimator,
    Estimator,
    FlowEstimator,
    Frames,
    depth_estimator_names,
    flow_estimator_names,
    load_depth_estimator,
    load_flow_estimator,
    need_frames,
    need_packages,
)

__all__ = [
    "DepthEstimator",
    "Estimator",
    "FlowEstimator",
    "Frames",
    "depth_estimator_names",
    "flow_estimator_names",
    "load_depth_estimator",
    "load_flow_estimator",
    "need_frames",
    "need_packages",
]
