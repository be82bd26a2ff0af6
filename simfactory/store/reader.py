"""Opens the arrays of a committed clip: through tensorstore where it is installed, else through zarr."""

import importlib.util
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, final

import numpy as np

from simfactory.errors import CorruptClip, StoreError
from simfactory.store.canonical import JSON
from simfactory.store.precision import Array
from simfactory.store.schema import CLIP_SCHEMA, Document

__all__ = ["ClipArrays", "Engine", "Selection", "open_arrays"]

Engine: TypeAlias = Literal["auto", "tensorstore", "zarr"]
Selection: TypeAlias = tuple[slice, ...]
_ROOT = "zarr.json"
# Readers run side by side in worker processes: one decoding thread each gives up to a quarter more windows per
# CPU-second than tensorstore's own choice of one per core.
_ONE_DECODER = {"data_copy_concurrency": {"limit": 1}}
_READ_ERRORS = (ValueError, RuntimeError, OSError, KeyError, TypeError)


class ClipArrays(ABC):
    """The stored arrays of one clip, opened lazily; elements come as stored, not decoded.

    Attributes:
        path: The clip's Zarr folder.
        attributes: The clip's attributes.
        documents: Zarr metadata document of every array, by name.
    """

    def __init__(self, path: Path, attributes: Mapping[str, JSON], documents: Mapping[str, Document]) -> None:
        self.path = path
        self.attributes = attributes
        self.documents = documents

    @final
    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array."""
        return tuple(cast(list[int], self.documents[name]["shape"]))

    @final
    def read(self, selections: Mapping[str, Selection]) -> dict[str, Array]:
        """Return the selected part of each named array; all are fetched together.

        Raises:
            CorruptClip: A file is missing or does not decode.
        """
        try:
            for name in selections:
                self._check_files(name)
            return self._read(selections)
        except _READ_ERRORS as error:
            raise CorruptClip(f"{self.path}: {sorted(selections)}: {error}; run `simfactory verify`") from error

    @abstractmethod
    def raw(self, name: str) -> object:
        """Return the library's own lazy array (a `zarr.Array` or a `tensorstore.TensorStore`)."""

    @abstractmethod
    def _read(self, selections: Mapping[str, Selection]) -> dict[str, Array]:
        """Return the selected parts."""

    def _check_files(self, name: str) -> None:
        """Refuse an array whose files are gone: both libraries would silently return fill values."""
        document = self.documents[name]
        shape = self.shape(name)
        if 0 in shape:
            return
        grid = cast(dict[str, dict[str, list[int]]], document["chunk_grid"])["configuration"]["chunk_shape"]
        rest = ".0" * (len(shape) - 1)
        for index in range(-(-shape[0] // grid[0])):
            file = self.path / name / f"c.{index}{rest}"
            if not file.exists():
                raise FileNotFoundError(f"{file} is missing")


@final
class _TensorstoreArrays(ClipArrays):
    """Reads through tensorstore, without the interpreter's lock."""

    def __init__(self, path: Path, attributes: Mapping[str, JSON], documents: Mapping[str, Document]) -> None:
        super().__init__(path, attributes, documents)
        self._opened: dict[str, object] = {}

    def raw(self, name: str) -> object:
        import tensorstore

        if name not in self._opened:
            self._check_files(name)
            spec = {
                "driver": "zarr3",
                "kvstore": {"driver": "file", "path": f"{self.path / name}/"},
                "metadata": self.documents[name],
                "context": _ONE_DECODER,
            }
            self._opened[name] = tensorstore.open(spec, open=True, assume_metadata=True).result()
        return self._opened[name]

    def _read(self, selections: Mapping[str, Selection]) -> dict[str, Array]:
        import tensorstore

        pending = {
            name: cast(tensorstore.TensorStore, self.raw(name))[selection].read()
            for name, selection in selections.items()
        }
        return {name: np.asarray(future.result()) for name, future in pending.items()}


@final
class _ZarrArrays(ClipArrays):
    """Reads through zarr-python, which is always there."""

    def __init__(self, path: Path, attributes: Mapping[str, JSON], documents: Mapping[str, Document]) -> None:
        super().__init__(path, attributes, documents)
        self._group: object = None

    def raw(self, name: str) -> object:
        import zarr

        if self._group is None:
            self._group = zarr.open_group(self.path, mode="r", zarr_format=3)
        return cast(zarr.Group, self._group)[name]

    def _read(self, selections: Mapping[str, Selection]) -> dict[str, Array]:
        import zarr

        # zarr types an array by its metadata format; either is read the same way, hence Any.
        return {name: np.asarray(cast("zarr.Array[Any]", self.raw(name))[part]) for name, part in selections.items()}


def open_arrays(path: str | os.PathLike[str], *, engine: Engine = "auto") -> ClipArrays:
    """Open the arrays of a clip folder.

    Args:
        path: The clip's `.zarr` folder.
        engine: `tensorstore`, `zarr`, or `auto`: tensorstore if it is installed.

    Raises:
        CorruptClip: The clip's metadata is missing or damaged.
        StoreError: The schema is not ours, or the engine is unknown.
    """
    kinds: dict[str, type[ClipArrays]] = {"tensorstore": _TensorstoreArrays, "zarr": _ZarrArrays}
    if engine == "auto":
        engine = "tensorstore" if importlib.util.find_spec("tensorstore") else "zarr"
    if engine not in kinds:
        raise StoreError(f"engine {engine!r} is unknown; choose auto, {', '.join(kinds)}")
    root = Path(path)
    try:
        document = json.loads((root / _ROOT).read_bytes())
        attributes = document["attributes"]
        schema = attributes["schema"]
        members: dict[str, Document] = document["consolidated_metadata"]["metadata"]
        arrays = {name: member for name, member in members.items() if member["node_type"] == "array"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptClip(f"{root / _ROOT}: missing or damaged: {error!r}; run `simfactory verify`") from error
    if schema != CLIP_SCHEMA:
        raise StoreError(f"{root}: schema {schema!r}; this version reads {CLIP_SCHEMA!r}")
    return kinds[engine](root, attributes, arrays)
