"""`/v1/workers`: who works on what, pictures of it; and draining one."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from api.buckets import take_picture
from api.paging import has_tag
from api.problems import ProblemError
from api.routes.dependencies import NOT_MODIFIED, Controlled
from api.security import needs
from api.viewing import Body, as_body
from simfactory.protocol import Worker
from simfactory.telemetry import LiveFrame

__all__ = ["router"]

router = APIRouter(prefix="/v1/workers", tags=["workers"])
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,200}$")]
Modality = Annotated[str, Path(pattern=r"^(rgb|depth|flow_forward|instance)$")]
PICTURE: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI
    200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}},
    429: {},
    **NOT_MODIFIED,
}


@router.get("", dependencies=[Depends(needs("read"))], response_model=list[Worker], responses=NOT_MODIFIED)
def listed(
    request: Request,
    control: Controlled,
    spans: Annotated[bool, Query(description="With what their slots did in the last 90 s")] = False,
) -> Response:
    """List the workers that report."""
    control.queue.connection.ping()  # while the queue's server is away nobody knows: that is no empty list
    if spans:
        control.view.watch()
        return _answer(request, control.view.spans_body())
    return _answer(request, as_body(control.workers()))  # as they are at this moment: programs wait for them


@router.get("/live", dependencies=[Depends(needs("read"))], response_model=list[LiveFrame], responses=NOT_MODIFIED)
def live(request: Request, control: Controlled) -> Response:
    """Tell what each worker shows of what it renders; it begins to within seconds of the first question."""
    control.view.watch()
    control.queue.connection.ping()
    return _answer(request, control.view.frames_body())


@router.post("/{name}:drain", dependencies=[Depends(needs("admin"))])
def drain(name: Name, control: Controlled) -> Worker:
    """Have a worker finish what it has and take nothing more."""
    control.queue.connection.ping()
    found = [worker for worker in control.workers() if worker.name == name]
    if not found:
        raise ProblemError(404, f"there is no worker {name!r}; GET /v1/workers lists them")
    control.queue.drain(name)
    return found[0]


@router.get(
    "/{name}/preview/{modality}",
    dependencies=[Depends(needs("read"))],
    responses=PICTURE,
    response_class=Response,
)
def preview(name: Name, modality: Modality, request: Request, control: Controlled) -> Response:
    """Send the latest picture that a worker shows; it begins to within seconds of the first question."""
    control.view.watch()
    found = control.view.picture(name, modality)
    if found is None:
        raise ProblemError(404, f"worker {name!r} shows no {modality} now; it does once it renders a frame with it")
    count, picture = found
    etag = f'"{hashlib.sha256(name.encode()).hexdigest()[:12]}-{modality}-{count}"'
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    if has_tag(request, etag):
        return Response(status_code=304, headers=headers)
    take_picture(request, "live")
    return Response(picture, media_type="image/png", headers=headers)


def _answer(request: Request, told: Body) -> Response:
    etag, body = told
    headers = {"etag": etag, "cache-control": "no-cache"}
    if has_tag(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
