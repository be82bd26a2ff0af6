"""The commit protocol: a clip exists when its commit record exists, and the record is created exactly once."""

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from types import TracebackType
from typing import Self, cast, final

from simfactory.errors import ClipNotFound, CorruptClip, StoreError
from simfactory.store.canonical import JSON, canonical_json, digest
from simfactory.store.disk import disk_errors, write_file
from simfactory.store.folder import GRACE_S, DatasetFolder, Profile, describe_folder, open_folder
from simfactory.store.location import location_of
from simfactory.store.row import checked_row
from simfactory.store.schema import CLIP_SCHEMA, Document, consolidate, document_bytes, group_document
from simfactory.store.shards import FileRecord, ShardStream
from simfactory.store.ulid import new_ulid

__all__ = [
    "Attempt",
    "clip_key",
    "committed_ids",
    "create_dataset",
    "is_committed",
    "leftovers",
    "read_record",
    "sweep",
]

_ID = re.compile(r"[0-9a-f]{32}")
_CLIP, _SPOOL, _ROOT = "clip", "spool", "zarr.json"
_COMMITS, _CLIPS = "commits", "clips"
_VERSIONED = ("numpy", "numcodecs")


def create_dataset(
    path: str | os.PathLike[str], *, profile: Profile = "portable", licences: Mapping[str, str] | None = None
) -> DatasetFolder:
    """Create a dataset, or open an existing one for writing.

    Attempts that a killed writer left behind more than an hour ago are swept.

    Args:
        path: Folder of the dataset, or `s3://bucket/prefix`.
        profile: `portable` (quantised within documented bounds) or `archive` (exact).
        licences: Written into a new dataset's description.

    Raises:
        StoreError: The folder or bucket cannot be written, or the dataset exists with another profile.
        ResourceError: The disk is full.
    """
    folder = describe_folder(location_of(path), profile=profile, licences=licences or {})
    if folder.profile != profile:
        raise StoreError(
            f"{folder.path}: exists with profile {folder.profile!r}, not {profile!r}; "
            "use that profile or another folder"
        )
    sweep(folder, older_than_s=GRACE_S)
    return folder


def is_committed(path: str | os.PathLike[str], clip_id: str) -> bool:
    """Return whether the clip exists."""
    return open_folder(path).volume.exists(_record_key(clip_id))


def committed_ids(path: str | os.PathLike[str]) -> set[str]:
    """Return the ids of every clip of the dataset, from its commit records."""
    volume = open_folder(path).volume
    return {key.rpartition("/")[2].removesuffix(".json") for key in volume.keys(_COMMITS) if key.endswith(".json")}


def read_record(path: str | os.PathLike[str], clip_id: str) -> Document:
    """Return the commit record of a clip.

    Raises:
        ClipNotFound: No committed clip has this id.
        CorruptClip: The record cannot be read.
    """
    folder = open_folder(path)
    key = _record_key(clip_id)
    try:
        record = json.loads(folder.volume.read(key))
        if record["schema"] != CLIP_SCHEMA or record["clip_id"] != clip_id:
            raise ValueError(f"schema {record['schema']!r}, clip {record['clip_id']!r}")
        absent = {"attempt", "row", "files"} - record.keys()
        if absent:
            raise ValueError(f"{sorted(absent)} missing")
        return cast(Document, record)
    except FileNotFoundError:
        raise ClipNotFound(f"{folder.path}: no committed clip {clip_id}; `simfactory inspect` lists them") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorruptClip(f"{folder.path / key}: damaged commit record: {error}") from error


def clip_key(clip_id: str, attempt: str) -> str:
    """Return where the clip of a committed attempt lies, relative to the dataset."""
    return f"{_CLIPS}/{clip_id[:3]}/{clip_id}.{attempt}.zarr"


def sweep(path: str | os.PathLike[str], *, older_than_s: float) -> int:
    """Remove attempts whose writer is gone and that nobody touched for `older_than_s` [s].

    Where a writer cannot be kept out while its attempt is looked at, an attempt goes only once the clip has a commit
    record: until then it could still become the clip.

    Returns:
        Number of attempts removed.
    """
    folder = open_folder(path)
    count = 0
    for name in folder.volume.abandoned(older_than_s):
        clip_id, _, attempt = name.partition(".")
        if not folder.volume.fences and not folder.volume.exists(_record_key(clip_id)):
            continue
        if _ID.fullmatch(clip_id) and not _won(folder, clip_id, attempt):
            folder.volume.remove(clip_key(clip_id, attempt))
        folder.volume.release(name)
        count += 1
    return count


@final
class Attempt:
    """One try to write one clip: staged apart, published under its own name, committed at most once.

    As a context manager around each step it removes everything when the step fails, and refuses steps afterwards.

    Attributes:
        clip: Folder to write the clip's arrays into.
        spool: Folder for temporary files.
    """

    def __init__(self, folder: DatasetFolder, clip_id: str) -> None:
        if not _ID.fullmatch(clip_id):
            raise StoreError(f"clip id {clip_id!r}: wanted 32 hex characters, from simfactory.store.clip_id()")
        self._folder = folder
        self._clip_id = clip_id
        self._attempt = new_ulid()
        self._name = f"{clip_id}.{self._attempt}"
        self._open = True
        staged = folder.volume.stage(self._name)
        self.clip = staged / _CLIP
        self.spool = staged / _SPOOL

    def __enter__(self) -> Self:
        """Begin a step.

        Raises:
            StoreError: The attempt is over.
        """
        if not self._open:
            raise StoreError(f"clip {self._clip_id}: this writer is closed; open a new one")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End a step; a failed one ends the attempt."""
        if kind is not None:
            self.abort()

    def abort(self) -> None:
        """Remove what the attempt left, unless its record exists; nothing happens once it is over."""
        if self._open:
            self._open = False
            if not _won(self._folder, self._clip_id, self._attempt):
                self._folder.volume.remove(clip_key(self._clip_id, self._attempt))
            self._folder.volume.release(self._name)

    def commit(
        self,
        *,
        documents: Mapping[str, Document],
        streams: Mapping[str, ShardStream | None],
        attributes: Mapping[str, JSON],
        row: Mapping[str, JSON],
    ) -> bool:
        """Write the metadata, publish the folder, create the record; return whether this attempt won."""
        attributes = json.loads(canonical_json({**attributes, "schema": CLIP_SCHEMA, "clip_id": self._clip_id}))
        files = self._write_documents(documents, attributes)
        for name, stream in streams.items():
            files |= {f"{name}/{key}": record for key, record in (stream.files if stream else {}).items()}
        record = self._record(files, documents, attributes, row)
        key = _record_key(self._clip_id)
        won = False
        if not self._folder.volume.exists(key):
            self._folder.volume.publish(self._name, _CLIP, clip_key(self._clip_id, self._attempt))
            won = self._folder.volume.put_if_absent(key, json.dumps(record, sort_keys=True).encode())
        if not won:
            self.abort()
        self._open = False
        self._folder.volume.release(self._name)
        return won

    def _write_documents(
        self, documents: Mapping[str, Document], attributes: Mapping[str, JSON]
    ) -> dict[str, FileRecord]:
        groups = {"/".join(name.split("/")[:depth]) for name in documents for depth in range(1, name.count("/") + 1)}
        members = {**documents, **{name: group_document({}) for name in groups}}
        written = {f"{name}/{_ROOT}": document for name, document in members.items()}
        written[_ROOT] = consolidate(group_document(attributes), members)
        for group in groups:
            inner = {name.removeprefix(f"{group}/"): d for name, d in members.items() if name.startswith(f"{group}/")}
            written[f"{group}/{_ROOT}"] = consolidate(members[group], inner)
        files = {}
        for name, document in written.items():
            data = document_bytes(document)
            path = self.clip / name
            with disk_errors(path, needed=len(data)):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_file(path, data, durable=False)
            files[name] = FileRecord(hashlib.sha256(data).hexdigest(), len(data))
        return files

    def _record(
        self,
        files: Mapping[str, FileRecord],
        documents: Mapping[str, Document],
        attributes: Mapping[str, JSON],
        row: Mapping[str, JSON],
    ) -> Document:
        sizes: Document = {
            "clip_id": self._clip_id,
            "attempt": self._attempt,
            "profile": self._folder.profile,
            "modalities": [*sorted({name.split("/")[0] for name in documents})],
            "bytes": sum(file.size for file in files.values()),
        }
        given = attributes.get("versions")
        saturated = {name: _saturated(document) for name, document in documents.items() if _saturated(document)}
        return {
            "schema": CLIP_SCHEMA,
            **{key: sizes[key] for key in ("clip_id", "attempt", "profile")},
            "files": {name: {"sha256": files[name].sha256, "bytes": files[name].size} for name in sorted(files)},
            "spec_hash": digest(attributes["spec"]) if "spec" in attributes else None,
            "versions": {**_versions(), **(given if isinstance(given, dict) else {})},
            "quality": attributes.get("quality"),
            "saturated": cast(JSON, saturated),
            "row": cast(JSON, checked_row({**row, **sizes})),
        }


def _record_key(clip_id: str) -> str:
    return f"{_COMMITS}/{clip_id[:3]}/{clip_id}.json"


def _won(folder: DatasetFolder, clip_id: str, attempt: str) -> bool:
    try:
        return read_record(folder, clip_id)["attempt"] == attempt
    except ClipNotFound:
        return False
    except CorruptClip:
        return True  # whose it is cannot be told any more: `verify` reports it, nothing is removed


def _saturated(document: Document) -> int:
    count = cast(Document, document["attributes"]).get("saturated", 0)
    return count if isinstance(count, int) else 0


@cache
def _versions() -> dict[str, JSON]:
    return {"python": platform.python_version(), **{name: version(name) for name in _VERSIONED}}


def leftovers(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield clip folders that no commit record points to, relative to the dataset."""
    folder = open_folder(path)
    for prefix in folder.volume.names(_CLIPS):
        for name in folder.volume.names(f"{_CLIPS}/{prefix}"):
            clip_id, attempt = name.removesuffix(".zarr").partition(".")[::2]
            if not _won(folder, clip_id, attempt):
                yield f"{_CLIPS}/{prefix}/{name}"
