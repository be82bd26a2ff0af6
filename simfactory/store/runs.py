"""Run records: what a dataset was asked for, one file a request."""

import json
import os

from simfactory.errors import StoreError
from simfactory.store.canonical import JSON, canonical_json, digest
from simfactory.store.folder import open_folder

__all__ = ["read_runs", "record_run"]

_FOLDER = "runs"


def record_run(dataset: str | os.PathLike[str], request: dict[str, JSON]) -> None:
    """Record a request; the same request is recorded once.

    Raises:
        StoreError: The dataset cannot be written, or an earlier request split it in another way.
        ResourceError: The disk is full.
    """
    for other in read_runs(dataset):
        before, now = _rules(other), _rules(request)
        if before != now:
            raise StoreError(
                f"{os.fspath(dataset)} is split by {json.dumps(before)}, this request says {json.dumps(now)}: a "
                "dataset is split in one way; ask for that, or use another folder"
            )
    open_folder(dataset).volume.put_if_absent(f"{_FOLDER}/{digest(request)[:32]}.json", canonical_json(request))


def _rules(request: dict[str, JSON]) -> dict[str, JSON]:
    split = request.get("split")
    return {name: split.get(name) for name in ("shares", "held_out_ranges")} if isinstance(split, dict) else {}


def read_runs(dataset: str | os.PathLike[str]) -> list[dict[str, JSON]]:
    """Return the requests that a dataset was made of, in no order that means anything.

    Raises:
        StoreError: The dataset does not exist, or a record is damaged.
    """
    folder = open_folder(dataset)
    found: list[dict[str, JSON]] = []
    for name in sorted(folder.volume.names(_FOLDER)):
        try:
            record = json.loads(folder.volume.read(f"{_FOLDER}/{name}"))
        except ValueError as error:
            raise StoreError(f"{folder.path / _FOLDER / name}: damaged run record: {error}") from error
        found.append(record)
    return found
