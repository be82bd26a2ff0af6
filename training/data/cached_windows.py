"""Encoded windows kept on disk: latents, and whatever else costs more to make than to read."""

import contextlib
import hashlib
import logging
import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import final

import torch
import torch.utils.data
from torch import Tensor

from simfactory.errors import SpecError, StoreError
from training.data.sample import Sample
from training.data.window_dataset import WindowDataset
from training.data.windows import WindowKey

__all__ = ["CachedWindows", "Codec"]

Codec = Callable[[Sample], Mapping[str, Tensor]]

_LOG = logging.getLogger(__name__)
_LOOKS = 64  # a process counts the files anew after writing this share of what may be kept
_DAMAGED = (EOFError, OSError, RuntimeError, pickle.UnpicklingError, KeyError, ValueError)


@final
class CachedWindows(torch.utils.data.Dataset[Sample]):
    """Windows as a codec leaves them, each encoded once: a hit reads one file and no clip.

    A file's name follows from clip id, first frame, length, crop, size, outputs and the codec's digest. Files appear
    whole or not at all; any number of processes may share the folder. When `max_bytes` are kept, further windows are
    encoded anew each time: epochs visit all windows alike, so that replacing kept ones would only lose hits. Windows
    that begin or are cropped at random seldom come twice: cache fixed ones.

    Args:
        dataset: Where windows come from; without a transform.
        folder: Where files are kept; made if it is missing.
        codec: Takes a decoded sample, returns the tensors that are kept, e.g. latents, and targets at their size. Its
            result depends on the sample alone. It must be possible to pickle it if there are workers.
        digest: Names the codec, its weights and options: with another digest everything is encoded anew.
        max_bytes: Most that is kept, exceeded by at most 1/64 per process [bytes].

    Raises:
        SpecError: The dataset has a transform or leaves samples stored, the digest is empty, or nothing may be kept.
        StoreError: The folder cannot be made.
    """

    def __init__(
        self, dataset: WindowDataset, *, folder: str | os.PathLike[str], codec: Codec, digest: str, max_bytes: int
    ) -> None:
        if dataset.transform is not None or not dataset.decode:
            raise SpecError(
                "a cache keeps what always is the same: give it a dataset without transform, with decode=True"
            )
        if not digest or max_bytes < 1:
            raise SpecError(f"digest={digest!r}, max_bytes={max_bytes}; give a name of the codec and a positive size")
        self._dataset = dataset
        self._codec = codec
        self._max_bytes = max_bytes
        self._folder = Path(folder)
        told = (digest, dataset.windows.length, dataset.framing, dataset.outputs, dataset.track_limit)
        self._prefix = repr(told)
        self._kept: int | None = None  # bytes, as of the last look
        self._written = 0  # since then
        self._full = False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self._folder}: {error.strerror}; choose a folder that can be written") from error

    def __getitem__(self, key: WindowKey) -> Sample:
        """Return the encoded window that a key names.

        Raises:
            StoreError: The clip lacks a modality, or the cache cannot be written.
            CorruptClip: Its bytes are damaged.
        """
        path = self.path(key)
        kept = _read(path)
        if kept is None:
            sample = self._dataset[key]
            kept = replace(
                sample, tensors={name: tensor.detach().cpu() for name, tensor in self._codec(sample).items()}
            )
            self._write(path, kept)
        return replace(kept, source=self._dataset.sources[key.source].name)

    def fill(self, keys: Iterable[WindowKey]) -> int:
        """Encode the windows that are not there yet, in this process; return how many that were."""
        missing = [key for key in keys if not self.path(key).is_file()]
        for key in missing:
            self[key]
        return len(missing)

    def path(self, key: WindowKey) -> Path:
        """Return the file of a window, whether or not it is there."""
        told = f"{self._prefix}/{key.clip_id}/{key.start}/{key.top}/{key.left}"
        name = hashlib.sha256(told.encode()).hexdigest()[:40]
        return self._folder / name[:2] / f"{name}.pt"

    def kept_bytes(self) -> int:
        """Return how much the folder holds [bytes]."""
        total = 0
        for path in self._folder.glob("*/*.pt"):
            with contextlib.suppress(FileNotFoundError):  # another process may clear it
                total += path.stat().st_size
        return total

    def _write(self, path: Path, sample: Sample) -> None:
        if self._full:
            return
        try:
            path.parent.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
                part = Path(file.name)
                try:
                    torch.save(_as_dict(sample), file)
                    file.flush()
                    os.fsync(file.fileno())
                    if self._has_room(file.tell()):
                        part.replace(path)
                finally:
                    part.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"{path}: {error.strerror}; make room, or give another folder or a smaller max_bytes"
            ) from error

    def _has_room(self, size: int) -> bool:
        if self._kept is None or self._written > self._max_bytes / _LOOKS:
            self._kept, self._written = self.kept_bytes(), 0
        self._full = self._kept + self._written + size > self._max_bytes
        if self._full:
            _LOG.warning("%s: %d bytes are kept; further windows are encoded each time", self._folder, self._max_bytes)
        else:
            self._written += size
        return not self._full


def _as_dict(sample: Sample) -> dict[str, object]:
    return {
        "tensors": {name: tensor.clone() for name, tensor in sample.tensors.items()},  # not the storage it is a view of
        "clip_id": sample.clip_id,
        "start": sample.start,
        "fps": sample.fps,
        "caption": sample.caption,
    }


def _read(path: Path) -> Sample | None:
    """Return what a file holds; None if it is not there or damaged."""
    try:
        with path.open("rb") as file:
            return Sample(**torch.load(file, weights_only=True), source="")
    except FileNotFoundError:
        return None
    except _DAMAGED as error:
        _LOG.warning("%s: damaged (%s); the window is encoded anew", path, error)
        return None
