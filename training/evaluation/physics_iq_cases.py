"""The public folder layout of Physics-IQ: which files belong to which view of which scenario."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simfactory.errors import StoreError

__all__ = ["PhysicsIqCase", "find_generated", "find_physics_iq_cases"]

SOURCE_FPS = 30
# The README says `testing-videos`, the published code `testing`: both are read.
TESTING_FOLDERS = ("testing", "testing-videos")
REAL_NAME = re.compile(
    r"(?P<id>\d{4})_testing-videos_(?P<fps>\d+)FPS_(?P<view>[^_]+)_take-(?P<take>[12])_(?P<scenario>.+)"
)
SWITCH_NAME = re.compile(r"(?P<id>\d{4})_switch-frames_.+")


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsIqCase:
    """One view of one scenario.

    Attributes:
        id: Four digits that begin the names of take 1, of its switch frame and of the generated video.
        scenario: Its name, without the file's suffix.
        view: For example `perspective-left`.
        fps: Of the files [1/s]: the one asked for, or 30 where they are to be resampled.
        take_1: Video of what is to be predicted.
        take_2: The same event, filmed once more.
        masks_1: Published masks of take 1; None where the folder has none at that rate.
        masks_2: Those of take 2.
        switch_frame: The last frame that a model is shown; None where the folder has none.
    """

    id: str
    scenario: str
    view: str
    fps: int
    take_1: Path
    take_2: Path
    masks_1: Path | None
    masks_2: Path | None
    switch_frame: Path | None


def find_physics_iq_cases(benchmark: Path, *, fps: float) -> tuple[PhysicsIqCase, ...]:
    """Return the cases of a benchmark folder, in the order of their ids.

    Real videos are `split-videos/testing/{fps}FPS/{id}_testing-videos_{fps}FPS_{view}_take-{1,2}_{scenario}.mp4`; where
    that rate is not there, those of 30FPS are taken. Their masks are
    `video-masks/real/{fps}FPS/{id}_video-masks_{fps}FPS_{view}_take-{1,2}_{scenario}.mp4`. Switch frames are
    `switch-frames/{id}_switch-frames_anyFPS_{view}_{scenario}.jpg`, with the id of take 1.

    Args:
        benchmark: Folder that holds `split-videos`.
        fps: Frame rate of the generated videos [1/s].

    Raises:
        StoreError: A folder is missing, a name does not fit, or a take is missing, or some have masks and others not.

    **Source**: README of google-deepmind/physics-IQ-benchmark.
    """
    folder = _testing_folder(benchmark, fps)
    takes: dict[tuple[str, str], dict[str, tuple[str, int, Path]]] = {}
    for path in sorted(folder.glob("*.mp4")):
        parts = REAL_NAME.fullmatch(path.stem)
        if parts is None:
            raise StoreError(
                f"{path.name} in {folder} has another name than "
                "{id}_testing-videos_{fps}FPS_{view}_take-{1,2}_{scenario}.mp4; take it out"
            )
        key = (parts["scenario"], parts["view"])
        takes.setdefault(key, {})[parts["take"]] = (parts["id"], int(parts["fps"]), path)
    lonely = [f"{scenario} ({view})" for (scenario, view), found in takes.items() if found.keys() != {"1", "2"}]
    if lonely or not takes:
        raise StoreError(f"{folder} lacks a take of {', '.join(lonely) or 'everything'}; both are needed")
    switch_frames = _switch_frames(benchmark)
    cases = [
        PhysicsIqCase(
            id=found["1"][0],
            scenario=scenario,
            view=view,
            fps=found["1"][1],
            take_1=found["1"][2],
            take_2=found["2"][2],
            masks_1=_masks(benchmark, found["1"][2], found["1"][1]),
            masks_2=_masks(benchmark, found["2"][2], found["2"][1]),
            switch_frame=switch_frames.get(found["1"][0]),
        )
        for (scenario, view), found in takes.items()
    ]
    return tuple(sorted(cases, key=lambda case: case.id))


def find_generated(folder: Path, cases: Sequence[PhysicsIqCase]) -> dict[str, Path]:
    """Return the generated video of each case's id that has one, by the four digits that begin its name.

    Args:
        folder: Videos named `{id}_….mp4`, for example `0001_perspective-left_trimmed-ball-and-block-fall.mp4`.
        cases: What they are for.

    Raises:
        StoreError: The folder is missing or holds no video; a name begins with no case's id; two begin with the same.
    """
    if not folder.is_dir():
        raise StoreError(f"{folder} is not there; give the folder of generated videos")
    known = {case.id for case in cases}
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.mp4")):
        number = path.name.split("_")[0]
        if number not in known:
            raise StoreError(f"{path.name} in {folder} does not begin with the id of a case, like {min(known)}_")
        if number in found:
            raise StoreError(f"{path.name} and {found[number].name} in {folder} have one id; keep one of them")
        found[number] = path
    if not found:
        raise StoreError(f"{folder} holds no .mp4 file")
    return found


def _testing_folder(benchmark: Path, fps: float) -> Path:
    candidates = [
        benchmark / "split-videos" / name / f"{rate}FPS"
        for rate in dict.fromkeys((int(fps), SOURCE_FPS))
        for name in TESTING_FOLDERS
    ]
    for folder in candidates:
        if folder.is_dir():
            return folder
    looked = ", ".join(str(folder.relative_to(benchmark)) for folder in candidates)
    raise StoreError(f"{benchmark} holds none of {looked}; give the folder that was downloaded")


def _masks(benchmark: Path, video: Path, fps: int) -> Path | None:
    folder = benchmark / "video-masks" / "real" / f"{fps}FPS"
    if not folder.is_dir():
        return None
    path = folder / video.name.replace("_testing-videos_", "_video-masks_")
    if not path.is_file():
        raise StoreError(f"{folder} lacks {path.name}; complete it, or take it away to have all masks found anew")
    return path


def _switch_frames(benchmark: Path) -> dict[str, Path]:
    paths = sorted((benchmark / "switch-frames").glob("*.jpg"))
    return {parts["id"]: path for path in paths if (parts := SWITCH_NAME.fullmatch(path.stem)) is not None}
