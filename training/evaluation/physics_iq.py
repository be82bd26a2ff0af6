"""Physics-IQ: where, when and how much moves in a generated video, against two real takes of the same event."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import cv2
import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from training.evaluation._inputs import Array, Bool, Float64

__all__ = [
    "PhysicsIqClip",
    "PhysicsIqMeasures",
    "PhysicsIqScore",
    "PhysicsIqTake",
    "motion_masks",
    "physics_iq",
    "physics_iq_clip",
    "physics_iq_score",
    "physics_iq_take",
]

# Constants of the public implementation.
BLUR = (5, 5)  # [px]
AVERAGE_WEIGHT = 0.3  # of the newest frame in the running mean
DIFFERENCE = 10  # [grey level] above which a pixel moves
KERNEL = np.ones((5, 5), np.uint8)
MASK_LEVEL = 127  # of 255, above which a resized mask is set
FRAME_DECIMALS = 4  # to which its tables round each frame's figures
RATIO_OFFSET = 1e-8  # added to what the sample-level score divides by

UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsIqTake:
    """A video reduced to what is compared.

    Attributes:
        frames: `(time, height, width, 3)` uint8.
        masks: `(time, height, width)` where something moves.
    """

    frames: UInt8
    masks: Bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsIqMeasures:
    """How alike two videos move.

    Attributes:
        spatiotemporal_iou: Mean over frames of the masks' intersection over union; 1 where both are empty [1].
        spatial_iou: The same of all that ever moves [1].
        weighted_spatial_iou: Σ min / Σ max of the shares of time for which each pixel moves [1].
        mse: Mean squared difference of the frames, colours in 0…1 [1].
    """

    spatiotemporal_iou: float
    spatial_iou: float
    weighted_spatial_iou: float
    mse: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsIqClip:
    """One view of one scenario.

    Attributes:
        generated: Take 1 against the generated video.
        physical: Take 1 against take 2: what even reality does not repeat.
        sample_score: This sample's score, 0…100.
    """

    generated: PhysicsIqMeasures
    physical: PhysicsIqMeasures
    sample_score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsIqScore:
    """Physics-IQ of a set of clips.

    Attributes:
        score: 100 · clip(⅓ Σ IoU / physical IoU − (MSE − physical MSE), 0, 1), of the means over clips.
        stable_score: The same with each of the four parts clipped to 0…1 first.
        verified_score: Mean over clips of their sample score, 0…100.
        generated: Means over clips.
        physical: Means over clips.
        clip_count: Clips.
    """

    score: float
    stable_score: float
    verified_score: float
    generated: PhysicsIqMeasures
    physical: PhysicsIqMeasures
    clip_count: int


def motion_masks(frames: Iterable[Array]) -> Iterator[Bool]:
    """Yield where each frame differs from the running mean of the frames so far.

    Grey → 5×5 Gaussian blur → running mean a ← 0.7 a + 0.3 g → |g − a| > 10 → opening and closing with 5×5 ones. The
    first frame's mask is empty.

    Args:
        frames: Frames `(height, width, 3)`, uint8 RGB, in order.

    Yields:
        `(height, width)` masks.

    **Source**: google-deepmind/physics-IQ-benchmark, `binary_mask_generator.py`. Its masks also pass through a lossy
    video file; these do not.
    """
    average: Float64 | None = None
    for frame in frames:
        grey = cv2.GaussianBlur(cv2.cvtColor(_frame(frame), cv2.COLOR_RGB2GRAY), BLUR, 0)
        if average is None:
            average = grey.astype(np.float64)
            yield np.zeros(grey.shape, bool)
            continue
        cv2.accumulateWeighted(grey, average, AVERAGE_WEIGHT)
        moves = (cv2.absdiff(grey, cv2.convertScaleAbs(average)) > DIFFERENCE).astype(np.uint8)
        opened = cv2.morphologyEx(moves, cv2.MORPH_OPEN, KERNEL)
        yield cv2.morphologyEx(opened, cv2.MORPH_CLOSE, KERNEL) > 0


def physics_iq_take(
    frames: Iterable[Array], *, size: tuple[int, int], mask_frames: Iterable[Array] | None = None
) -> PhysicsIqTake:
    """Reduce a video to what is compared, one frame at a time: masks are found in its own size, then both are resized.

    Args:
        frames: Frames `(height, width, 3)`, uint8 RGB, in order.
        size: (height, width) of the result [px].
        mask_frames: Masks published with the video, `(height, width, 3)` uint8, above 127 where something moves, one
            for each frame; None finds them with `motion_masks`.

    Raises:
        SpecError: There is no frame, one is no uint8 RGB image, or there are more or fewer masks than frames.
    """
    height, width = size
    if height < 1 or width < 1:
        raise SpecError(f"size is {size}; give (height, width) of one pixel or more")
    small: list[UInt8] = []

    def passed() -> Iterator[UInt8]:
        for frame in frames:
            whole = _frame(frame)
            small.append(np.asarray(cv2.resize(whole, (width, height)), np.uint8))
            yield whole

    if mask_frames is None:
        found: Iterator[UInt8] = (mask.astype(np.uint8) * 255 for mask in motion_masks(passed()))
    else:
        found = _published(passed(), mask_frames)
    masks = [cv2.resize(mask, (width, height)) > MASK_LEVEL for mask in found]
    if not small:
        raise SpecError("nothing valid: the video has no frames")
    return PhysicsIqTake(frames=np.stack(small), masks=np.stack(masks))


def physics_iq(generated: Array, take_1: Array, take_2: Array, *, reduction: int = 1) -> PhysicsIqClip:
    """Measure a generated video against two real takes.

    Args:
        generated: `(time, height, width, 3)` uint8 RGB; its height and width may differ from the takes'.
        take_1: `(time, height, width, 3)` uint8 RGB: the take it is compared with.
        take_2: The same event, filmed once more.
        reduction: By which the takes' height and width are divided before anything is compared; the public benchmark
            compares 3840×2160 pixels at 4.

    Raises:
        SpecError: The numbers of frames differ, or the takes' sizes do; something is no uint8 RGB video.

    **Source**: Motamed et al. 2025; google-deepmind/physics-IQ-benchmark, `calculate_and_write_metrics_to_csv.py`.
    """
    videos = {"generated": np.asarray(generated), "take_1": np.asarray(take_1), "take_2": np.asarray(take_2)}
    for name, video in videos.items():
        if video.ndim != 4 or video.shape[-1] != 3 or video.dtype != np.uint8:
            raise SpecError(
                f"{name} has shape {video.shape} and type {video.dtype}; give (time, height, width, 3) uint8"
            )
    if videos["take_1"].shape != videos["take_2"].shape:
        raise SpecError(f"take_1 has shape {videos['take_1'].shape}, but take_2 has {videos['take_2'].shape}")
    height, width = videos["take_1"].shape[1:3]
    size = (height // reduction, width // reduction)
    takes = [physics_iq_take(video, size=size) for video in videos.values()]
    return physics_iq_clip(*takes)


def physics_iq_clip(generated: PhysicsIqTake, take_1: PhysicsIqTake, take_2: PhysicsIqTake) -> PhysicsIqClip:
    """Measure a reduced generated video against two reduced real takes.

    The sample's score is 100 times the mean of four parts, each clipped to 0…1: the three IoUs over the takes' own, and
    the takes' MSE over the video's.

    Raises:
        SpecError: Shapes differ.

    **Source**: As `physics_iq`; the sample's score is Physics-IQ Verified (arXiv 2606.18943),
    `calculate_iq_score_stable.py` of the same repository, `final_score_view`.
    """
    for name, other in (("generated", generated), ("take_2", take_2)):
        if other.frames.shape != take_1.frames.shape:
            raise SpecError(
                f"{name} has shape {other.frames.shape}, but take_1 has {take_1.frames.shape}; "
                "give the same number of frames, at the same rate, and reduce all to one size"
            )
    ours, theirs = _measures(take_1, generated), _measures(take_1, take_2)
    parts = [
        ours.spatiotemporal_iou / (theirs.spatiotemporal_iou + RATIO_OFFSET),
        ours.spatial_iou / (theirs.spatial_iou + RATIO_OFFSET),
        ours.weighted_spatial_iou / (theirs.weighted_spatial_iou + RATIO_OFFSET),
        (theirs.mse + RATIO_OFFSET) / ours.mse if ours.mse else 1.0,
    ]
    return PhysicsIqClip(generated=ours, physical=theirs, sample_score=100.0 * float(np.clip(parts, 0.0, 1.0).mean()))


def physics_iq_score(clips: Sequence[PhysicsIqClip]) -> PhysicsIqScore:
    """Return Physics-IQ of a set of clips: all views of all scenarios, of equal length.

    Raises:
        SpecError: There is no clip; or the two takes of no clip share any motion, so that nothing can be divided by.

    **Source**: Motamed et al. 2025; google-deepmind/physics-IQ-benchmark, `calculate_iq_score_stable.py`
    (`final_score_orig`, `final_score_stable`, `final_score_view`).
    """
    if not clips:
        raise SpecError("nothing valid: there are no clips to score")
    ours, theirs = _mean([clip.generated for clip in clips]), _mean([clip.physical for clip in clips])
    if min(theirs.spatiotemporal_iou, theirs.spatial_iou, theirs.weighted_spatial_iou) <= 0.0:
        raise SpecError(
            "the two takes share no motion in any clip, so there is nothing to divide by; look at the takes"
        )
    ratios = np.array(
        [
            ours.spatiotemporal_iou / theirs.spatiotemporal_iou,
            ours.spatial_iou / theirs.spatial_iou,
            ours.weighted_spatial_iou / theirs.weighted_spatial_iou,
        ]
    )
    excess = ours.mse - theirs.mse
    return PhysicsIqScore(
        score=100.0 * float(np.clip(ratios.mean() - excess, 0.0, 1.0)),
        stable_score=100.0 * float(np.clip(ratios.clip(0.0, 1.0).mean() - np.clip(excess, 0.0, 1.0), 0.0, 1.0)),
        verified_score=float(np.mean([clip.sample_score for clip in clips])),
        generated=ours,
        physical=theirs,
        clip_count=len(clips),
    )


def _frame(frame: Array) -> UInt8:
    given = np.asarray(frame)
    if given.ndim != 3 or given.shape[-1] != 3 or given.dtype != np.uint8:
        raise SpecError(f"a frame has shape {given.shape} and type {given.dtype}; give (height, width, 3) uint8 RGB")
    return np.ascontiguousarray(given, np.uint8)


def _published(frames: Iterable[UInt8], mask_frames: Iterable[Array]) -> Iterator[UInt8]:
    """Yield grey levels of published masks while the frames are passed by."""
    for count, (frame, mask) in enumerate(zip_longest(frames, mask_frames)):
        if frame is None or mask is None:
            more, fewer = ("masks", "frames") if frame is None else ("frames", "masks")
            raise SpecError(f"there are {count} {fewer} and more {more}; give one mask for each frame")
        yield np.ascontiguousarray(_frame(mask)[..., 0])


def _measures(a: PhysicsIqTake, b: PhysicsIqTake) -> PhysicsIqMeasures:
    ious = [_iou(mask_a, mask_b) for mask_a, mask_b in zip(a.masks, b.masks, strict=True)]
    errors = [_mse(frame_a, frame_b) for frame_a, frame_b in zip(a.frames, b.frames, strict=True)]
    share_a, share_b = a.masks.mean(axis=0), b.masks.mean(axis=0)
    union = float(np.maximum(share_a, share_b).sum())
    return PhysicsIqMeasures(
        spatiotemporal_iou=float(np.mean([round(iou, FRAME_DECIMALS) for iou in ious])),
        spatial_iou=_iou(np.asarray(a.masks.any(axis=0)), np.asarray(b.masks.any(axis=0))),
        weighted_spatial_iou=float(np.minimum(share_a, share_b).sum()) / union if union else 1.0,
        mse=float(np.mean([round(error, FRAME_DECIMALS) for error in errors])),
    )


def _iou(a: Bool, b: Bool) -> float:
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 1.0


def _mse(a: UInt8, b: UInt8) -> float:
    # In single precision, as published: a rounded figure may hang on it.
    difference = (a / 255.0).astype(np.float32) - (b / 255.0).astype(np.float32)
    return float(np.mean(difference**2))


def _mean(measures: Sequence[PhysicsIqMeasures]) -> PhysicsIqMeasures:
    return PhysicsIqMeasures(
        spatiotemporal_iou=float(np.mean([part.spatiotemporal_iou for part in measures])),
        spatial_iou=float(np.mean([part.spatial_iou for part in measures])),
        weighted_spatial_iou=float(np.mean([part.weighted_spatial_iou for part in measures])),
        mse=float(np.mean([part.mse for part in measures])),
    )
