"""Checks committed clips against what their records and the schema promise."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast, final

import numpy as np

from simfactory.errors import ClipNotFound, CorruptClip, StoreError
from simfactory.store.base import Volume
from simfactory.store.canonical import JSON
from simfactory.store.commit import clip_key, committed_ids, read_record
from simfactory.store.folder import DatasetFolder, open_folder
from simfactory.store.reader import ClipArrays, clip_arrays
from simfactory.store.schema import Document, encoding_of, signal_of
from simfactory.store.shapes import OFFSETS, group_of

__all__ = ["Finding", "validate"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something about a stored clip that is not as promised.

    Attributes:
        clip_id: The clip.
        path: File or array, relative to the clip's folder; empty = the clip itself.
        problem: One sentence.
    """

    clip_id: str
    path: str
    problem: str


def validate(path: str | os.PathLike[str], *, clip_ids: Iterable[str] | None = None) -> list[Finding]:
    """Check clips byte by byte and against the schema; an empty list means all is well.

    Args:
        path: The dataset.
        clip_ids: Clips to check; None = all committed ones.

    Raises:
        ClipNotFound: A given id is not committed.
        StoreError: There is no dataset, or it is read over HTTP.
    """
    folder = open_folder(path)
    if folder.volume.listing == "none":
        raise StoreError(f"{folder.path}: which files there are is not told over HTTP; check it where it lies")
    findings: list[Finding] = []
    for clip_id in sorted(committed_ids(folder)) if clip_ids is None else clip_ids:
        problems = _clip_problems(folder, clip_id)
        findings += [Finding(clip_id=clip_id, path=where, problem=what) for where, what in problems]
    return findings


def _clip_problems(folder: DatasetFolder, clip_id: str) -> Iterator[tuple[str, str]]:
    """Yield (path, problem) pairs of one clip, cheap ones first."""
    try:
        record = read_record(folder, clip_id)
        root = clip_key(clip_id, str(record["attempt"]))
        yield from _file_problems(folder.volume, root, cast(dict[str, Document], record["files"]))
        yield from _schema_problems(folder, root, record)
    except ClipNotFound:
        raise
    except StoreError as error:
        yield "", str(error)


def _file_problems(volume: Volume, root: str, promised: dict[str, Document]) -> Iterator[tuple[str, str]]:
    present = set(volume.keys(root))
    if not present:
        yield "", f"the folder {root.rpartition('/')[2]} is missing"
        return
    for name in sorted(present - promised.keys()):
        yield name, "is not in the commit record"
    for name, entry in sorted(promised.items()):
        if name not in present:
            yield name, "is missing"
            continue
        data = volume.read(f"{root}/{name}")
        if len(data) != entry["bytes"]:
            yield name, f"has {len(data)} bytes, the commit record says {entry['bytes']}"
        elif hashlib.sha256(data).hexdigest() != entry["sha256"]:
            yield name, "differs from its SHA-256 in the commit record"


def _schema_problems(folder: DatasetFolder, root: str, record: Document) -> Iterator[tuple[str, str]]:
    arrays = clip_arrays(folder.volume, root, path=folder.path / root)
    for key in ("clip_id", "frame_count", "height", "width"):
        if arrays.attributes.get(key) != cast(Document, record["row"]).get(key):
            yield "zarr.json", f"{key} is {arrays.attributes.get(key)!r}, the commit record has another"
    frame_count = arrays.attributes.get("frame_count")
    for name, document in arrays.documents.items():
        yield from ((name, problem) for problem in _array_problems(arrays, name, document, frame_count))
    for name in arrays.documents:
        if name.endswith(f"/{OFFSETS}"):
            yield from ((name, problem) for problem in _offset_problems(arrays, name, frame_count))


def _array_problems(arrays: ClipArrays, name: str, document: Document, frame_count: JSON) -> Iterator[str]:
    try:
        signal, encoding = signal_of(name, document), encoding_of(name, document)
        shape = cast(list[int], document["shape"])
    except (StoreError, KeyError, TypeError) as error:
        yield str(error)
        return
    if len(shape) != len(signal.dims):
        yield f"has {len(shape)} axes but names {len(signal.dims)}"
    for axis, size in zip(signal.dims, shape, strict=False):
        if axis == "time" and size != frame_count:
            yield f"has {size} frames, the clip has {frame_count}"
    if encoding.scale is None and np.dtype(signal.dtype).kind != encoding.stored.kind:
        yield f"stores {encoding.stored.name} for {signal.dtype} without a scale"
    try:
        own = json.loads(arrays.volume.read(f"{arrays.key}/{name}/zarr.json"))
    except (OSError, ValueError) as error:
        yield f"has no readable metadata of its own: {error}"
        return
    if own != document:
        yield "its own metadata and the consolidated metadata differ"


def _offset_problems(arrays: ClipArrays, name: str, frame_count: JSON) -> Iterator[str]:
    try:
        offsets = arrays.read({name: (slice(None),)})[name].astype(np.int64)
    except CorruptClip as error:
        yield str(error)
        return
    if len(offsets) - 1 != frame_count or offsets[0] != 0 or (np.diff(offsets) < 0).any():
        yield "is not one rising offset per frame"
    group = group_of(name)
    for member, document in arrays.documents.items():
        if group_of(member) == group and signal_of(member, document).ragged and arrays.shape(member)[0] != offsets[-1]:
            yield f"ends at {offsets[-1]}, but {member} has {arrays.shape(member)[0]} rows"
