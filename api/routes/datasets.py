"""`/v1/datasets`: what there is, frozen versions, and the files that trainers read."""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.archive import archive
from api.clips import told
from api.database import Database, note
from api.files import FILE_RESPONSES, registered, send_stored
from api.problems import ProblemError
from api.routes.dependencies import Controlled, Named, Stored, Tuned
from api.security import needs
from api.tables import ClipRow, DatasetRow, VersionRow
from simfactory.protocol import ApiModel, Dataset, DatasetVersion
from simfactory.store import open_folder

__all__ = ["router"]

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])
READ = [Depends(needs("read"))]
NAMES = {"type": "object", "properties": {"names": {"type": "array", "items": {"type": "string"}}}}
FILES = {
    **FILE_RESPONSES,
    200: {"content": {**FILE_RESPONSES[200]["content"], "application/json": {"schema": NAMES}}},
}
KEPT = {"cache-control": "private, max-age=86400, immutable"}
TAR = {"content": {"application/x-tar": {"schema": {"type": "string", "format": "binary"}}}}
Version = Annotated[int | None, Query(ge=1, le=2**31)]
LINES = {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
BATCH = 1000
FILES_MAX = 10_000
Beside = Annotated[Literal["runs", "siblings", "rejections"], Query()]


class BesideFile(ApiModel):
    """A file beside the clips, by its path in the dataset."""

    path: str
    bytes: int


class BesideList(ApiModel):
    """Files beside the clips."""

    files: list[BesideFile]


@router.get("", dependencies=READ)
def listed(database: Stored) -> list[Dataset]:
    """List all datasets."""
    with database.reading() as session:
        rows = session.scalars(select(DatasetRow).order_by(DatasetRow.name).limit(10_000)).all()
        return [_told(session, row) for row in rows]


@router.get("/{name}", dependencies=READ)
def one(name: Named, database: Stored) -> Dataset:
    """Tell what a dataset holds."""
    with database.reading() as session:
        return _told(session, _find(session, name))


@router.post("/{name}/versions", status_code=201, dependencies=[Depends(needs("submit"))])
def freeze(name: Named, database: Stored) -> DatasetVersion:
    """Freeze what is committed now as a version; the same clips give the version there is."""
    with database.reading() as session:
        _find(session, name)
        last = _last(session, name)
    digest, count = hashlib.sha256(), 0
    for rows in _rows(database, name, last):  # before anything is locked: what is there stays as it is
        digest.update(_lines(rows).encode())
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


@router.get(
    "/{name}/manifest",
    dependencies=READ,
    response_class=Response,
    responses={200: LINES},
)
def manifest(name: Named, database: Stored, version: Version = None) -> Response:
    """Send the clips of a version, one JSON line each; without one, those committed now."""
    last = _end(database, name, version)
    lines = (_lines(rows) for rows in _rows(database, name, last))
    return StreamingResponse(lines, media_type="application/x-ndjson")


@router.get("/{name}/export", dependencies=READ, response_class=Response, responses={200: TAR, 409: {}})
def export(name: Named, database: Stored, settings: Tuned, version: Version = None) -> Response:
    """Send a version as a tar archive that unpacks into a dataset; without one, what is committed now."""
    last = _end(database, name, version)
    clips = (row.id for rows in _rows(database, name, last) for row in rows)
    headers = {"content-disposition": f'attachment; filename="{name}.tar"'}
    return StreamingResponse(archive(settings.data / name, clips), media_type="application/x-tar", headers=headers)


@router.get("/{name}/files", dependencies=READ)
def files(name: Named, under: Beside, database: Stored, settings: Tuned) -> BesideList:
    """List the small files beside a dataset's clips: recorded runs, compared siblings, refused episodes."""
    with database.reading() as session:
        _find(session, name)
    volume = open_folder(settings.data / name).volume
    paths = sorted(f"{under}/{key}" for key in volume.keys(under))[:FILES_MAX]
    return BesideList(files=[BesideFile(path=path, bytes=len(volume.read(path))) for path in paths])


@router.get("/{name}/files/{path:path}", dependencies=READ, response_class=FileResponse, responses=FILES)
def file(name: Named, path: str, request: Request, database: Stored, settings: Tuned, control: Controlled) -> Response:
    """Send a file of a dataset (Range and ETag are understood), or the names of the catalogue's parts: `catalog/`."""
    with database.reading() as session:
        count = _find(session, name).clips
    if path == "catalog/":
        return JSONResponse({"names": sorted(control.parts(name, count))})
    root = settings.data / name
    headers = {} if path == "dataset.json" else KEPT
    return send_stored(request, root, registered(root, path), headers=headers)


def _find(session: Session, name: str) -> DatasetRow:
    row = session.get(DatasetRow, name)
    if row is None:
        raise ProblemError(404, f"there is no dataset {name!r}; GET /v1/datasets lists them")
    return row


def _versions(session: Session, name: str) -> list[VersionRow]:
    return list(session.scalars(select(VersionRow).where(VersionRow.dataset == name).order_by(VersionRow.version)))


def _version(row: VersionRow) -> DatasetVersion:
    return DatasetVersion(version=row.version, created=row.created, clips=row.clips, digest=row.digest)


def _told(session: Session, row: DatasetRow) -> Dataset:
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


def _lines(rows: Sequence[ClipRow]) -> str:
    return "".join(json.dumps(told(row).model_dump(mode="json"), sort_keys=True) + "\n" for row in rows)


def _end(database: Database, name: str, version: int | None) -> int:
    """Return the number of the last clip of a version; of the catalogue as it is, without one.

    Raises:
        ProblemError: There is no such dataset or version.
    """
    with database.reading() as session:
        _find(session, name)
        if version is None:
            return _last(session, name)
        row = session.get(VersionRow, (name, version))
        if row is None:
            known = [each.version for each in _versions(session, name)]
            raise ProblemError(404, f"dataset {name!r} has no version {version}; it has {known or 'none yet'}")
        return row.last


def _rows(database: Database, name: str, last: int) -> Iterator[Sequence[ClipRow]]:
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
