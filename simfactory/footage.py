"""A clip that no simulation made, on its way into the store: what a camera filmed, or what a video model sampled."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, final

import numpy as np
import numpy.typing as npt

from simfactory.annotations import annotations
from simfactory.errors import StoreError
from simfactory.signals import Signal
from simfactory.store import CLIP_SCHEMA, JSON, ClipWriter, clip_id, is_committed, open_folder

__all__ = ["Footage", "is_recorded", "open_footage", "record_footage"]

Array = npt.NDArray[np.generic]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Footage:
    """What is known of such a clip before its first frame.

    Its arrays are those of `simfactory.annotations`, with the same names, axes and units. What nobody measured or
    predicted is left out: no mask where nobody says what is hit, no camera where nobody knows it.

    Attributes:
        source: `video`, or `model` for what a model sampled.
        origin: All that decides the clip's content: of a video the digest of its file and which frames; of a sample
            the model, the prompt, the seed; of labels what estimated them. The clip's id follows from it.
        fps: Frames per second [1/s].
        frame_count: Frames.
        height: Rows [px].
        width: Columns [px].
        modalities: Names of annotations; `time` comes along.
        caption: One sentence on what happens; empty if there is none.
        row: Further columns of the catalogue, such as `split` or `scene`.
    """

    source: Literal["video", "model"]
    origin: Mapping[str, JSON]
    fps: float
    frame_count: int
    height: int
    width: int
    modalities: tuple[str, ...]
    caption: str = ""
    row: Mapping[str, JSON] = field(default_factory=dict)

    def clip_id(self, profile: str) -> str:
        """Return the clip's id in a dataset of a precision profile."""
        return clip_id(
            {
                "source": self.source,
                "origin": dict(self.origin),
                "fps": self.fps,
                "size": [self.frame_count, self.height, self.width],
                "modalities": [*self._all_modalities()],
                "profile": profile,
                "schema": CLIP_SCHEMA,
            }
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the meaning of its arrays.

        Raises:
            StoreError: There is no such modality.
        """
        known = {annotation.name: annotation for annotation in annotations()}
        if unknown := sorted(set(self.modalities) - known.keys()):
            raise StoreError(f"unknown modalities {unknown}; choose from {', '.join(known)}")
        return tuple(signal for name in self._all_modalities() for signal in known[name].signals)

    def columns(self) -> dict[str, JSON]:
        """Return the clip's row in the catalogue."""
        return {**self.row, "source": self.source, "fps": self.fps, "caption": self.caption}

    def attributes(self) -> dict[str, JSON]:
        """Return the clip's attributes."""
        modalities: list[JSON] = [*self._all_modalities()]
        return {
            "source": self.source,
            "origin": dict(self.origin),
            "fps": self.fps,
            "caption": self.caption,
            "modalities": modalities,
        }

    def _all_modalities(self) -> tuple[str, ...]:
        return tuple(sorted({*self.modalities, "time"}))


def is_recorded(dataset: str | os.PathLike[str], footage: Footage) -> bool:
    """Return whether a dataset holds the clip, so that it need not be made."""
    folder = open_folder(dataset)
    return is_committed(folder, footage.clip_id(folder.profile))


def open_footage(dataset: str | os.PathLike[str], footage: Footage) -> ClipWriter:
    """Return what writes the clip frame by frame; `Footage.columns` is the row of its commit.

    Raises:
        StoreError: The dataset is missing or cannot be written, or there is no such modality.
        ResourceError: The disk is full.
    """
    folder = open_folder(dataset)
    return ClipWriter(
        folder,
        footage.clip_id(folder.profile),
        signals=footage.signals(),
        frame_count=footage.frame_count,
        height=footage.height,
        width=footage.width,
        attributes=footage.attributes(),
    )


def record_footage(dataset: str | os.PathLike[str], footage: Footage, arrays: Mapping[str, Array]) -> bool:
    """Write a whole clip.

    Args:
        dataset: Folder or address of a dataset.
        footage: What the clip is.
        arrays: As `Clip.window` returns them: whole arrays by name, ragged ones with `<group>/offsets`. `time` is
            filled in.

    Returns:
        Whether it was written: False if the dataset holds it already.

    Raises:
        StoreError: An array is missing, unknown or mis-shaped, or the dataset cannot be written.
        ResourceError: The disk is full.
    """
    time = np.arange(footage.frame_count, dtype=np.float64) / footage.fps
    ragged = [signal.name for signal in footage.signals() if signal.ragged]
    offsets = {name: f"{name.rpartition('/')[0]}/offsets" for name in ragged}
    if absent := sorted({*ragged, *offsets.values()} - arrays.keys()):
        raise StoreError(f"ragged arrays {absent} are missing; give rows and offsets (frame + 1,), or no such modality")
    with open_footage(dataset, footage) as writer:
        for frame in range(footage.frame_count if ragged else 0):
            edges = {name: arrays[offsets[name]].astype(np.int64)[frame : frame + 2] for name in ragged}
            writer.append({name: arrays[name][start:end] for name, (start, end) in edges.items()})
        apart = {*ragged, *offsets.values()}
        whole = {name: array for name, array in arrays.items() if name not in apart}
        return writer.commit(arrays={"time": time, **whole}, attributes={}, row=footage.columns())
