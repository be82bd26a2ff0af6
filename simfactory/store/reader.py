"""Opens the arrays of a committed clip: through tensorstore where it is installed, else through zarr."""

import importlib.util
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, final

import numpy as np

from simfactory.errors import CorruptClip, StoreError
from simfactory.store.base import Volume
from simfactory.store.canonical import JSON
from simfactory.store.local import LocalVolume
from simfactory.store.location import Location
from simfactory.store.precision import Array
from simfactory.store.schema import CLIP_SCHEMA, Document

if TYPE_CHECKING:
    import tensorstore
    import zarr

__all__ = ["ClipArrays", "Engine", "Selection", "clip_arrays", "open_arrays"]

Engine: TypeAlias = Literal["auto", "tensorstore", "zarr"]
Selection: TypeAlias = tuple[slice, ...]
_ROOT = "zarr.json"
# Readers run side by side in worker processes: one decoding thread each gives up to a quarter more windows per
# CPU-second than tensorstore's own choice of one per core.
_ONE_DECODER = {"data_copy_concurrency": {"limit": 1}}
# Over a network a shard's index is a request of its own, so the indexes of the clips in use are kept. They share the
# pool with decoded chunks, whose use is a by-product.
_REMOTE_POOL_BYTES = 64 << 20
_RETRIES = {"max_retries": 5, "initial_delay": "200ms", "max_delay": "5s"}
_READ_ERRORS = (ValueError, RuntimeError, OSError, KeyError, TypeError)
# How tensorstore begins what it says when the network or the service is at fault, not the bytes.
_UNREACHED = ("ABORTED", "CANCELLED", "DEADLINE_EXCEEDED", "PERMISSION_DENIED", "UNAUTHENTICATED", "UNAVAILABLE")


class ClipArrays(ABC):
    """The stored arrays of one clip, opened lazily; elements come as stored, not decoded.

    Attributes:
        path: The clip's Zarr folder, for messages.
        volume: What holds it.
        key: Where it lies in the volume.
        attributes: The clip's attributes.
        documents: Zarr metadata document of every array, by name.
    """

    def __init__(
        self,
        path: Location,
        volume: Volume,
        key: str,
        *,
        attributes: Mapping[str, JSON],
        documents: Mapping[str, Document],
    ) -> None:
        self.path = path
        self.volume = volume
        self.key = key
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
            StoreError: A remote dataset cannot be reached any more, or refuses.
        """
        try:
            for name in selections:
                self._check_files(name)
            return self._read(selections)
        except _READ_ERRORS as error:
            if self.volume.listing != "free" and str(error).startswith(_UNREACHED):
                raise StoreError(f"{self.path}: {sorted(selections)}: {error}; is it still served?") from error
            raise CorruptClip(f"{self.path}: {sorted(selections)}: {error}; run `simfactory verify`") from error

    @abstractmethod
    def raw(self, name: str) -> object:
        """Return the library's own lazy array (a `zarr.Array` or a `tensorstore.TensorStore`)."""

    @abstractmethod
    def _read(self, selections: Mapping[str, Selection]) -> dict[str, Array]:
        """Return the selected parts."""

    def _check_files(self, name: str) -> None:
        """Refuse an array whose files are gone: zarr-python would silently return fill values.

        Over a network a look costs a request, and whoever reads finds out by itself.
        """
        if self.volume.listing != "free":
            return
        document = self.documents[name]
        shape = self.shape(name)
        if 0 in shape:
            return
        grid = cast(dict[str, dict[str, list[int]]], document["chunk_grid"])["configuration"]["chunk_shape"]
        rest = ".0" * (len(shape) - 1)
        for index in range(-(-shape[0] // grid[0])):
            file = f"{name}/c.{index}{rest}"
            if not self.volume.exists(f"{self.key}/{file}"):
                raise FileNotFoundError(f"{self.path / file} is missing")


@final
class _TensorstoreArrays(ClipArrays):
    """Reads through tensorstore, without the interpreter's lock."""

    @cached_property
    def _opened(self) -> "dict[str, tensorstore.TensorStore]":
        return {}

    def raw(self, name: str) -> object:
        return self._array(name)

    def _array(self, name: str) -> "tensorstore.TensorStore":
        import tensorstore

        if name not in self._opened:
            self._check_files(name)
            remote = self.volume.listing != "free"
            spec = {
                "driver": "zarr3",
                "kvstore": self.volume.kvstore(f"{self.key}/{name}"),
                "metadata": self.documents[name],
                # Committed clips never change, and all their chunks were written.
                "recheck_cached_data": False,
                "recheck_cached_metadata": False,
                "fill_missing_data_reads": False,
            }
            context = _remote_context() if remote else _local_context()
            self._opened[name] = tensorstore.open(spec, open=True, assume_metadata=True, context=context).result()
        return self._opened[name]

    def _read(self, selections: Mapping[str, Selection]) -> dict[str, Array]:
        pending = {name: self._array(name)[selection].read() for name, selection in selections.items()}
        return {name: np.asarray(future.result()) for name, future in pending.items()}


@final
class _ZarrArrays(ClipArrays):
    """Reads through zarr-python, which is always there."""

    def raw(self, name: str) -> object:
        return self._group[name]

    @cached_property
    def _group(self) -> "zarr.Group":
        import zarr

        if isinstance(self.path, Path):
            return zarr.open_group(self.path, mode="r", zarr_format=3)
        from simfactory.store.zarr_store import VolumeStore

        return zarr.open_group(VolumeStore(self.volume, self.key), mode="r", zarr_format=3)

    def _read(self, selections: Mapping[str, Selection]) -> dict[str, Array]:

        # zarr types an array by its metadata format; either is read the same way, hence Any.
        return {name: np.asarray(cast("zarr.Array[Any]", self.raw(name))[part]) for name, part in selections.items()}


@cache
def _local_context() -> "tensorstore.Context":
    """Return what all local clips of this process share: with a context each, arrays would have threads of their own.

    Small windows then cost up to twice the CPU time.
    """
    import tensorstore

    return tensorstore.Context(_ONE_DECODER)


@cache
def _remote_context() -> "tensorstore.Context":
    """Return what all remote clips of this process share: one decoding thread, the kept indexes, few retries."""
    import tensorstore

    return tensorstore.Context(
        {
            **_ONE_DECODER,
            "cache_pool": {"total_bytes_limit": _REMOTE_POOL_BYTES},
            "http_request_retries": _RETRIES,
            "s3_request_retries": _RETRIES,
        }
    )


def open_arrays(path: str | os.PathLike[str], *, engine: Engine = "auto") -> ClipArrays:
    """Open the arrays of a clip in a local folder.

    Args:
        path: The clip's `.zarr` folder.
        engine: `tensorstore`, `zarr`, or `auto`: tensorstore if it is installed.

    Raises:
        CorruptClip: The clip's metadata is missing or damaged.
        StoreError: The schema is not ours, or the engine is unknown.
    """
    root = Path(path)
    return clip_arrays(LocalVolume(root.parent), root.name, path=root, engine=engine)


def clip_arrays(volume: Volume, key: str, *, path: Location, engine: Engine = "auto") -> ClipArrays:
    """Open the arrays of the clip at `key` of a volume; `path` is what messages call it.

    Raises:
        CorruptClip: The clip's metadata is missing or damaged.
        StoreError: The schema is not ours, the engine is unknown, or a remote volume cannot be reached.
    """
    kinds: dict[str, type[ClipArrays]] = {"tensorstore": _TensorstoreArrays, "zarr": _ZarrArrays}
    if engine == "auto":
        engine = "tensorstore" if importlib.util.find_spec("tensorstore") else "zarr"
    if engine not in kinds:
        raise StoreError(f"engine {engine!r} is unknown; choose auto, {', '.join(kinds)}")
    try:
        document = json.loads(volume.read(f"{key}/{_ROOT}"))
        attributes = document["attributes"]
        schema = attributes["schema"]
        members: dict[str, Document] = document["consolidated_metadata"]["metadata"]
        arrays = {name: member for name, member in members.items() if member["node_type"] == "array"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptClip(f"{path / _ROOT}: missing or damaged: {error!r}; run `simfactory verify`") from error
    if schema != CLIP_SCHEMA:
        raise StoreError(f"{path}: schema {schema!r}; this version reads {CLIP_SCHEMA!r}")
    return kinds[engine](path, volume, key, attributes=attributes, documents=arrays)
