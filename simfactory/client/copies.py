"""A copy of clips as a local dataset, laid out, committed and checked as the store does it."""

import fcntl
import json
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

from pydantic import ConfigDict, Field, TypeAdapter

from simfactory.client.blocking import Client
from simfactory.client.downloads import local_path
from simfactory.client.problems import parsed_text
from simfactory.client.wire import FileEntry
from simfactory.errors import ServiceError, StoreError
from simfactory.protocol import ApiModel

__all__ = ["Export", "export"]

CONNECTIONS = 4
_CLIP_ID, _ATTEMPT, _GROUP = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9A-Za-z]{1,64}"), re.compile(r"[0-9a-f]{32}")
_DESCRIPTION = "dataset.json"


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """What an export did.

    Attributes:
        clips: Clips that were asked for.
        fetched: How many of them were not there before.
        bytes: Size of these [B].
    """

    clips: int
    fetched: int
    bytes: int


class _Description(ApiModel):
    """What is needed of a dataset's description."""

    model_config = ConfigDict(extra="ignore")
    profile: Literal["portable", "archive"]
    licences: dict[str, str] = Field(default_factory=dict)


class _Entry(ApiModel):
    bytes: int
    sha256: str


class _Record(ApiModel):
    """What is needed of a commit record; the rest is the store's."""

    model_config = ConfigDict(extra="ignore")
    clip_id: str
    attempt: str
    files: dict[str, _Entry]


_DATASET, _RECORD = TypeAdapter(_Description), TypeAdapter(_Record)


def export(
    client: Client,
    dataset: str,
    clips: Iterable[str],
    out: Path,
    *,
    done: Callable[[int], None] = lambda size: None,
) -> Export:
    """Copy clips of a dataset into a local dataset; clips that are there already are left as they are.

    An export that broke off goes on where it was, within files too. Sibling figures and run records come along, as far
    as the service has them; in the end the catalogue is written anew.

    Args:
        client: Asks the service.
        dataset: Name of the dataset there.
        clips: Ids of the clips.
        out: Folder of the local dataset; made if missing.
        done: Called after each clip with its size [B], 0 for one that was there.

    Raises:
        StoreError: The folder holds another kind of dataset.
        CorruptClip: A file is not what its commit record says.
        ServiceError: The service is not there, or refuses.
        ResourceError: The disk is full.
    """
    from simfactory import catalog

    copy = _Copy(client, dataset, out)
    count, fetched, size = 0, 0, 0
    groups: set[str] = set()
    with _alone(out):
        for clip in clips:
            new = copy.clip(clip)
            groups |= copy.group(clip)
            count, fetched, size = count + 1, fetched + (new > 0), size + new
            done(new)
        for group in sorted(groups):
            copy.side_file(f"siblings/{group}.json")
        for entry in client.dataset_files(dataset, "runs"):
            copy.side_file(f"runs/{entry.path.removeprefix('runs/')}")
        catalog.rebuild(out)
    return Export(clips=count, fetched=fetched, bytes=size)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keep other exports out of a dataset: two of them would write into the same half-fetched files."""
    with (out / _DESCRIPTION).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"another export is writing into {out}: wait for it, or choose another folder") from None
        yield


class _Copy:
    """One dataset here, which becomes like one there."""

    def __init__(self, client: Client, dataset: str, out: Path) -> None:
        from simfactory.store import create_dataset, open_folder

        self._client, self._dataset = client, dataset
        found = parsed_text(_DATASET, client.dataset_file(dataset, _DESCRIPTION), asked=_DESCRIPTION)
        if not (out / _DESCRIPTION).exists():
            create_dataset(out, profile=found.profile, licences=found.licences)
        self._folder, self._root = open_folder(out), Path(out)
        if self._folder.profile != found.profile:
            raise StoreError(
                f"{out} has profile {self._folder.profile!r}, dataset {dataset!r} has {found.profile!r}: "
                "choose another folder"
            )

    def clip(self, clip: str) -> int:
        """Fetch and commit a clip; return its size [B], 0 if it was there."""
        from simfactory.store import is_committed
        from simfactory.store.commit import clip_key

        if not _CLIP_ID.fullmatch(clip):
            raise ServiceError(f"the service lists a clip {clip!r}, which is no clip id: it is not fetched")
        if is_committed(self._folder, clip):
            return 0
        where = f"commits/{clip[:3]}/{clip}.json"
        text = self._client.dataset_file(self._dataset, where)
        record = parsed_text(_RECORD, text, asked=where)
        if record.clip_id != clip or not _ATTEMPT.fullmatch(record.attempt):
            raise ServiceError(f"{where} of dataset {self._dataset!r} is that of another clip: it is not fetched")
        key, name = clip_key(clip, record.attempt), f"{clip}.{record.attempt}"
        volume = self._folder.volume
        staged = self._root / "staging" / name / "clip"
        # An export that was killed between the two steps below has left the clip in place, without its record.
        in_place = volume.exists(key)
        self._fetch(key, record, self._root / key if in_place else staged)
        if not in_place:
            volume.publish(name, "clip", key)
        volume.put_if_absent(where, text)
        volume.release(name)
        return sum(entry.bytes for entry in record.files.values())

    def _fetch(self, key: str, record: _Record, root: Path) -> None:
        def fetch(item: tuple[str, _Entry]) -> None:
            path, entry = item
            wanted = FileEntry(path=f"{key}/{path}", bytes=entry.bytes, sha256=entry.sha256)
            self._client.download_dataset_file(self._dataset, wanted, local_path(root, path))

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(fetch, record.files.items()))

    def group(self, clip: str) -> set[str]:
        """Return the sibling group of a clip that is here, if it has one."""
        from simfactory.store import read_record
        from simfactory.store.commit import clip_key

        key = clip_key(clip, str(read_record(self._folder, clip)["attempt"])) + "/zarr.json"
        spec: Any = json.loads(self._folder.volume.read(key))["attributes"].get("spec") or {}  # Any: JSON
        group = str((spec.get("sibling") or {}).get("group", ""))
        return {group} if _GROUP.fullmatch(group) else set()

    def side_file(self, path: str) -> None:
        """Fetch a small file beside the clips; one that is not there (a job still goes on, say) is left out."""
        local_path(self._root, path)
        if self._folder.volume.exists(path):
            return
        try:
            self._folder.volume.put_if_absent(path, self._client.dataset_file(self._dataset, path))
        except ServiceError as error:
            if error.status != 404:
                raise
