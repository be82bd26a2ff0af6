"""Everything that a prediction of a clip is measured by, against the clip's truth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar, final

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from training.evaluation.chamfer import chamfer_metrics
from training.evaluation.depth import Alignment, depth_metrics, object_depth_metrics
from training.evaluation.flow import MotionBin, epe_by_motion, flow_metrics, object_flow_metrics
from training.evaluation.image import image_metrics
from training.evaluation.latent_warp import LatentVideo, latent_warp
from training.evaluation.metrics import aligned
from training.evaluation.novel_time import novel_time_metrics
from training.evaluation.physics import physics_scores
from training.evaluation.tracking import chained_positions, counted, lifted_positions, tapvid_scores
from training.evaluation.truth import ClipTruth
from training.evaluation.warp import rgb_warp_metrics, warp_metrics
from training.evaluation.worldline import worldline_metrics
from training.predicting import Prediction

__all__ = ["ALL_ALIGNMENTS", "ClipScores", "score_clip"]

ALL_ALIGNMENTS: tuple[Alignment, ...] = ("none", "median", "least_squares")
POINTS = 20_000  # of a clip, at most about so many are compared as a cloud
NOTHING = "nothing valid"  # how metrics begin to say that there is nothing to compare

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Result = TypeVar("Result")
Scores = dict[str, float]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class ClipScores:
    """The figures of one prediction of one clip.

    Attributes:
        values: Name in `METRICS` → value; what cannot be measured on this clip is left out.
        drift: Mean deviation of worldlines at each frame [m], NaN where none counts; empty without depth.
        motion: End-point error by size of the true motion; empty without flow.
    """

    values: Mapping[str, float]
    drift: Sequence[float] = ()
    motion: Sequence[MotionBin] = ()


def score_clip(
    truth: ClipTruth,
    guess: Prediction,
    *,
    is_video: bool,
    alignments: Sequence[Alignment] = ALL_ALIGNMENTS,
    latents: LatentVideo | None = None,
) -> ClipScores:
    """Measure a prediction in every way that it allows.

    The truth measured so gives the floor of every figure. Where the truth hits nothing, the sky, depth does not count.

    Args:
        truth: Of the clip.
        guess: Frames, and what is said of depth and motion.
        is_video: Whether its frames are a prediction, and not the clip's own.
        alignments: How its depth may be aligned: depth of unknown scale is not compared as it is.
        latents: Its frames as latents, for the warp of latents.

    Raises:
        SpecError: Arrays do not fit the truth, or a prediction is not finite where it must be.
    """
    if guess.depth is not None:
        # What is said of pixels where nothing is hit has nothing to be held against.
        depth = np.where(np.isfinite(_exact(truth.exact.depth)), guess.depth, np.float32(np.inf))
        guess = replace(guess, depth=depth)
    values: Scores = {}
    if is_video:
        likeness = image_metrics(guess.frames, truth.exact.frames)
        values |= {"psnr": likeness.psnr, "psnr_changing": likeness.psnr_changing, "ssim": likeness.ssim}
    if guess.depth is not None:
        values |= _depth_scores(truth, guess.depth, alignments) | _warp_scores(truth, guess.depth)
    motion: Sequence[MotionBin] = ()
    if guess.flow is not None:
        flow = _last(guess.flow)
        values |= _flow_scores(truth, flow) | tapvid_scores(truth, guess)
        for found in _some(partial(rgb_warp_metrics, guess.frames, flow)):
            values["rgb_warp"] = found.l1
        motion = next(iter(_some(lambda: epe_by_motion(flow, _last(truth.exact.flow), valid=truth.flow_valid))), ())
        if latents is not None:
            for found in _some(partial(latent_warp, latents, flow)):
                values["latent_warp"] = found.l1
    values |= _cloud_scores(truth, guess)
    drift: Sequence[float] = ()
    if guess.depth is not None:
        lines, drift = _worldline_scores(truth, guess)
        values |= lines | physics_scores(truth, guess.depth)
    if guess.depth is not None and guess.flow is not None:
        values |= _novel_time_scores(truth, guess)
    measured = {name: value for name, value in values.items() if not np.isnan(value)}
    return ClipScores(values=measured, drift=drift, motion=motion)


def _some(measure: Callable[[], Result]) -> Sequence[Result]:
    """Return what a metric says, or nothing where a clip gives it nothing to compare."""
    try:
        return (measure(),)
    except SpecError as error:
        if not str(error).startswith(NOTHING):
            raise
        return ()


def _depth_scores(truth: ClipTruth, depth: npt.NDArray[np.float32], alignments: Sequence[Alignment]) -> Scores:
    target = _exact(truth.exact.depth)
    scores: Scores = {}
    for alignment in alignments:
        for found in _some(partial(depth_metrics, depth, target, alignment=alignment)):
            for name in ("abs_rel", "rmse", "delta1", "delta2", "delta3"):
                scores[aligned(name, alignment)] = getattr(found, name)
        on_objects = partial(object_depth_metrics, object_ids=truth.object_ids, alignment=alignment)
        for objects in _some(partial(on_objects, depth, target, truth.instance)):
            scores[aligned("object_abs_rel", alignment)] = objects.mean.abs_rel
    return scores


def _flow_scores(truth: ClipTruth, flow: npt.NDArray[np.float32]) -> Scores:
    target, valid = _last(truth.exact.flow), truth.flow_valid
    scores: Scores = {}
    for found in _some(lambda: flow_metrics(flow, target, valid=valid)):
        scores |= {name: getattr(found, name) for name in ("epe", "fl_all", "outlier_1px")}
    for objects in _some(
        lambda: object_flow_metrics(flow, target, truth.instance, object_ids=truth.object_ids, valid=valid)
    ):
        scores |= {"object_epe": objects.mean.epe, "object_fl_all": objects.mean.fl_all}
    return scores


def _warp_scores(truth: ClipTruth, depth: npt.NDArray[np.float32]) -> Scores:
    target, change = _exact(truth.exact.depth), _exact(truth.exact.depth_change)
    flow, visible, valid = _last(truth.exact.flow), truth.exact.visible, truth.flow_valid
    assert visible is not None  # the truth knows
    scores: Scores = {}
    for found in _some(lambda: warp_metrics(depth, target, flow, visible=visible, depth_change=change, valid=valid)):
        scores |= {"warp": found.all.l1, "warp_charbonnier": found.all.charbonnier}
        scores |= {} if found.visible is None else {"warp_visible": found.visible.l1}
        scores |= {} if found.occluded is None else {"warp_occluded": found.occluded.l1}
    for found in _some(lambda: warp_metrics(depth, target, flow, visible=visible, valid=valid, mode="paper")):
        scores["warp_paper"] = found.all.l1
    for found in _some(
        lambda: warp_metrics(
            depth, target, flow, visible=visible, depth_change=change, valid=valid, reference="predicted"
        )
    ):
        scores["warp_self"] = found.all.l1
    return scores


def _cloud_scores(truth: ClipTruth, guess: Prediction) -> Scores:
    height, width = truth.exact.frames.shape[1:3]
    frame_count = len(truth.exact.frames)
    stride = max(1, int(np.ceil(np.sqrt(frame_count * height * width / POINTS))))
    scores: Scores = {}
    for name, moving in (("chamfer", False), ("chamfer_moving", True)):
        ours, theirs = (
            one.cloud(truth.intrinsics, truth.camera_to_world, fps=truth.fps, stride=stride, moving=moving)
            for one in (guess, truth.exact)
        )
        if ours is None or theirs is None or not len(theirs.position):
            continue
        if len(ours.position):
            found = chamfer_metrics(ours.position, theirs.position, duration=frame_count / truth.fps)
            scores[name] = found.chamfer
        else:
            # A prediction in which nothing moves: both ways, each point misses by all that the true ones span.
            span = theirs.position[:, :3].max(axis=0) - theirs.position[:, :3].min(axis=0)
            scores[name] = 2.0 * float(np.linalg.norm(span))
    return scores


def _worldline_scores(truth: ClipTruth, guess: Prediction) -> tuple[Scores, Sequence[float]]:
    assert guess.depth is not None  # its caller asks
    tracks, counts = truth.tracks, counted(truth)
    positions = lifted_positions(truth, guess.depth, tracks.image)
    scores: Scores = {}
    drift: Sequence[float] = ()
    for found in _some(lambda: worldline_metrics(positions, tracks.world, visible=counts)):
        drift = found.drift
        scores |= {
            "worldline": found.l2,
            "worldline_drift": found.mean_drift,
            "worldline_final": found.final_drift,
            "worldline_failure": found.failure_rate,
            "worldline_length": found.valid_length,
        }
    on_objects = counts & np.isin(tracks.instance, truth.object_ids)[:, None]
    for found in _some(lambda: worldline_metrics(positions, tracks.world, visible=on_objects)):
        scores["object_worldline"] = found.l2
    if guess.flow is not None:
        chained = chained_positions(truth, guess.depth, guess.flow)
        begun = counts & counts[:, :1]
        for found in _some(lambda: worldline_metrics(chained, tracks.world, visible=begun)):
            scores |= {"chained_worldline": found.l2, "chained_failure": found.failure_rate}
    return scores, drift


def _novel_time_scores(truth: ClipTruth, guess: Prediction) -> Scores:
    change = _exact(truth.exact.depth_change)
    for found in _some(
        lambda: novel_time_metrics(
            _exact(guess.depth),
            _last(guess.flow),
            _exact(truth.exact.depth),
            _last(truth.exact.flow),
            depth_change=change,
            predicted_change=guess.depth_change,
        )
    ):
        return {
            "novel_depth": found.depth_error,
            "novel_abs_rel": found.abs_rel,
            "novel_warp": found.warp_error,
            "novel_coverage": found.coverage,
        }
    return {}


def _exact(values: npt.NDArray[np.float32] | None) -> npt.NDArray[np.float32]:
    assert values is not None  # the truth, or what its caller has asked for
    return values


def _last(flow: npt.NDArray[np.float32] | None) -> npt.NDArray[np.float32]:
    """Return flow with (du, dv) as its last axis."""
    return np.ascontiguousarray(_exact(flow).transpose(0, 2, 3, 1))
