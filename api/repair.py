"""What can be rebuilt is rebuilt: the queue from the database, the catalogue from the datasets' commit records."""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

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
    """Make the catalogue anew; return the numbers of clips and datasets. Which job made a clip is kept where known."""
    database = Database(settings.database)
    folders = _datasets(database, settings.data)
    with database.reading() as session:
        owners = {(row[0], row[1]): row[2] for row in session.execute(select(ClipRow.dataset, ClipRow.id, ClipRow.job))}
    with database.writing() as session:
        session.execute(delete(ClipRow))
        for row in session.scalars(select(DatasetRow)):
            row.clips = row.frames = row.bytes = 0
            row.categories, row.splits = {}, {}
    count = sum(adopt(database, folder, owners) for folder in folders)
    database.close()
    return count, len(folders)


def adopt(database: Database, folder: Location, owners: dict[tuple[str, str], str | None] | None = None) -> int:
    """Enter the clips of a dataset that the catalogue does not know; return how many."""
    handle, name = open_folder(folder), folder.name
    with database.reading() as session:
        known = set(session.scalars(select(ClipRow.id).where(ClipRow.dataset == name)))
    fresh = sorted(committed_ids(handle) - known)
    for begin in range(0, len(fresh), BATCH):
        clips: dict[str | None, list[dict[str, JSON]]] = {}
        for clip in fresh[begin : begin + BATCH]:
            record = read_record(handle, clip)
            files = cast(dict[str, dict[str, int]], record["files"])
            row = {**cast(dict[str, JSON], record["row"]), "clip_id": clip}
            row["bytes"] = sum(entry["bytes"] for entry in files.values())
            clips.setdefault((owners or {}).get((name, clip)), []).append(row)
        with database.writing() as session:
            for owner, rows in clips.items():
                job = None if owner is None else session.get(JobRow, owner)
                add_clips(session, job, name, rows, at=time.time())
    return len(fresh)


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
