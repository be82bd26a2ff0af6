"""What became of every video of a run: one record each, written once, from which a killed run goes on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast, final

import numpy as np
import numpy.typing as npt

from simfactory.errors import StoreError
from simfactory.store import JSON, DatasetFolder, canonical_json, digest
from training.videos.curation import Verdict

__all__ = ["Ledger", "VideoRecord"]

UInt64 = npt.NDArray[np.uint64]

_FOLDER = "videos"


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class VideoRecord:
    """What became of one video.

    Attributes:
        name: Its name; see `Video`.
        digest: That of its content.
        problem: Why nothing of it was used; empty if it could be read.
        verdicts: On its shots, in order.
        clips: Ids of the clips of the shots that were kept, in order.
    """

    name: str
    digest: str
    problem: str = ""
    verdicts: tuple[Verdict, ...] = ()
    clips: tuple[str, ...] = ()

    def record(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {
            "video": self.name,
            "digest": self.digest,
            "problem": self.problem,
            "shots": [verdict.record() for verdict in self.verdicts],
            "clips": [*self.clips],
        }

    @classmethod
    def of(cls, record: Mapping[str, JSON]) -> "VideoRecord":
        """Return what a record tells of."""
        return cls(
            name=str(record["video"]),
            digest=str(record["digest"]),
            problem=str(record["problem"]),
            verdicts=tuple(Verdict.of(each) for each in cast(list[dict[str, JSON]], record["shots"])),
            clips=tuple(cast(list[str], record["clips"])),
        )


@final
class Ledger:
    """The records of one request, beside the clips of their dataset.

    Args:
        folder: The dataset.
        request: All that decides verdicts and clips beside the videos; another request has records of its own.

    Raises:
        StoreError: A record is damaged.
    """

    def __init__(self, folder: DatasetFolder, request: Mapping[str, JSON]) -> None:
        self._folder = folder
        self._prefix = f"{_FOLDER}/{digest(dict(request))[:32]}"
        self.records: dict[str, VideoRecord] = {}
        for name in sorted(folder.volume.names(self._prefix)):
            self.records[name.removesuffix(".json")] = self._read(f"{self._prefix}/{name}")

    def find(self, name: str, content: str) -> VideoRecord | None:
        """Return the record of a video of a name and a digest, or None if it is still to be looked at."""
        return self.records.get(_key(name, content))

    def add(self, record: VideoRecord) -> None:
        """Write a record, whole or not at all; an earlier one of the same video stays."""
        key = _key(record.name, record.digest)
        if not self._folder.volume.put_if_absent(f"{self._prefix}/{key}.json", canonical_json(record.record())):
            record = self._read(f"{self._prefix}/{key}.json")
        self.records[key] = record

    def seen(self, *, apart_from: str) -> list[UInt64]:
        """Return the fingerprints of the shots of all videos but one that were kept."""
        return [
            verdict.fingerprint
            for record in self.records.values()
            for verdict in record.verdicts
            if verdict.kept and record.name != apart_from
        ]

    def _read(self, key: str) -> VideoRecord:
        try:
            return VideoRecord.of(json.loads(self._folder.volume.read(key)))
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{self._folder.path / key}: damaged record of a video: {error!r}; remove it, and it is looked at again"
            ) from error


def _key(name: str, content: str) -> str:
    return digest([name, content])[:32]
