"""Videos to be labelled: files, and clips of a dataset, as frames one at a time."""

import hashlib
import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt

from simfactory.dataset import Clip, Dataset, open_dataset
from simfactory.errors import SpecError, StoreError
from simfactory.splits import split_of
from training.evaluation.videos import read_frames, video_fps, video_frame_count

__all__ = ["SUFFIXES", "StoredVideo", "Video", "VideoFile", "find_videos"]

UInt8 = npt.NDArray[np.uint8]

SUFFIXES = (".avi", ".mkv", ".mov", ".mp4", ".webm")
_WHOLE = 0.9  # share of the stated frames that a file must hold: containers without an index state estimates
_BLOCK = 8  # frames of a clip that are read at a time: the store's chunk


class Video(ABC):
    """Something with frames.

    Attributes:
        name: Its path below what was given, or the id of its clip.
        source: What its clips will be made from.
    """

    name: str
    source: Literal["video", "model"]

    @abstractmethod
    def digest(self) -> str:
        """Return what tells its content from any other, in hex.

        Raises:
            StoreError: It cannot be read.
        """

    @abstractmethod
    def fps(self) -> float:
        """Return its frame rate [1/s].

        Raises:
            StoreError: It cannot be read, or states none.
        """

    @abstractmethod
    def frames(self) -> Iterator[UInt8]:
        """Yield its frames, `(height, width, 3)` uint8 RGB.

        Raises:
            StoreError: It cannot be read, or ends before its end.
        """

    @abstractmethod
    def caption(self) -> str:
        """Return one sentence on what it shows; empty if nobody said."""

    @abstractmethod
    def split(self, shares: tuple[float, float, float]) -> str:
        """Return the split of its clips: all those of a video are in one."""


@final
class VideoFile(Video):
    """A file.

    Args:
        path: The file.
        name: See `Video`.
    """

    source = "video"

    def __init__(self, path: Path, *, name: str) -> None:
        self.path, self.name = path, name

    def digest(self) -> str:
        """Return the SHA-256 of the file's bytes."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise StoreError(f"{self.name} cannot be read: {error.strerror}") from error

    def fps(self) -> float:
        """Return the frame rate that the file states [1/s]."""
        return video_fps(self.path)

    def frames(self) -> Iterator[UInt8]:
        """Yield what can be decoded; a file that holds far fewer frames than it states raises at its end."""
        count = 0
        for frame in read_frames(self.path):
            count += 1
            yield frame
        stated = video_frame_count(self.path)
        if count < max(_WHOLE * stated, 1):
            raise StoreError(f"{self.name} ends after {count} of {stated} frames; is the file whole?")

    def caption(self) -> str:
        """Return the text beside the file, `NAME.txt` or `caption` of `NAME.json`, else the words of its name."""
        text, record = (self.path.with_suffix(suffix) for suffix in (".txt", ".json"))
        if text.is_file():
            return " ".join(text.read_text(encoding="utf-8", errors="replace").split())
        if record.is_file():
            return _told(record)
        return " ".join(re.sub(r"[\W_]+", " ", self.path.stem).split())

    def split(self, shares: tuple[float, float, float]) -> str:
        """Return the split in whose share the digest falls."""
        return split_of(int(self._digest[:13], 16) / 16**13, shares)


@final
class StoredVideo(Video):
    """A clip of a dataset, of which the colours alone are read.

    Args:
        clip: The clip.
    """

    def __init__(self, clip: Clip) -> None:
        self.name = clip.id
        self.source = "model" if clip.source == "model" else "video"
        self._clip = clip

    def digest(self) -> str:
        """Return the clip's id, which follows from all that decides its content."""
        return self._clip.id

    def fps(self) -> float:
        """Return the clip's frame rate [1/s]."""
        return self._clip.fps

    def frames(self) -> Iterator[UInt8]:
        """Yield the clip's frames."""
        for start in range(0, self._clip.frame_count, _BLOCK):
            length = min(_BLOCK, self._clip.frame_count - start)
            for frame in self._clip.window(start, length, modalities=["rgb"])["rgb"]:
                yield np.asarray(frame, np.uint8)

    def caption(self) -> str:
        """Return the clip's caption."""
        return self._clip.caption

    def split(self, shares: tuple[float, float, float]) -> str:
        """Return the split that the clip is in; that of its id if it is in none."""
        row = self._clip.record["row"]
        listed = row.get("split") if isinstance(row, dict) else None
        return str(listed) if listed else split_of(int(self._clip.id[:13], 16) / 16**13, shares)


def find_videos(path: str | os.PathLike[str]) -> list[Video]:
    """Return the videos of a file, of a folder at any depth, or the clips of a dataset, in an order of their own.

    Raises:
        SpecError: There are none.
        StoreError: A dataset cannot be read.
    """
    text = os.fspath(path)
    if "://" in text or (Path(text) / "dataset.json").is_file():
        return [StoredVideo(clip) for clip in _with_colour(open_dataset(text))]
    root = Path(text)
    if root.is_file():
        return [VideoFile(root, name=root.name)]
    files = sorted(file for file in root.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise SpecError(
            f"{text} holds no video; give a folder with {', '.join(SUFFIXES)} files, one such file, or a dataset"
        )
    return [VideoFile(file, name=file.relative_to(root).as_posix()) for file in files]


def _with_colour(dataset: Dataset) -> list[Clip]:
    clips = [clip for clip in dataset if "rgb" in clip.modalities]
    if not clips:
        raise SpecError(f"{dataset.path} holds no clip with rgb; give one that does, or a folder of video files")
    return clips


def _told(path: Path) -> str:
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8"))  # Any: JSON of somebody else
    except ValueError as error:
        raise StoreError(f"{path} is beside a video and no JSON: {error}; mend or remove it") from error
    caption = record.get("caption") if isinstance(record, dict) else None
    return caption if isinstance(caption, str) else ""
