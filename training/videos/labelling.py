"""Labels a folder of videos into a dataset: one video after another, and on from where a killed run stopped."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
import numpy.typing as npt

from simfactory import catalog
from simfactory.errors import StoreError
from simfactory.footage import Footage
from simfactory.splits import SHARES
from simfactory.store import JSON, ClipWriter, DatasetFolder, Profile, create_dataset, is_committed, record_run
from training.videos.curation import Verdict, judged_shots, used_frames
from training.videos.filters import ShotFilter, choose_filters
from training.videos.funnel import funnel_record
from training.videos.labels import Labeller
from training.videos.ledger import Ledger, VideoRecord
from training.videos.video import Video, find_videos
from training.videos.wanted import Wanted

__all__ = ["Labelling", "label_videos"]

UInt8 = npt.NDArray[np.uint8]
Told = Callable[[int, int, VideoRecord], None]

_CATALOGUED = 50  # videos after which the catalogue learns of their clips


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Labelling:
    """How videos become labelled clips.

    Attributes:
        labeller: What labels them.
        wanted: The form of the clips.
        filters: What shots must pass, in this order.
        shares: Of train, val and test: of video files, by their content; clips of a dataset stay where they are.
    """

    labeller: Labeller
    wanted: Wanted = field(default_factory=Wanted)
    filters: Sequence[ShotFilter] = field(default_factory=choose_filters)
    shares: tuple[float, float, float] = SHARES

    def record(self) -> dict[str, JSON]:
        """Return all that decides what comes of a video, as JSON."""
        ranges: dict[str, JSON] = {
            each.name: {name: [str(low), str(high)] for name, (low, high) in each.ranges.items()}
            for each in self.filters
        }
        shares: list[JSON] = [*self.shares]
        return {
            "command": "label",
            "labels": self.labeller.record(),
            "clips": self.wanted.record(),
            "filters": ranges,
            "shares": shares,
        }


def label_videos(
    videos: str | os.PathLike[str],
    out: str | os.PathLike[str],
    labelling: Labelling,
    *,
    profile: Profile = "portable",
    told: Told | None = None,
) -> dict[str, JSON]:
    """Label videos into a dataset, and return the funnel.

    Every clip and every video's record appears whole or not at all, and what is there is not made again: a run that
    was killed goes on, and a run over more videos looks at the new ones only. Videos that cannot be read are tried
    again by every run.

    Args:
        videos: A folder of video files, one such file, or a dataset whose clips are labelled anew.
        out: Folder or address of the dataset; made if missing.
        labelling: How.
        profile: Precision of a new dataset.
        told: Is told how many videos are done, of how many, and what became of the last one.

    Returns:
        See `funnel_record`; `added` clips came from this run.

    Raises:
        SpecError: There are no videos.
        StoreError: The dataset cannot be read or written.
        ResourceError: The disk is full.
    """
    found = find_videos(videos)
    folder = create_dataset(out, profile=profile)
    request = labelling.record()
    record_run(folder, request)
    ledger = Ledger(folder, request)
    records: list[VideoRecord] = []
    added = 0
    for number, video in enumerate(found):
        record, new = _looked_at(video, folder, labelling, ledger)
        records.append(record)
        added += new
        if told is not None:
            told(number + 1, len(found), record)
        if number % _CATALOGUED == _CATALOGUED - 1:
            catalog.update(folder)
    catalog.update(folder)
    return {**funnel_record(records, labelling.filters), "added": added, "request": request}


def _looked_at(video: Video, folder: DatasetFolder, labelling: Labelling, ledger: Ledger) -> tuple[VideoRecord, int]:
    """Return what became of a video, and how many clips of it are new."""
    try:
        content = video.digest()
        if (known := ledger.find(video.name, content)) is not None:
            return known, 0
        seen = ledger.seen(apart_from=video.name)
        caption = video.caption()
        verdicts = tuple(judged_shots(video, labelling.filters, wanted=labelling.wanted, seen=seen))
    except StoreError as error:
        return VideoRecord(name=video.name, digest="", problem=str(error)), 0
    clips, new = [], 0
    for verdict, frames in _kept(video, verdicts, labelling.wanted):
        footage = _footage(video, verdict, frames, labelling, caption)
        clips.append(footage.clip_id(folder.profile))
        new += _recorded(folder, footage, frames, labelling.labeller)
    record = VideoRecord(name=video.name, digest=content, verdicts=verdicts, clips=tuple(clips))
    ledger.add(record)
    return record, new


def _kept(video: Video, verdicts: Sequence[Verdict], wanted: Wanted) -> Iterator[tuple[Verdict, UInt8]]:
    """Yield the shots that were kept, with their frames in the wanted form: a second pass, as far as it must go."""
    kept = [verdict for verdict in verdicts if verdict.kept]
    if not kept:
        return
    frames = enumerate(used_frames(video, wanted))
    for verdict in kept:
        shot = []
        for number, frame in frames:
            if number >= verdict.start:
                shot.append(wanted.picture(frame))
            if number == verdict.stop - 1:
                break
        yield verdict, np.stack(shot)


def _footage(video: Video, verdict: Verdict, frames: UInt8, labelling: Labelling, caption: str) -> Footage:
    rate = video.fps()
    wanted = labelling.wanted
    origin: dict[str, JSON] = {
        "content": video.digest(),
        "frames": [verdict.start, verdict.stop, wanted.stride(rate)],
        "labels": labelling.labeller.record(),
    }
    return Footage(
        source=video.source,
        origin=origin,
        fps=wanted.rate(rate),
        frame_count=len(frames),
        height=frames.shape[1],
        width=frames.shape[2],
        modalities=("rgb", *labelling.labeller.modalities),
        caption=caption,
        row={"split": video.split(labelling.shares), "video": video.name},
    )


def _recorded(folder: DatasetFolder, footage: Footage, frames: UInt8, labeller: Labeller) -> bool:
    """Label and write a clip; return whether it was missing."""
    clip_id = footage.clip_id(folder.profile)
    if is_committed(folder, clip_id):
        return False
    time = np.arange(len(frames), dtype=np.float64) / footage.fps
    with ClipWriter(
        folder,
        clip_id,
        signals=(*footage.signals(), *labeller.signals),
        frame_count=footage.frame_count,
        height=footage.height,
        width=footage.width,
        attributes=footage.attributes(),
    ) as writer:
        return writer.commit(arrays={"time": time, **labeller.label(frames)}, attributes={}, row=footage.columns())
