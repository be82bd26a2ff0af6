"""`/v1/clips`: listed, told, previewed, downloaded."""

from typing import Annotated, Any

import cv2
import numpy as np
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import FileResponse, Response

from api.buckets import take_picture
from api.clips import clip_page, find_clip, told
from api.files import FILE_RESPONSES, clip_files, send_stored
from api.paging import Cursor, Limit, as_json, has_tag, with_etag
from api.problems import ProblemError
from api.routes.dependencies import NOT_MODIFIED, Filtered, Identity, Opened, Secret, Stored, Tuned, opened_clip
from api.security import needs
from simfactory.protocol import ApiModel, Clip, ClipPage

__all__ = ["router"]

router = APIRouter(prefix="/v1/clips", tags=["clips"], dependencies=[Depends(needs("read"))])
Frame = Annotated[int, Query(ge=0, le=1_000_000)]
POINTS_MAX = 200_000
PICTURE: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI
    200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}},
    409: {},
    429: {},
    **NOT_MODIFIED,
}
KEPT = {"cache-control": "private, max-age=86400, immutable"}


class File(ApiModel):
    """A file of a clip: its name in the clip's folder, its size [B] and digest."""

    path: str
    bytes: int
    sha256: str


class FileList(ApiModel):
    """The files of a clip."""

    files: list[File]


@router.get("", response_model=ClipPage)
def listed(
    database: Stored,
    secret: Secret,
    filters: Filtered,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """List clips in the order they were committed."""
    with database.reading() as session:
        return as_json(clip_page(session, secret, filters.wanted, cursor, limit))


@router.get("/{identity}", response_model=Clip, responses=NOT_MODIFIED)
def one(identity: Identity, request: Request, database: Stored) -> Response:
    """Tell what is known of a clip."""
    with database.reading() as session:
        return with_etag(request, told(find_clip(session, identity)))


@router.get("/{identity}/files", responses={409: {}})
def files(identity: Identity, database: Stored, settings: Tuned) -> FileList:
    """List a clip's files with sizes and digests."""
    with database.reading() as session:
        row = find_clip(session, identity)
    _, found = clip_files(settings.data / row.dataset, identity)
    return FileList(
        files=[File(path=name, bytes=found[name]["bytes"], sha256=found[name]["sha256"]) for name in sorted(found)]
    )


@router.get("/{identity}/files/{name:path}", response_class=FileResponse, responses=FILE_RESPONSES)
def download(identity: Identity, name: str, request: Request, database: Stored, settings: Tuned) -> Response:
    """Send a file of a clip; Range and ETag are understood."""
    with database.reading() as session:
        row = find_clip(session, identity)
    root = settings.data / row.dataset
    folder, found = clip_files(root, identity)
    if name not in found:
        known = f"GET /v1/clips/{identity}/files lists them"
        raise ProblemError(404, f"clip {identity} has no file {name[:200]!r}; {known}")
    return send_stored(request, root, f"{folder}/{name}", etag=f'"{found[name]["sha256"][:32]}"', headers=KEPT)


@router.get(
    "/{identity}/preview/{modality}",
    responses=PICTURE,
    response_class=Response,
)
def preview(
    identity: Identity, modality: Identity, request: Request, database: Stored, settings: Tuned, frame: Frame = 0
) -> Response:
    """Send one frame of a modality as a picture."""
    from simfactory.exporters.painting import painters  # see api.app

    with database.reading() as session:
        frame_count = find_clip(session, identity).frame_count
    if frame >= frame_count:
        raise ProblemError(404, f"clip {identity} has frames 0 to {frame_count - 1}, not {frame}")
    headers = {"etag": f'"{identity}-{modality}-{frame}"', "cache-control": "private, max-age=86400"}
    if has_tag(request, headers["etag"]):
        return Response(status_code=304, headers=headers)  # nothing of the clip is opened for that
    take_picture(request, "clip")
    clip = opened_clip(identity, database, settings)
    paint = painters(clip, [frame]).get(modality)
    if paint is None:
        raise ProblemError(
            404, f"clip {identity} has no picture of {modality!r}; it has {', '.join(painters(clip, [frame]))}"
        )
    image = paint(clip.window(frame, 1, modalities=[modality])[modality][0])
    _, encoded = cv2.imencode(".png", image[..., ::-1])
    return Response(encoded.tobytes(), media_type="image/png", headers=headers)


@router.get("/{identity}/points/{frame}", responses={409: {}})
def points(
    identity: Identity,
    frame: Annotated[int, Path(ge=0, le=1_000_000)],
    clip: Opened,
    limit: Annotated[int, Query(ge=1, le=POINTS_MAX)] = 50_000,
) -> dict[str, Any]:  # Any: JSON
    """Tell the 4D points of a frame: x, y, z [m], t [s]."""
    if frame >= clip.frame_count:
        raise ProblemError(404, f"clip {identity} has frames 0 to {clip.frame_count - 1}, not {frame}")
    if "points" not in clip.modalities:
        raise ProblemError(404, f"clip {identity} has no points; it has {', '.join(clip.modalities)}")
    window = clip.window(frame, 1, modalities=["points"])
    found = {name.partition("/")[2]: values for name, values in window.items()}
    count = len(found["position"]) if "position" in found else 0
    step = max(1, -(-count // limit))
    return {
        "frame": frame,
        "count": count,
        **{
            name: np.asarray(values[::step], dtype=float).round(5).tolist()
            for name, values in found.items()
            if len(values) == count
        },
    }
