"""`/datasets` and `/datasets/{name}`: what they hold, their versions, and the ways to get them."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from api.dashboard.access import Viewer, sender
from api.dashboard.clip_cards import newest
from api.dashboard.templating import page
from api.datasets import find_dataset, freeze_dataset, told_dataset, told_datasets
from api.routes.dependencies import Named, Stored, Tuned
from api.tables import ClipRow

__all__ = ["router"]

router = APIRouter()
GALLERY = 12  # clips


@router.get("/datasets")
def listed(request: Request, scopes: Viewer, database: Stored) -> Response:
    """Show all datasets."""
    with database.reading() as session:
        found = told_datasets(session)
    return page(request, "datasets.html", title="Datasets", datasets=found)


@router.get("/datasets/{name}")
def one(name: Named, request: Request, scopes: Viewer, database: Stored, settings: Tuned) -> Response:
    """Show what a dataset holds, and how it is read."""
    with database.reading() as session:
        found = told_dataset(session, find_dataset(session, name))
        cards = newest(session, ClipRow.dataset == name, count=GALLERY)
    return page(
        request,
        "dataset.html",
        title=name,
        dataset=found,
        cards=cards,
        folder=str(settings.data / name),
        address=f"{request.url.scheme}://{request.headers['host']}/v1/datasets/{name}",  # Host was checked before
    )


@router.post("/datasets/{name}/versions", dependencies=[Depends(sender("submit"))])
def freeze(name: Named, database: Stored) -> Response:
    """Freeze what is committed now as a version."""
    freeze_dataset(database, name)
    return RedirectResponse(f"/datasets/{name}", status_code=303)
