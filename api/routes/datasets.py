"""`/v1/datasets`: what there is, frozen versions, and the files that trainers read."""

import hashlib
import json
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.clips import told
from api.database import note
from api.problems import ProblemError
from api.routes.dependencies import Controlled, Named, Stored, Tuned
from api.security import needs
from api.sending import send_file
from api.tables import ClipRow, DatasetRow, VersionRow
from simfactory.protocol import Dataset, DatasetVersion
from simfactory.store import open_folder

__all__ = ["router"]

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])
READ = [Depends(needs("read"))]
FOLDERS = ("catalog", "commits", "clips", "rejections", "runs", "siblings")  # what trainers read lies in these
BATCH = 1000
FILES_MAX = 10_000
Beside = Annotated[Literal["runs", "siblings", "rejections"], Query()]


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
    with database.writing() as session:
        _find(session, name)
        newest = _versions(session, name)[-1:]
        last = session.scalar(select(func.max(ClipRow.number)).where(ClipRow.dataset == name)) or 0
        if newest and newest[0].last == last:
            return _version(newest[0])
        digest, count = hashlib.sha256(), 0
        for line in _manifest(session, name, last):
            digest.update(line.encode())
            count += 1
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
    responses={200: {"content": {"application/x-ndjson": {}}}},
)
def manifest(name: Named, database: Stored, version: Annotated[int | None, Query(ge=1, le=2**31)] = None) -> Response:
    """Send the clips of a version, one JSON line each; without one, those committed now."""
    with database.reading() as session:
        _find(session, name)
        last = session.scalar(select(func.max(ClipRow.number)).where(ClipRow.dataset == name)) or 0
        if version is not None:
            row = session.get(VersionRow, (name, version))
            if row is None:
                known = [each.version for each in _versions(session, name)]
                raise ProblemError(404, f"dataset {name!r} has no version {version}; it has {known or 'none yet'}")
            last = row.last

    def lines() -> Iterator[str]:
        with database.reading() as session:
            yield from _manifest(session, name, last)

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@router.get("/{name}/files", dependencies=READ)
def files(
    name: Named, under: Beside, database: Stored, settings: Tuned
) -> dict[str, list[dict[str, Any]]]:  # Any: JSON
    """List the small files beside a dataset's clips: recorded runs, compared siblings, refused episodes."""
    with database.reading() as session:
        _find(session, name)
    volume = open_folder(settings.data / name).volume
    paths = sorted(f"{under}/{key}" for key in volume.keys(under))[:FILES_MAX]
    return {"files": [{"path": path, "bytes": len(volume.read(path))} for path in paths]}


@router.get("/{name}/files/{path:path}", dependencies=READ, response_class=FileResponse)
def file(name: Named, path: str, request: Request, database: Stored, settings: Tuned, control: Controlled) -> Response:
    """Send a file of a dataset (Range and ETag are understood), or the names of the catalogue's parts: `catalog/`."""
    with database.reading() as session:
        count = _find(session, name).clips
    top = path.partition("/")[0]
    if path == "catalog/":
        return JSONResponse({"names": sorted(control.parts(name, count))})
    if (path != "dataset.json" and top not in FOLDERS) or path.endswith("/"):
        raise ProblemError(404, f"dataset {name!r} has no file {path!r}; clips are found by the catalogue")
    return send_file(request, settings.data / name, path, lasting=top in ("clips", "commits", "catalog"))


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


def _manifest(session: Session, name: str, last: int) -> Iterator[str]:
    after = 0
    while True:
        query = select(ClipRow).where(ClipRow.dataset == name, ClipRow.number > after, ClipRow.number <= last)
        rows = session.scalars(query.order_by(ClipRow.number).limit(BATCH)).all()
        for row in rows:
            yield json.dumps(told(row).model_dump(mode="json"), sort_keys=True) + "\n"
        if len(rows) < BATCH:
            return
        after = rows[-1].number
