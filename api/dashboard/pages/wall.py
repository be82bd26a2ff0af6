"""`/wall`: what every worker renders just now."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.dashboard.access import Viewer
from api.dashboard.templating import page
from api.routes.dependencies import Controlled

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
PICTURES = (("rgb", "colour"), ("depth", "depth"), ("flow_forward", "flow"), ("instance", "segmentation"))


@router.get("/wall")
def wall(request: Request, viewer: Viewer, control: Controlled) -> Response:
    """Show the latest pictures of every worker."""
    control.view.watch()
    return page(request, "wall.html", title="Live wall", workers=control.view.workers(), pictures=PICTURES)
