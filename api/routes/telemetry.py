"""`/v1/telemetry`: the service's figures over the last hour."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api.paging import has_tag
from api.routes.dependencies import NOT_MODIFIED, Controlled
from api.security import needs
from simfactory.telemetry import Telemetry

__all__ = ["router"]

router = APIRouter(prefix="/v1/telemetry", tags=["telemetry"], dependencies=[Depends(needs("read"))])
Points = Annotated[int, Query(ge=10, le=1800, description="At most so many; each is the mean of its stretch of time")]


@router.get("", response_model=Telemetry, responses=NOT_MODIFIED)
def told(request: Request, control: Controlled, points: Points = 450) -> Response:
    """Tell the figures of the last hour."""
    etag, body = control.history.body(points)
    headers = {"etag": etag, "cache-control": "no-cache"}
    if has_tag(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
