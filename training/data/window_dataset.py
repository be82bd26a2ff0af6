"""Windows of the clips of one or several datasets, as torch tensors."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import final

import torch
import torch.utils.data

from simfactory.errors import SpecError
from training.data.decoding import decoded
from training.data.framing import Framing
from training.data.outputs import checked_outputs
from training.data.sample import Batch, Sample
from training.data.source import Source
from training.data.stored import read_stored
from training.data.windows import WindowKey, Windows

__all__ = ["Transform", "WindowDataset"]

Transform = Callable[[Sample, torch.Generator], Sample]


@final
class WindowDataset(torch.utils.data.Dataset[Sample]):
    """Reads windows by key: what a key names does not depend on what was read before, or by which process.

    It holds no state and can be pickled into `spawn` and `forkserver` workers.

    Args:
        sources: Where keys point to.
        windows: Length of the windows.
        outputs: Names of `training.data.OUTPUTS`.
        framing: Crop and size.
        track_limit: Largest number of tracks of a window, evenly picked from all; None = all.
        transform: Changes samples, e.g. their colours; its generator is seeded for each sample alone. It must be
            possible to pickle it.
        decode: False leaves samples as stored, for `decode_batch` on another device: workers then do little but
            decompress. All clips must have one profile and size, and there can be no transform.

    Raises:
        SpecError: An output is unknown, or options exclude each other.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        windows: Windows,
        outputs: Sequence[str],
        framing: Framing | None = None,
        track_limit: int | None = None,
        transform: Transform | None = None,
        decode: bool = True,
    ) -> None:
        self.sources = tuple(sources)
        self.windows = windows
        self.outputs = checked_outputs(outputs)
        self.framing = framing or Framing()
        self.track_limit = track_limit
        self.transform = transform
        self.decode = decode
        if not decode:
            if transform is not None:
                raise SpecError("a transform takes decoded samples: apply it after decode_batch, or leave decode=True")
            self._check_uniform()

    def __getitem__(self, key: WindowKey) -> Sample:
        """Return the window that a key names.

        Raises:
            StoreError: The clip lacks a modality.
            CorruptClip: Its bytes are damaged.
            IndexError: The window does not lie inside the clip.
        """
        source = self.sources[key.source]
        clip = source.dataset[key.clip_id]
        stored = read_stored(
            clip,
            key,
            length=self.windows.length,
            outputs=self.outputs,
            framing=self.framing,
            may_lack=source.may_lack,
            track_limit=self.track_limit,
            alike=not self.decode,
        )
        if self.decode:
            part = self.framing.part(clip.height, clip.width)
            stored = decoded(stored, outputs=self.outputs, framing=self.framing, part=part)
        sample = Sample(
            tensors=stored,
            clip_id=clip.id,
            source=source.name,
            start=key.start,
            fps=clip.fps,
            caption=clip.caption,
        )
        if self.transform is not None:
            sample = self.transform(sample, torch.Generator().manual_seed(key.seed))
        return sample

    def decode_batch(self, batch: Batch) -> Batch:
        """Return a batch of stored windows in physical units, on the device where it is."""
        part = self.framing.part(*self._picture())
        return replace(batch, tensors=decoded(batch.tensors, outputs=self.outputs, framing=self.framing, part=part))

    def _picture(self) -> tuple[int, int]:
        table = self.sources[0].dataset.table
        return table["height"][0].as_py(), table["width"][0].as_py()

    def _check_uniform(self) -> None:
        kinds: set[object] = set()
        for source in self.sources:
            columns = (source.dataset.table[name].to_pylist() for name in ("profile", "height", "width"))
            kinds |= set(zip(*columns, strict=True))
        if len(kinds) > 1 or any(source.may_lack for source in self.sources):
            raise SpecError(
                f"decode=False takes clips of one profile, height and width that lack nothing; given "
                f"{sorted(kinds, key=str)}: select them by a query, or leave decode=True"
            )
