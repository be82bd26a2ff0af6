"""A run of Physics-IQ over a benchmark folder and a folder of generated videos, written as one table."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError, StoreError
from training.evaluation.physics_iq import (
    PhysicsIqClip,
    PhysicsIqScore,
    PhysicsIqTake,
    physics_iq_clip,
    physics_iq_score,
    physics_iq_take,
)
from training.evaluation.physics_iq_cases import PhysicsIqCase, find_generated, find_physics_iq_cases
from training.evaluation.videos import frames_at, read_frames, video_fps

__all__ = ["PhysicsIqRow", "PhysicsIqTable", "run_physics_iq"]

UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsIqRow:
    """One view of one scenario.

    Attributes:
        id: Of the case.
        scenario: Its name.
        view: Its view.
        clip: What was measured.
        switch_mse: Mean squared difference of the generated video's first frame and the switch frame, colours in 0…1:
            large where the model was not given it. None without a switch frame.
    """

    id: str
    scenario: str
    view: str
    clip: PhysicsIqClip
    switch_mse: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsIqTable:
    """Physics-IQ of one folder of generated videos.

    Attributes:
        fps: Frame rate at which videos were compared [1/s].
        duration: What was compared of each [s].
        score: Of all rows.
        rows: One for each generated video.
        missing: Ids of cases that have none; a score with some is not that of the benchmark.
    """

    fps: float
    duration: float
    score: PhysicsIqScore
    rows: tuple[PhysicsIqRow, ...]
    missing: tuple[str, ...]


def run_physics_iq(
    benchmark: Path,
    generated: Path,
    *,
    table: Path,
    duration: float = 5.0,
    reduction: int = 4,
    allow_missing: bool = False,
) -> PhysicsIqTable:
    """Compare generated videos with the real ones and write the table as JSON.

    Generated videos share one frame rate; real ones of that rate are taken, with their published masks where there are
    some, or else resampled from 30 frames a second.

    Args:
        benchmark: Folder in the public layout, see `find_physics_iq_cases`.
        generated: Folder of videos, see `find_generated`.
        table: The JSON file to write; its folder is made.
        duration: What is compared of each video, from its beginning [s].
        reduction: By which the real videos' height and width are divided before anything is compared.
        allow_missing: Whether cases without a generated video are listed rather than refused.

    Raises:
        SpecError: The generated videos differ in frame rate; the duration or the reduction is out of range.
        StoreError: A folder or a file is missing, unreadable or too short.

    **Source**: google-deepmind/physics-IQ-benchmark, `run_physics_iq.py`.
    """
    fps = _common_fps(generated)
    frame_count = round(fps * duration)
    if frame_count < 1 or reduction < 1:
        raise SpecError(
            f"duration is {duration} s at {fps:g} fps, reduction {reduction}; give one frame or more, and 1"
        )
    cases = find_physics_iq_cases(benchmark, fps=fps)
    videos = find_generated(generated, cases)
    missing = tuple(case.id for case in cases if case.id not in videos)
    if missing and not allow_missing:
        raise StoreError(
            f"{generated} lacks videos of {len(missing)} of {len(cases)} cases ({', '.join(missing[:5])}, …); "
            "generate them, or allow missing ones"
        )
    rows = tuple(
        _row(case, videos[case.id], fps=fps, frame_count=frame_count, reduction=reduction)
        for case in cases
        if case.id in videos
    )
    result = PhysicsIqTable(
        fps=fps,
        duration=duration,
        score=physics_iq_score([row.clip for row in rows]),
        rows=rows,
        missing=missing,
    )
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text(json.dumps(asdict(result), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return result


def _common_fps(generated: Path) -> float:
    if not generated.is_dir():
        raise StoreError(f"{generated} is not there; give the folder of generated videos")
    rates = {path.name: video_fps(path) for path in sorted(generated.glob("*.mp4"))}
    if not rates:
        raise StoreError(f"{generated} holds no .mp4 file")
    if len(set(rates.values())) > 1:
        low, high = min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)
        raise SpecError(
            f"generated videos differ in frame rate: {low} has {rates[low]:g}, {high} has {rates[high]:g}; "
            "write all at one rate"
        )
    return next(iter(rates.values()))


def _row(case: PhysicsIqCase, video: Path, *, fps: float, frame_count: int, reduction: int) -> PhysicsIqRow:
    size = _reduced_size(case.take_1, reduction)
    takes = [
        _real_take(path, masks, case, size=size, fps=fps, frame_count=frame_count)
        for path, masks in ((case.take_1, case.masks_1), (case.take_2, case.masks_2))
    ]
    ours = physics_iq_take(_whole(video, read_frames(video, limit=frame_count), frame_count), size=size)
    return PhysicsIqRow(
        id=case.id,
        scenario=case.scenario,
        view=case.view,
        clip=physics_iq_clip(ours, *takes),
        switch_mse=None if case.switch_frame is None else _switch_mse(case.switch_frame, ours),
    )


def _real_take(
    path: Path, masks: Path | None, case: PhysicsIqCase, *, size: tuple[int, int], fps: float, frame_count: int
) -> PhysicsIqTake:
    if case.fps != int(fps):
        # Blends of masks are no masks: they are found anew in the resampled video.
        return physics_iq_take(
            _whole(path, frames_at(path, fps=fps, duration=frame_count / fps), frame_count), size=size
        )
    frames = _whole(path, read_frames(path, limit=frame_count), frame_count)
    if masks is None:
        return physics_iq_take(frames, size=size)
    mask_frames = _whole(masks, read_frames(masks, limit=frame_count), frame_count)
    return physics_iq_take(frames, size=size, mask_frames=mask_frames)


def _whole(path: Path, frames: Iterable[UInt8], frame_count: int) -> Iterator[UInt8]:
    """Pass frames on, and refuse a file that ends too early."""
    count = 0
    for frame in frames:
        count += 1
        yield frame
    if count != frame_count:
        raise StoreError(f"{path} has {count} frames; {frame_count} are to be compared: write it whole")


def _reduced_size(path: Path, reduction: int) -> tuple[int, int]:
    frame = next(read_frames(path, limit=1), None)
    if frame is None:
        raise StoreError(f"{path} has no frames")
    height, width = frame.shape[0] // reduction, frame.shape[1] // reduction
    if not height or not width:
        raise SpecError(f"{path.name} has {frame.shape[:2]} pixels, too few to divide by {reduction}; reduce by less")
    return height, width


def _switch_mse(path: Path, take: PhysicsIqTake) -> float:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise StoreError(f"{path} cannot be read as an image")
    height, width = take.frames.shape[1:3]
    shown = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), (width, height))
    return float(np.mean(((shown.astype(np.float64) - take.frames[0]) / 255.0) ** 2))
