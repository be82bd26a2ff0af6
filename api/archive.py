"""A dataset, or some of its clips, as one stream: a tar archive that unpacks into a dataset."""

import tarfile
from collections.abc import Iterable, Iterator
from typing import Any, cast

from simfactory.store import JSON, open_folder, read_record
from simfactory.store.base import Volume
from simfactory.store.commit import clip_key
from simfactory.store.location import Location

__all__ = ["archive"]

BESIDE = ("runs", "siblings")  # small files that belong to a dataset as a whole


def archive(dataset: Location, clips: Iterable[str]) -> Iterator[bytes]:
    """Yield the bytes of an archive: description and clips, each with its commit record behind its files.

    An archive that is cut off therefore unpacks into whole clips and leftovers that no reader takes for clips. Memory
    holds one file at a time.

    Args:
        dataset: Where it lies.
        clips: Ids of committed clips.

    Raises:
        StoreError: It cannot be read.
    """
    folder = open_folder(dataset)
    volume = folder.volume
    yield from _entry(volume, "dataset.json")
    for top in BESIDE:
        for key in sorted(volume.keys(top)):
            yield from _entry(volume, f"{top}/{key}")
    for clip in clips:
        record = cast(dict[str, Any], read_record(folder, clip))  # Any: JSON
        files = cast(dict[str, JSON], record["files"])
        for name in files:
            yield from _entry(volume, f"{clip_key(clip, str(record['attempt']))}/{name}")
        yield from _entry(volume, f"commits/{clip[:3]}/{clip}.json")
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def _entry(volume: Volume, key: str) -> Iterator[bytes]:
    data = volume.read(key)
    header = tarfile.TarInfo(key)
    header.size, header.mode = len(data), 0o644
    yield header.tobuf(tarfile.PAX_FORMAT)
    yield data
    yield b"\0" * (-len(data) % tarfile.BLOCKSIZE)
