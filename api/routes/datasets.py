"""`/v1/datasets`: what there is, frozen versions, and the files that trainers read."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from api.archive import archive
from api.datasets import clip_rows, end_of, find_dataset, freeze_dataset, manifest_lines, told_dataset, told_datasets
from api.files import FILE_RESPONSES, registered, send_stored
from api.routes.dependencies import Controlled, Named, Stored, Tuned
from api.security import needs
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
        return told_datasets(session)


@router.get("/{name}", dependencies=READ)
def one(name: Named, database: Stored) -> Dataset:
    """Tell what a dataset holds."""
    with database.reading() as session:
        return told_dataset(session, find_dataset(session, name))


@router.post("/{name}/versions", status_code=201, dependencies=[Depends(needs("submit"))])
def freeze(name: Named, database: Stored) -> DatasetVersion:
    """Freeze what is committed now as a version; the same clips give the version there is."""
    return freeze_dataset(database, name)


@router.get(
    "/{name}/manifest",
    dependencies=READ,
    response_class=Response,
    responses={200: LINES},
)
def manifest(name: Named, database: Stored, version: Version = None) -> Response:
    """Send the clips of a version, one JSON line each; without one, those committed now."""
    last = end_of(database, name, version)
    lines = (manifest_lines(rows) for rows in clip_rows(database, name, last))
    return StreamingResponse(lines, media_type="application/x-ndjson")


@router.get("/{name}/export", dependencies=READ, response_class=Response, responses={200: TAR, 409: {}})
def export(name: Named, database: Stored, settings: Tuned, version: Version = None) -> Response:
    """Send a version as a tar archive that unpacks into a dataset; without one, what is committed now."""
    last = end_of(database, name, version)
    clips = (row.id for rows in clip_rows(database, name, last) for row in rows)
    headers = {"content-disposition": f'attachment; filename="{name}.tar"'}
    return StreamingResponse(archive(settings.data / name, clips), media_type="application/x-tar", headers=headers)


@router.get("/{name}/files", dependencies=READ)
def files(name: Named, under: Beside, database: Stored, settings: Tuned) -> BesideList:
    """List the small files beside a dataset's clips: recorded runs, compared siblings, refused episodes."""
    with database.reading() as session:
        find_dataset(session, name)
    volume = open_folder(settings.data / name).volume
    paths = sorted(f"{under}/{key}" for key in volume.keys(under))[:FILES_MAX]
    return BesideList(files=[BesideFile(path=path, bytes=len(volume.read(path))) for path in paths])


@router.get("/{name}/files/{path:path}", dependencies=READ, response_class=FileResponse, responses=FILES)
def file(name: Named, path: str, request: Request, database: Stored, settings: Tuned, control: Controlled) -> Response:
    """Send a file of a dataset (Range and ETag are understood), or the names of the catalogue's parts: `catalog/`."""
    with database.reading() as session:
        count = find_dataset(session, name).clips
    if path == "catalog/":
        return JSONResponse({"names": sorted(control.parts(name, count))})
    root = settings.data / name
    headers = {} if path == "dataset.json" else KEPT
    return send_stored(request, root, registered(root, path), headers=headers)
