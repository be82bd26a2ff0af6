"""Models on held-out clips: what their heads read from true videos, and what they make of a first frame."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, final

import numpy as np
import torch

from simfactory.errors import SpecError
from training.data import Source
from training.estimators import DepthEstimator, FlowEstimator
from training.evaluation.depth import Alignment, align_depth, background_depth
from training.evaluation.latent_warp import LatentVideo
from training.evaluation.lpips import Lpips
from training.evaluation.result import TRUTH, EvalClip
from training.evaluation.scoring import ALL_ALIGNMENTS, ClipScores, score_clip
from training.evaluation.truth import ClipTruth, read_truth
from training.model import ClipFormat, TrainedModel
from training.predicting import Prediction, Sampling, predict_clip, read_geometry

__all__ = ["Estimators", "HeldOutClip", "Reader", "common_format", "evaluate_clips", "still"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Estimators:
    """What reads geometry from colours alone; None = nothing does."""

    depth: DepthEstimator | None
    flow: FlowEstimator | None


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """How geometry is read from a video.

    Attributes:
        geometry: `heads`: by the model's own; `estimators`: from the colours.
        estimators: For the latter.
        sampling: How videos are sampled, and at which time heads read.
        lpips: Where LPIPS is wanted.
    """

    geometry: Literal["heads", "estimators"]
    estimators: Estimators
    sampling: Sampling
    lpips: Lpips | None = None

    def likened(self, scores: ClipScores, truth: ClipTruth, video: Prediction) -> ClipScores:
        """Return the figures of a video with LPIPS, if it is wanted."""
        if self.lpips is None:
            return scores
        return replace(scores, values={**scores.values, "lpips": self.lpips.distance(video.frames, truth.exact.frames)})


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOutClip:
    """A clip that was evaluated.

    Attributes:
        truth: Its truth.
        predictions: Column → prediction; the truth and trivial predictors are left out.
        scores: The figures.
    """

    truth: ClipTruth
    predictions: Mapping[str, Prediction]
    scores: EvalClip


def evaluate_clips(
    models: Mapping[str, TrainedModel], source: Source, *, clip: ClipFormat, reader: Reader, seed: int = 0
) -> Iterator[HeldOutClip]:
    """Yield each clip of a source with the figures of all models.

    Columns of a model M are `M, true video` (does it read geometry) and `M, generated` (of the video that it makes of
    the clip's first frame and caption). Beside them are two predictors that know nothing of motion: `still`, the first
    frame with its true depth, at rest; and `background`, the true depth without objects, where the camera is at rest.

    Args:
        models: Name → model.
        source: Held-out clips.
        clip: Frames and size at which they are compared.
        reader: What reads geometry.
        seed: Of noise: clip number k gets seed + k, the same for all models.

    Raises:
        SpecError: A clip is too short or too small, or a model makes no clips of this size.
        StoreError: A clip lacks annotations.
    """
    for number, stored in enumerate(source.dataset):
        truth = read_truth(source, stored, clip)
        columns = {TRUTH: reader.likened(score_clip(truth, truth.exact, is_video=True), truth, truth.exact)}
        columns |= _trivial(truth, reader)
        predictions: dict[str, Prediction] = {}
        for name, model in models.items():
            for column, found in _predictions(name, model, truth, clip, reader, seed + number):
                predictions[column] = found
                columns[column] = _scored(truth, found, model, reader, is_video=column.endswith("generated"))
        yield HeldOutClip(
            truth=truth,
            predictions=predictions,
            scores=EvalClip(clip_id=truth.clip_id, camera_moves=truth.camera_moves, columns=columns),
        )


def still(truth: ClipTruth) -> Prediction:
    """Return the trivial prediction: the first frame, its depth, and nothing moves."""
    exact = truth.exact
    assert exact.depth is not None  # the truth knows
    hit = np.isfinite(exact.depth[0])
    far = float(exact.depth[0][hit].max()) if hit.any() else 1.0
    depth = np.where(hit, exact.depth[0], far)  # the sky has no depth: as far as what is farthest
    flow = np.zeros((len(exact.frames), 2, *depth.shape), np.float32)
    visible = np.ones((len(exact.frames), *depth.shape), np.bool_)
    visible[-1] = False
    return Prediction(
        frames=np.repeat(exact.frames[:1], len(exact.frames), axis=0),
        depth=np.repeat(depth[None], len(exact.frames), axis=0).astype(np.float32),
        flow=flow,
        depth_change=flow[:, 0].copy(),
        visible=visible,
    )


def _trivial(truth: ClipTruth, reader: Reader) -> dict[str, ClipScores]:
    unmoved = still(truth)
    found = {"still": reader.likened(score_clip(truth, unmoved, is_video=True), truth, unmoved)}
    exact = truth.exact.depth
    assert exact is not None  # the truth knows
    shows = ~np.isin(truth.instance, truth.object_ids) & np.isfinite(exact)
    if not truth.camera_moves and shows.any():
        depth = background_depth(exact, truth.instance, object_ids=truth.object_ids).astype(np.float32)
        alone = Prediction(frames=truth.exact.frames, depth=depth)
        found["background"] = score_clip(truth, alone, is_video=False)
    return found


def _predictions(
    name: str, model: TrainedModel, truth: ClipTruth, clip: ClipFormat, reader: Reader, seed: int
) -> Iterator[tuple[str, Prediction]]:
    true_video = Prediction(frames=truth.exact.frames)
    by_heads = reader.geometry == "heads" and model.heads is not None
    if by_heads:
        yield (
            f"{name}, true video",
            read_geometry(model, true_video.frames, time=reader.sampling.geometry_time, seed=seed),
        )
    elif reader.geometry == "estimators":
        yield f"{name}, true video", _estimated(truth, true_video, reader.estimators)
    made = predict_clip(
        model,
        truth.exact.frames[0],
        prompt=truth.caption,
        clip=clip,
        seed=seed,
        sampling=reader.sampling,
        geometry=by_heads,
    )
    if reader.geometry == "estimators":
        made = _estimated(truth, made, reader.estimators)
    yield f"{name}, generated", made


def _estimated(truth: ClipTruth, video: Prediction, estimators: Estimators) -> Prediction:
    """Return a video with what estimators say; depth of unknown scale is aligned with the truth by least squares."""
    depth = flow = None
    if estimators.depth is not None:
        found = estimators.depth.depth(video.frames)
        if estimators.depth.metric:
            depth = found
        else:
            assert truth.exact.depth is not None  # the truth knows
            fitted = align_depth(
                found, truth.exact.depth, alignment="least_squares", quantity=estimators.depth.quantity
            )
            depth = fitted.astype(np.float32)
    if estimators.flow is not None:
        flow = estimators.flow.flow(video.frames)
    return replace(video, depth=depth, flow=flow)


def _scored(truth: ClipTruth, found: Prediction, model: TrainedModel, reader: Reader, *, is_video: bool) -> ClipScores:
    estimator = reader.estimators.depth if reader.geometry == "estimators" else None
    alignments: Sequence[Alignment] = ALL_ALIGNMENTS
    if estimator is not None and not estimator.metric:
        alignments = ("least_squares",)
    latents = _latents(model, found) if is_video else None
    scores = score_clip(truth, found, is_video=is_video, alignments=alignments, latents=latents)
    return reader.likened(scores, truth, found) if is_video else scores


@torch.no_grad()
def _latents(model: TrainedModel, found: Prediction) -> LatentVideo | None:
    """Return a video's latents; None where they are its pixels, whose warp is that of the colours."""
    grid = model.backbone.shape.grid
    if grid.temporal_stride == 1 and grid.spatial_stride == 1:
        return None
    reference = next(model.backbone.parameters())
    video = torch.from_numpy(found.frames).permute(3, 0, 1, 2).unsqueeze(0).to(reference) / 127.5 - 1.0
    latents = model.backbone.encode(video)[0].permute(1, 2, 3, 0).float().cpu().numpy()
    return LatentVideo(latents=latents, temporal_stride=grid.temporal_stride, spatial_stride=grid.spatial_stride)


def common_format(models: Mapping[str, TrainedModel]) -> ClipFormat | None:
    """Return the clips that models were trained on; None if none of them says.

    Raises:
        SpecError: They were trained on clips of different sizes.
    """
    formats = {name: model.clip for name, model in models.items() if model.clip is not None}
    if len({(one.frame_count, one.height, one.width) for one in formats.values()}) > 1:
        told = ", ".join(f"{n}: {c.frame_count} frames of {c.width}x{c.height}" for n, c in formats.items())
        raise SpecError(f"the models make clips of different sizes ({told}): evaluate them one by one")
    return next(iter(formats.values()), None)
