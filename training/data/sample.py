"""One window, and a batch of windows: tensors by name, and where they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self, final

import torch
from torch import Tensor

__all__ = ["Batch", "Sample", "collate"]

_ITEM_GROUPS = ("tracks", "bodies", "contacts", "points")  # their tensors have as many rows as a clip has items


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One window.

    Attributes:
        tensors: As `training.data.OUTPUTS` describes them.
        clip_id: The clip.
        source: Name of the source.
        start: First frame.
        fps: Frames per second [1/s].
        caption: One sentence on what happens; empty if there is none.
    """

    tensors: Mapping[str, Tensor]
    clip_id: str
    source: str
    start: int
    fps: float
    caption: str

    def __getitem__(self, name: str) -> Tensor:
        """Return a tensor by name."""
        return self.tensors[name]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Several windows.

    Attributes:
        tensors: As `training.data.OUTPUTS` describes them, with an axis for the windows in front. Tensors with an axis
            of items (`tracks_*`, `bodies_*`, `contacts_*`, `points_*`) are padded with 0 and False to the largest
            number; `<group>_valid` is False there.
        clip_ids: The clips.
        sources: Names of their sources.
        starts: First frames.
        fps: Frames per second [1/s].
        captions: One sentence each.
    """

    tensors: Mapping[str, Tensor]
    clip_ids: tuple[str, ...]
    sources: tuple[str, ...]
    starts: tuple[int, ...]
    fps: tuple[float, ...]
    captions: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.clip_ids)

    def __getitem__(self, name: str) -> Tensor:
        """Return a tensor by name."""
        return self.tensors[name]

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Self:
        """Return the batch with its tensors on a device."""
        moved = {name: tensor.to(device, non_blocking=non_blocking) for name, tensor in self.tensors.items()}
        return replace(self, tensors=moved)

    def pin_memory(self) -> Self:
        """Return the batch in page-locked memory, from which a GPU copies on its own."""
        return replace(self, tensors={name: tensor.pin_memory() for name, tensor in self.tensors.items()})


def collate(samples: Sequence[Sample]) -> Batch:
    """Return samples as one batch; see `Batch` for what is padded."""
    tensors = {name: _joined(name, [sample[name] for sample in samples]) for name in samples[0].tensors}
    return Batch(
        tensors=tensors,
        clip_ids=tuple(sample.clip_id for sample in samples),
        sources=tuple(sample.source for sample in samples),
        starts=tuple(sample.start for sample in samples),
        fps=tuple(sample.fps for sample in samples),
        captions=tuple(sample.caption for sample in samples),
    )


def _joined(name: str, parts: Sequence[Tensor]) -> Tensor:
    if name.split("_")[0] not in _ITEM_GROUPS:
        return torch.stack(list(parts))
    joined = parts[0].new_zeros((len(parts), max(len(part) for part in parts), *parts[0].shape[1:]))
    for row, part in zip(joined, parts, strict=True):
        row[: len(part)] = part
    return joined
