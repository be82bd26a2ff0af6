"""`/v1/clips/{id}/…`: what the viewer shows of a clip (pictures, 4D points, tracks, mechanics), and its tar."""

import gzip
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse

from api.archive import archive
from api.paging import has_tag
from api.problems import ProblemError
from api.routes.dependencies import NOT_MODIFIED, Identity, Opened
from api.security import needs
from simfactory.dataset import Clip
from simfactory.store.location import location_of

__all__ = ["router"]

router = APIRouter(prefix="/v1/clips", tags=["clips"], dependencies=[Depends(needs("read"))])
BINARY = {"schema": {"type": "string", "format": "binary"}}
PACKED: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI
    200: {"content": {"application/octet-stream": BINARY}},
    409: {},
    **NOT_MODIFIED,
}
PICTURE: dict[int | str, dict[str, Any]] = {**PACKED, 200: {"content": {"image/webp": BINARY}}}  # Any: OpenAPI
DOCUMENT: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI
    200: {"content": {"application/json": {"schema": {"type": "object"}}}},
    409: {},
    **NOT_MODIFIED,
}
TAR: dict[int | str, dict[str, Any]] = {200: {"content": {"application/x-tar": BINARY}}, 409: {}}  # Any: OpenAPI
VERSION = "1"  # of what is sent; another one makes browsers ask anew
FRAMES_MAX = 64
TOTAL_MAX = 3_000_000  # points of one message
LEVEL = 4  # of gzip: see benchmarks/service/viewer.json
Start = Annotated[int, Query(ge=0, le=1_000_000, description="First frame")]
Count = Annotated[int, Query(ge=1, le=FRAMES_MAX, description="Number of frames; fewer are sent at the clip's end")]


@router.get("/{identity}/view", responses=DOCUMENT, response_class=Response)
def view(identity: Identity, request: Request, clip: Opened) -> Response:
    """Tell what the viewer has to know: size, camera, bodies, ranges, quality, spec, and how to make the clip again."""
    from api.viewer import description  # see api.app

    return _document(request, clip, "view", lambda: description(clip))


@router.get("/{identity}/spec", responses=DOCUMENT, response_class=Response)
def spec(identity: Identity, request: Request, clip: Opened) -> Response:
    """Send the clip's resolved spec as a file, for `simfactory generate --spec`."""
    from api.viewer.description import own_spec

    if not clip.spec:
        raise ProblemError(404, f"clip {identity} holds no spec")
    name = f"clip-{identity[:12]}.json"
    answer = _document(request, clip, "spec", lambda: own_spec(clip))
    answer.headers["content-disposition"] = f'attachment; filename="{name}"'
    return answer


@router.get("/{identity}/mechanics", responses=DOCUMENT, response_class=Response)
def mechanics(identity: Identity, request: Request, clip: Opened) -> Response:
    """Tell the bodies' energy [J] and momentum [kg m/s] and the contacts' impulses [N s] over time."""
    from api.viewer import mechanics as curves

    return _document(request, clip, "mechanics", lambda: curves(clip))


@router.get("/{identity}/strip/{modality}", responses=PICTURE, response_class=Response)
def strip(
    identity: Identity, modality: Identity, request: Request, clip: Opened, start: Start = 0, count: Count = 16
) -> Response:
    """Send consecutive frames of a modality in one picture, the first on top; colours mean the same in all frames."""
    from api.viewer import strip as painted

    _check_start(clip, start)
    count = min(count, clip.frame_count - start)
    return _sent(
        request, clip, f"{modality}-{start}-{count}", lambda: painted(clip, modality, start, count), "image/webp"
    )


@router.get("/{identity}/cloud", responses=PACKED, response_class=Response)
def cloud(
    identity: Identity,
    request: Request,
    clip: Opened,
    start: Start = 0,
    count: Count = 8,
    points: Annotated[int, Query(ge=1, le=200_000, description="Points of one frame, at most")] = 50_000,
    background: Annotated[Literal["auto", "yes", "no"], Query(description="auto: with the first frame")] = "auto",
) -> Response:
    """Send the 4D points of some frames, quantised; the header (see api/viewer/packing.py) says how to read them."""
    from api.viewer import cloud_payload

    _check_start(clip, start)
    count = min(count, clip.frame_count - start)
    if count * points > TOTAL_MAX:
        raise ProblemError(422, f"{count} frames of {points} points are more than {TOTAL_MAX} points; ask for fewer")
    still = background == "yes" or (background == "auto" and start == 0)
    name = f"cloud-{start}-{count}-{points}-{still}"
    return _packed(request, clip, name, lambda: cloud_payload(clip, start, count, points, background=still))


@router.get("/{identity}/tracks", responses=PACKED, response_class=Response)
def tracks(
    identity: Identity, request: Request, clip: Opened, limit: Annotated[int, Query(ge=1, le=5000)] = 2000
) -> Response:
    """Send tracks of material points at all frames, quantised, and whether the camera sees them."""
    from api.viewer import tracks_payload

    return _packed(request, clip, f"tracks-{limit}", lambda: tracks_payload(clip, limit))


@router.get("/{identity}/archive", responses=TAR, response_class=StreamingResponse)
def archived(identity: Identity, clip: Opened) -> StreamingResponse:
    """Send the clip as a tar archive that unpacks into a dataset of this one clip."""
    root = str(clip.path).rpartition("/clips/")[0]
    parts = archive(location_of(root), [clip.id])
    first = next(parts)  # what is missing shows before anything is sent
    headers = {"content-disposition": f'attachment; filename="clip-{identity[:12]}.tar"', "cache-control": "no-store"}
    return StreamingResponse(_chained(first, parts), media_type="application/x-tar", headers=headers)


def _chained(first: bytes, rest: Any) -> Any:  # Any: iterators of bytes
    yield first
    yield from rest


def _check_start(clip: Clip, start: int) -> None:
    if start >= clip.frame_count:
        raise ProblemError(404, f"clip {clip.id} has frames 0 to {clip.frame_count - 1}, not {start}")


def _document(request: Request, clip: Clip, name: str, make: Callable[[], dict[str, Any]]) -> Response:  # Any: JSON
    return _packed(request, clip, name, lambda: json.dumps(make(), allow_nan=False).encode(), "application/json")


def _packed(
    request: Request, clip: Clip, name: str, make: Callable[[], bytes], kind: str = "application/octet-stream"
) -> Response:
    return _sent(request, clip, name, make, kind, compressed=True)


def _sent(
    request: Request, clip: Clip, name: str, make: Callable[[], bytes], kind: str, *, compressed: bool = False
) -> Response:
    """Return what a clip's viewer asked for, unless it has it: of a clip nothing ever changes."""
    etag = f'"{clip.id}-{clip.record["attempt"]}-{name}-{VERSION}"'
    headers = {"etag": etag, "cache-control": "private, max-age=86400"}
    if compressed:
        headers["vary"] = "accept-encoding"
    if has_tag(request, etag):
        return Response(status_code=304, headers=headers)
    body = make()
    if compressed and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, LEVEL, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, media_type=kind, headers=headers)
