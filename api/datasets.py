"""Datasets as the catalogue knows them: found, told, frozen as versions."""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.clips import told
from api.database import Database, note
from api.problems import ProblemError
from api.tables import ClipRow, DatasetRow, VersionRow
from simfactory.protocol import Dataset, DatasetVersion

__all__ = ["clip_rows", "end_of", "find_dataset", "freeze_dataset", "manifest_lines", "told_dataset", "told_datasets"]

BATCH = 1000
LISTED_MAX = 10_000


def told_datasets(session: Session) -> list[Dataset]:
    """Return all datasets."""
    rows = session.scalars(select(DatasetRow).order_by(DatasetRow.name).limit(LISTED_MAX)).all()
    return [told_dataset(session, row) for row in rows]


def freeze_dataset(database: Database, name: str) -> DatasetVersion:
    """Freeze what is committed now as a version; the same clips give the version there is.

    Raises:
        ProblemError: There is no such dataset.
    """
    with database.reading() as session:
        find_dataset(session, name)
        last = _last(session, name)
    digest, count = hashlib.sha256(), 0
    for rows in clip_rows(database, name, last):  # before anything is locked: what is there stays as it is
        digest.update(manifest_lines(rows).encode())
        count += len(rows)
    with database.writing() as session:
        newest = _versions(session, name)[-1:]
        if newest and newest[0].last >= last:
            return _version(newest[0])
        number = newest[0].version + 1 if newest else 1
        row = VersionRow(
            dataset=name, version=number, created=time.time(), clips=count, last=last, digest=digest.hexdigest()
        )
        session.add(row)
        note(session, "version", None, dataset=name, version=number, clips=count)
        return _version(row)


def find_dataset(session: Session, name: str) -> DatasetRow:
    """Return a dataset.

    Raises:
        ProblemError: There is none.
    """
    row = session.get(DatasetRow, name)
    if row is None:
        raise ProblemError(404, f"there is no dataset {name!r}; GET /v1/datasets lists them")
    return row


def _versions(session: Session, name: str) -> list[VersionRow]:
    return list(session.scalars(select(VersionRow).where(VersionRow.dataset == name).order_by(VersionRow.version)))


def _version(row: VersionRow) -> DatasetVersion:
    return DatasetVersion(version=row.version, created=row.created, clips=row.clips, digest=row.digest)


def told_dataset(session: Session, row: DatasetRow) -> Dataset:
    """Return a dataset as it is told."""
    return Dataset(
        name=row.name,
        profile=row.profile,
        created=row.created,
        clips=row.clips,
        frames=row.frames,
        bytes=row.bytes,
        categories=row.categories,
        splits=row.splits,
        versions=[_version(each) for each in _versions(session, row.name)],
    )


def _last(session: Session, name: str) -> int:
    """Return the number of a dataset's newest clip; 0 without any."""
    return session.scalar(select(func.max(ClipRow.number)).where(ClipRow.dataset == name)) or 0


def manifest_lines(rows: Sequence[ClipRow]) -> str:
    """Return clips as lines of a manifest."""
    return "".join(json.dumps(told(row).model_dump(mode="json"), sort_keys=True) + "\n" for row in rows)


def end_of(database: Database, name: str, version: int | None) -> int:
    """Return the number of the last clip of a version; of the catalogue as it is, without one.

    Raises:
        ProblemError: There is no such dataset or version.
    """
    with database.reading() as session:
        find_dataset(session, name)
        if version is None:
            return _last(session, name)
        row = session.get(VersionRow, (name, version))
        if row is None:
            known = [each.version for each in _versions(session, name)]
            raise ProblemError(404, f"dataset {name!r} has no version {version}; it has {known or 'none yet'}")
        return row.last


def clip_rows(database: Database, name: str, last: int) -> Iterator[Sequence[ClipRow]]:
    """Yield the clips of a dataset up to one, some at a time; a slow reader holds no connection meanwhile."""
    after = 0
    while True:
        query = select(ClipRow).where(ClipRow.dataset == name, ClipRow.number > after, ClipRow.number <= last)
        with database.reading() as session:
            rows = session.scalars(query.order_by(ClipRow.number).limit(BATCH)).all()
        yield rows
        if len(rows) < BATCH:
            return
        after = rows[-1].number
