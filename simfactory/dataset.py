"""Reads datasets: clips by position, id or property, and windows of their frames in physical units."""

import json
import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast, final

import numpy as np

from simfactory import catalog
from simfactory.errors import ClipNotFound, StoreError
from simfactory.signals import Signal
from simfactory.store import JSON, ClipArrays, DatasetFolder, open_folder, read_record
from simfactory.store.commit import clip_key
from simfactory.store.location import location_of
from simfactory.store.precision import Array, Encoding
from simfactory.store.reader import Engine, Selection, clip_arrays
from simfactory.store.schema import encoding_of, signal_of
from simfactory.store.shapes import OFFSETS, group_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Clip", "Dataset", "open_clip", "open_dataset"]

_OPEN_CLIPS = 32
_SPLITS = ("train", "val", "test", "benchmark", "evaluation")  # of specs, without the weight of importing these


@final
class Clip:
    """One camera's recording of one episode, with everything that is known about it.

    Attributes:
        id: 32 hex characters that follow from the clip's content-deciding inputs.
        path: Zarr folder; `xarray.open_zarr(clip.path)` and `zarr.open_group(clip.path)` read it. Its address, if the
            dataset is not in a local folder.
    """

    def __init__(self, folder: DatasetFolder, clip_id: str, *, attempt: str, engine: Engine = "auto") -> None:
        self.id = clip_id
        self._key = clip_key(clip_id, attempt)
        self.path = folder.path / self._key
        self._folder = folder
        self._engine: Engine = engine
        self._offsets: dict[str, Array] = {}

    def __repr__(self) -> str:
        """Return a short description."""
        return f"Clip({str(self.path)!r})"

    @cached_property
    def attributes(self) -> Mapping[str, JSON]:
        """JSON attributes of the clip, as stored."""
        return self._arrays.attributes

    @cached_property
    def signals(self) -> dict[str, Signal]:
        """Meaning of every array, by name."""
        return {name: signal_of(name, document) for name, document in self._arrays.documents.items()}

    @cached_property
    def encodings(self) -> dict[str, Encoding]:
        """How every array is stored (type, step, missing value), by name."""
        return {name: encoding_of(name, document) for name, document in self._arrays.documents.items()}

    @cached_property
    def saturated(self) -> dict[str, int]:
        """How many values were beyond the stored range, by array; arrays where none was are left out.

        Where flow was, bit 5 of `mask` is set.
        """
        documents = self._arrays.documents.items()
        counts = {name: cast(dict[str, JSON], document["attributes"]).get("saturated") for name, document in documents}
        return {name: count for name, count in counts.items() if isinstance(count, int) and count}

    @property
    def modalities(self) -> tuple[str, ...]:
        """Annotation names: arrays at the root, and groups such as `tracks` as a whole."""
        return tuple(sorted({name.split("/")[0] for name in self._arrays.documents}))

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return cast(int, self.attributes["frame_count"])

    @property
    def height(self) -> int:
        """Image height [px]."""
        return cast(int, self.attributes["height"])

    @property
    def width(self) -> int:
        """Image width [px]."""
        return cast(int, self.attributes["width"])

    @property
    def fps(self) -> float:
        """Frames per second [1/s]; frame k is at k / fps.

        Raises:
            StoreError: The clip's writer gave none.
        """
        value = self.attributes.get("fps")
        if not isinstance(value, int | float):
            raise StoreError(f"clip {self.id}: its attributes hold no fps")
        return float(value)

    @property
    def spec(self) -> dict[str, JSON]:
        """Resolved scene spec, as JSON; empty if the clip has none."""
        spec = self.attributes.get("spec")
        return spec if isinstance(spec, dict) else {}

    @property
    def source(self) -> str:
        """What the clip was made from: `simulation`, `video` or `model`."""
        return str(self.attributes.get("source") or "simulation")

    @property
    def caption(self) -> str:
        """One sentence on what happens; empty if the clip has none."""
        return str(self.attributes.get("caption") or "")

    @property
    def quality(self) -> dict[str, JSON]:
        """Quality report; empty if the clip has none."""
        quality = self.attributes.get("quality")
        return quality if isinstance(quality, dict) else {}

    @cached_property
    def record(self) -> dict[str, JSON]:
        """Commit record: files with sizes and digests, spec hash, versions, catalogue row."""
        return read_record(self._folder, self.id)

    def stored_bytes(self) -> dict[str, int]:
        """Return the stored size of every modality, metadata under `zarr.json` [bytes]."""
        sizes: dict[str, int] = {}
        for name, entry in cast(dict[str, dict[str, int]], self.record["files"]).items():
            modality = "zarr.json" if name.endswith("zarr.json") else name.split("/")[0]
            sizes[modality] = sizes.get(modality, 0) + entry["bytes"]
        return sizes

    def array(self, name: str) -> object:
        """Return an array lazily and undecoded: a `tensorstore.TensorStore` or a `zarr.Array`.

        Over HTTP a TensorStore holds the token, and shows it when it is printed.

        Raises:
            StoreError: The clip has no such array.
        """
        self._names([name])
        return self._arrays.raw(name)

    def read(self, name: str) -> Array:
        """Return a whole array in physical units; a ragged one with the rows of all frames.

        Raises:
            StoreError: The clip has no such array.
            CorruptClip: Its bytes are damaged.
        """
        if name not in self._arrays.documents:
            raise StoreError(f"clip {self.id} has no array {name!r}; present: {', '.join(self._arrays.documents)}")
        return self.window(0, self.frame_count, modalities=[name])[name]

    def window(
        self, start: int, length: int, *, modalities: Sequence[str] | None = None, physical: bool = True
    ) -> dict[str, Array]:
        """Return consecutive frames of some modalities, by array name.

        Arrays with a `time` axis are cut along it, wherever it is; arrays without one come whole. A ragged group
        comes as the rows of the window's frames, one after the other, and `<group>/offsets` (length + 1,), counted
        from the window's first row: frame k of the window has rows `offsets[k]` to `offsets[k + 1]`.

        Args:
            start: First frame.
            length: Number of frames. Windows aligned to 8 frames decode least.
            modalities: Names from `modalities`, or single arrays such as `tracks/position`; None = all.
            physical: Decode to the signal's unit (float32, missing values as the signal states them); False
                leaves elements as stored, for dequantising elsewhere with `encodings`.

        Raises:
            IndexError: The window does not lie inside the clip.
            StoreError: The clip lacks a modality.
            CorruptClip: Stored bytes are damaged.
        """
        if start < 0 or length < 1 or start + length > self.frame_count:
            raise IndexError(
                f"frames {start} to {start + length} of clip {self.id}: it has frames 0 to {self.frame_count}, "
                "a window at least one"
            )
        names = self._names(self.modalities if modalities is None else modalities)
        edges = {name: self._edges(name)[start : start + length + 1] for name in names if self._is_ragged(name)}
        whole = [name for name in names if not (name.endswith(f"/{OFFSETS}") and self._ragged_group(group_of(name)))]
        window = self._arrays.read({name: self._selection(name, start, length, edges.get(name)) for name in whole})
        if physical:
            window = {name: self.encodings[name].decode(values) for name, values in window.items()}
        for name in names:
            if name not in window:
                cut = self._edges(name)[start : start + length + 1]
                window[name] = cut - cut[0]
        return {name: window[name] for name in names}

    @cached_property
    def _arrays(self) -> ClipArrays:
        return clip_arrays(self._folder.volume, self._key, path=self.path, engine=self._engine)

    def _names(self, modalities: Sequence[str]) -> list[str]:
        """Return the array names behind modality names, each once."""
        names: dict[str, None] = {}
        for modality in modalities:
            found = [n for n in self._arrays.documents if n == modality or n.startswith(f"{modality}/")]
            if not found:
                raise StoreError(f"clip {self.id} has no {modality!r}; present: {', '.join(self.modalities)}")
            if len(found) == 1 and self._is_ragged(modality):
                found.append(f"{group_of(modality)}/{OFFSETS}")
            names.update(dict.fromkeys(found))
        return list(names)

    def _is_ragged(self, name: str) -> bool:
        return name in self.signals and self.signals[name].ragged

    def _ragged_group(self, group: str) -> bool:
        return any(signal.ragged and group_of(name) == group for name, signal in self.signals.items())

    def _edges(self, name: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
        """Return the row offsets (time + 1,) of the ragged group that holds `name`."""
        key = f"{group_of(name)}/{OFFSETS}"
        if key not in self._offsets:
            self._offsets[key] = self._arrays.read({key: (slice(None),)})[key]
        return cast("np.ndarray[tuple[int, ...], np.dtype[np.int64]]", self._offsets[key])

    def _selection(self, name: str, start: int, length: int, edges: Array | None) -> Selection:
        dims = self.signals[name].dims
        if edges is not None:
            return (slice(int(edges[0]), int(edges[-1])), *(slice(None) for _ in dims[1:]))
        return tuple(slice(start, start + length) if axis == "time" else slice(None) for axis in dims)


@final
class Dataset:
    """The committed clips of a dataset, or those of them that `where` selected; always in the same order.

    It is a snapshot: clips committed later appear when the dataset is opened again. It can be pickled; open it
    with `spawn` or `forkserver` workers, not `fork`.
    """

    def __init__(self, folder: DatasetFolder, table: "pa.Table", *, engine: Engine = "auto") -> None:
        self.path = folder.path
        self.profile = folder.profile
        self.table = table
        self._folder = folder
        self._engine: Engine = engine
        self._opened: OrderedDict[str, Clip] = OrderedDict()

    def __repr__(self) -> str:
        """Return a short description."""
        return f"Dataset({str(self.path)!r}, {len(self)} clips, {self.profile})"

    def __len__(self) -> int:
        """Return the number of clips."""
        return int(self.table.num_rows)

    def __getitem__(self, key: int | str) -> Clip:
        """Return the clip at a position, or with an id.

        Raises:
            IndexError: The position is outside the dataset.
            ClipNotFound: No clip here has this id.
        """
        clip_id, attempt = self._find(key) if isinstance(key, str) else self._at(key)
        if clip_id not in self._opened:
            self._opened[clip_id] = Clip(self._folder, clip_id, attempt=attempt, engine=self._engine)
            if len(self._opened) > _OPEN_CLIPS:
                self._opened.popitem(last=False)
        return self._opened[clip_id]

    def __iter__(self) -> Iterator[Clip]:
        """Yield every clip in order."""
        return (self[position] for position in range(len(self)))

    def __contains__(self, key: object) -> bool:
        """Return whether a clip, or a clip with this id, belongs to the dataset."""
        return (key.id if isinstance(key, Clip) else key) in self._positions

    def __getstate__(self) -> dict[str, object]:
        """Leave open clips behind."""
        return {**self.__dict__, "_opened": OrderedDict()}

    @property
    def ids(self) -> list[str]:
        """Ids of the clips, in order."""
        return cast(list[str], self.table["clip_id"].to_pylist())

    def rows(self) -> list[dict[str, JSON]]:
        """Return the catalogue rows of the clips, in order; `extra` is decoded."""
        rows = self.table.to_pylist()
        return [{**row, "extra": json.loads(row["extra"]) if row["extra"] else {}} for row in rows]

    def where(self, **wanted: JSON) -> "Dataset":
        """Return the clips whose catalogue columns have the wanted values, e.g. `where(category="rigid", seed=[1, 2])`.

        Raises:
            StoreError: There is no such column.
        """
        return Dataset(self._folder, catalog.matching(self.table, **wanted), engine=self._engine)

    @cached_property
    def _positions(self) -> dict[object, int]:
        return {clip_id: position for position, clip_id in enumerate(self.ids)}

    def _at(self, position: int) -> tuple[str, str]:
        if not -len(self) <= position < len(self):
            raise IndexError(f"clip {position} of {self.path}: it has {len(self)} clips")
        row = position % len(self)
        return self.table["clip_id"][row].as_py(), self.table["attempt"][row].as_py()

    def _find(self, clip_id: str) -> tuple[str, str]:
        if clip_id not in self._positions:
            raise ClipNotFound(f"{self.path}: no clip {clip_id!r} among these {len(self)}; `Dataset.ids` lists them")
        return self._at(self._positions[clip_id])


def open_dataset(
    path: str | os.PathLike[str],
    *,
    split: str | Sequence[str] | None = None,
    violation: str | Sequence[str] | None = "",
    engine: Engine = "auto",
    token: str | None = None,
) -> Dataset:
    """Open a dataset for reading, wherever it is: clips are fetched window by window, nothing is copied.

    Clips in which physics is broken on purpose are left out unless they are asked for.

    Args:
        path: The dataset's folder; `http(s)://host:port/v1/datasets/NAME` of a service; or `s3://bucket/prefix`, with
            the endpoint and credentials of the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, …).
        split: "train", "val", "test", "benchmark" or "evaluation", or several: only their clips; None = all clips.
        violation: Laws that clips break, e.g. "gravity", or several; "" = intact clips; None = all clips.
        engine: `tensorstore`, `zarr`, or `auto`: tensorstore if it is installed.
        token: For a service that asks for one; None = the environment's SIMFACTORY_TOKEN, if any.

    Raises:
        StoreError: There is no dataset, it cannot be reached or refuses, its catalogue is damaged, or there is no
            such split.
    """
    folder = open_folder(path, token=token)
    table = catalog.read_table(folder)
    if split is not None:
        wanted = [split] if isinstance(split, str) else list(split)
        unknown = sorted(set(wanted) - set(_SPLITS))
        if unknown:
            raise StoreError(f"split {unknown} is unknown; allowed are {list(_SPLITS)}: name one or more of them")
        table = catalog.matching(table, split=cast(JSON, wanted))
    if violation is not None:
        table = catalog.matching(table, violation=[violation] if isinstance(violation, str) else list(violation))
    return Dataset(folder, table, engine=engine)


def open_clip(path: str | os.PathLike[str], *, engine: Engine = "auto", token: str | None = None) -> Clip:
    """Open a committed clip by its Zarr folder or address `<dataset>/clips/<id[:3]>/<id>.<attempt>.zarr`.

    Raises:
        ClipNotFound: The folder is not that of a committed clip.
        StoreError: It does not lie in a dataset.
    """
    location = location_of(path)
    text = str(location.absolute() if isinstance(location, Path) else location)
    root, _, name = text.rpartition("/clips/")
    clip_id, attempt = name.rpartition("/")[2].removesuffix(".zarr").partition(".")[::2]
    folder = open_folder(root or text, token=token)
    if read_record(folder, clip_id)["attempt"] != attempt:
        raise ClipNotFound(f"{text}: this attempt was never committed; `simfactory inspect` lists the clips")
    return Clip(folder, clip_id, attempt=attempt, engine=engine)
