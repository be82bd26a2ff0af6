"""What can be rebuilt is rebuilt: the queue from the database, the catalogue from the datasets' commit records."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, cast

from sqlalchemy import delete, select

from api.control import Control
from api.database import Database
from api.ledger import add_clips
from api.settings import Settings
from api.tables import ClipRow, DatasetRow, JobRow, ShardRow
from simfactory.errors import StoreError
from simfactory.store import JSON, committed_ids, open_folder, read_record
from simfactory.store.location import Location

__all__ = ["Reconciled", "adopt", "rebuild_catalogue", "reconcile"]

BATCH = 500


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was put right."""

    shards: int
    jobs: int
    clips: int


def reconcile(settings: Settings) -> Reconciled:
    """Queue again every shard that is out, and enter the clips that are committed but not in the catalogue."""
    database = Database(settings.database)
    control = Control(database, settings)
    control.queue.greet()
    while control.read(control.queue):
        pass
    clips = sum(adopt(database, folder) for folder in _datasets(database, settings.data))
    with database.reading() as session:
        rows = session.execute(
            select(ShardRow, JobRow).join(JobRow, JobRow.id == ShardRow.job).where(JobRow.state == "running")
        ).all()
    waiting = {shard for ids in control.queue.queued({row.queue for row, _ in rows}).values() for shard in ids}
    leased = control.queue.leases().keys()
    missing = [(shard, job) for shard, job in rows if shard.id not in waiting and shard.id not in leased]
    for shard, job in missing:
        control.dispatcher.push(job, shard)
    database.close()
    return Reconciled(len(missing), len({job.id for _, job in missing}), clips)


def rebuild_catalogue(settings: Settings) -> tuple[int, int]:
    """Make the catalogue anew; return the numbers of clips and datasets.

    Clips that it knew keep their place in it, on which versions of datasets rest, and the job that made them.
    """
    database = Database(settings.database)
    folders = _datasets(database, settings.data)
    columns = (ClipRow.dataset, ClipRow.id, ClipRow.number, ClipRow.committed, ClipRow.job)
    known: dict[str, dict[str, Place]] = {}
    with database.reading() as session:
        for dataset, clip, number, committed, job in session.execute(select(*columns).order_by(ClipRow.number)):
            known.setdefault(dataset, {})[clip] = Place(number, committed, job)
    with database.writing() as session:
        session.execute(delete(ClipRow))
        for row in session.scalars(select(DatasetRow)):
            row.clips = row.frames = row.bytes = 0
            row.categories, row.splits = {}, {}
    # First those that have a place, or new ones would take it.
    count = sum(adopt(database, folder, known.get(folder.name, {}), again=True) for folder in folders)
    count += sum(adopt(database, folder) for folder in folders)
    database.close()
    return count, len(folders)


class Place(NamedTuple):
    """A clip's place in the catalogue: its number, when it was entered [s], and the job that made it."""

    number: int
    committed: float
    job: str | None


def adopt(
    database: Database, folder: Location, places: Mapping[str, Place] = MappingProxyType({}), *, again: bool = False
) -> int:
    """Enter the clips of a dataset that the catalogue does not know; return how many.

    Args:
        database: State of record.
        folder: Where the dataset lies.
        places: Where clips had been.
        again: Whether to enter only clips that have a place.
    """
    handle, name = open_folder(folder), folder.name
    with database.reading() as session:
        known = set(session.scalars(select(ClipRow.id).where(ClipRow.dataset == name)))
    fresh = committed_ids(handle) - known
    order = [clip for clip in places if clip in fresh] if again else sorted(fresh)
    for begin in range(0, len(order), BATCH):
        clips: dict[str | None, list[dict[str, JSON]]] = {}
        for clip in order[begin : begin + BATCH]:
            record = read_record(handle, clip)
            files = cast(dict[str, dict[str, int]], record["files"])
            row = {**cast(dict[str, JSON], record["row"]), "clip_id": clip}
            row["bytes"] = sum(entry["bytes"] for entry in files.values())
            clips.setdefault(places[clip].job if clip in places else None, []).append(row)
        kept = {clip: (place.number, place.committed) for clip, place in places.items()}
        with database.writing() as session:
            for job, rows in clips.items():
                add_clips(session, job, name, rows, at=time.time(), places=kept)
    return len(order)


def _datasets(database: Database, data: Location) -> list[Location]:
    """Return where datasets lie: those that the database names, and on a disk any other below the data folder."""
    with database.reading() as session:
        names = set(session.scalars(select(DatasetRow.name)))
    if isinstance(data, Path) and data.is_dir():
        names |= {path.name for path in data.iterdir()}
    found: list[Location] = []
    for name in sorted(names):
        with contextlib.suppress(StoreError):
            open_folder(data / name)
            found.append(data / name)
    return found
