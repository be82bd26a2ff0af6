"""`/v1/clips`: listed, told, previewed, downloaded."""

from typing import Annotated, Any

import cv2
import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, Response

from api.clips import clip_page, find_clip, safe_file, told
from api.paging import Cursor, Limit, as_json, with_etag
from api.problems import ProblemError
from api.routes.common import Identity, Secret, Stored, Tuned
from api.security import needs
from simfactory.dataset import Clip as StoredClip
from simfactory.dataset import open_dataset
from simfactory.exporters.painting import painters
from simfactory.protocol import Clip, ClipPage

__all__ = ["router"]

router = APIRouter(prefix="/v1/clips", tags=["clips"], dependencies=[Depends(needs("read"))])
Text = Annotated[str | None, Query(max_length=64)]
Frame = Annotated[int, Query(ge=0, le=1_000_000)]
POINTS_MAX = 200_000


@router.get("", response_model=ClipPage)
def listed(
    database: Stored,
    secret: Secret,
    dataset: Text = None,
    category: Text = None,
    scene: Text = None,
    tier: Text = None,
    split: Text = None,
    job: Text = None,
    backend: Text = None,
    preset: Text = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """List clips in the order they were committed."""
    given = {
        "dataset": dataset, "category": category, "scene": scene, "tier": tier, "split": split, "job": job,
        "backend": backend, "preset": preset,
    }  # fmt: skip
    wanted = {name: value for name, value in given.items() if value is not None}
    with database.reading() as session:
        return as_json(clip_page(session, secret, wanted, cursor, limit))


@router.get("/{identity}", response_model=Clip)
def one(identity: Identity, request: Request, database: Stored) -> Response:
    """Tell what is known of a clip."""
    with database.reading() as session:
        return with_etag(request, told(find_clip(session, identity)))


def _opened(identity: str, database: Stored, settings: Tuned) -> StoredClip:
    with database.reading() as session:
        row = find_clip(session, identity)
    return open_dataset(settings.data / row.dataset)[identity]


@router.get("/{identity}/files")
def files(identity: Identity, database: Stored, settings: Tuned) -> dict[str, list[dict[str, Any]]]:  # Any: JSON
    """List a clip's files with sizes and digests."""
    record: Any = _opened(identity, database, settings).record["files"]  # Any: JSON
    listing = [{"path": name, "bytes": entry["bytes"], "sha256": entry["sha256"]} for name, entry in record.items()]
    return {"files": sorted(listing, key=lambda entry: str(entry["path"]))}


@router.get("/{identity}/files/{name:path}", response_class=FileResponse)
def download(identity: Identity, name: str, database: Stored, settings: Tuned) -> Response:
    """Send a file of a clip; Range and ETag are understood."""
    clip = _opened(identity, database, settings)
    record: Any = clip.record["files"]  # Any: JSON
    if name not in record:
        raise ProblemError(404, f"clip {identity} has no file {name!r}; GET /v1/clips/{identity}/files lists them")
    path = safe_file(clip.path, name)
    return FileResponse(
        path, headers={"etag": f'"{record[name]["sha256"][:32]}"', "cache-control": "private, max-age=86400, immutable"}
    )


@router.get("/{identity}/preview/{modality}", responses={200: {"content": {"image/png": {}}}}, response_class=Response)
def preview(
    identity: Identity, modality: Identity, request: Request, database: Stored, settings: Tuned, frame: Frame = 0
) -> Response:
    """Send one frame of a modality as a picture."""
    etag = f'"{identity}-{modality}-{frame}"'
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"etag": etag})
    clip = _opened(identity, database, settings)
    if frame >= clip.frame_count:
        raise ProblemError(404, f"clip {identity} has frames 0 to {clip.frame_count - 1}, not {frame}")
    paint = painters(clip, [frame]).get(modality)
    if paint is None:
        raise ProblemError(
            404, f"clip {identity} has no picture of {modality!r}; it has {', '.join(painters(clip, [frame]))}"
        )
    image = paint(clip.window(frame, 1, modalities=[modality])[modality][0])
    _, encoded = cv2.imencode(".png", image[..., ::-1])
    return Response(
        encoded.tobytes(), media_type="image/png", headers={"etag": etag, "cache-control": "private, max-age=86400"}
    )


@router.get("/{identity}/points/{frame}")
def points(
    identity: Identity,
    frame: int,
    database: Stored,
    settings: Tuned,
    limit: Annotated[int, Query(ge=1, le=POINTS_MAX)] = 50_000,
) -> dict[str, Any]:  # Any: JSON
    """Tell the 4D points of a frame: x, y, z [m], t [s]."""
    clip = _opened(identity, database, settings)
    if not 0 <= frame < clip.frame_count:
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
