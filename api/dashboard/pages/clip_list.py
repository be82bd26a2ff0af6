"""`/clips`: clips that were committed, by what they are."""

from dataclasses import fields
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from api.clips import clip_page
from api.dashboard.access import Viewer
from api.dashboard.clip_cards import card
from api.dashboard.templating import page
from api.paging import Cursor
from api.routes.dependencies import ClipFilters, Filtered, Secret, Stored
from api.tables import KindRow

__all__ = ["router"]

router = APIRouter()
PAGE = 48
FROM_KINDS = ("dataset", "category", "scene", "tier", "split", "backend", "preset")


@router.get("/clips")
def listed(
    request: Request,
    scopes: Viewer,
    database: Stored,
    secret: Secret,
    filters: Filtered,
    cursor: Cursor = None,
) -> Response:
    """Show clips in the order they were committed."""
    wanted = filters.wanted
    with database.reading() as session:
        found = clip_page(session, secret, wanted, cursor, PAGE)
        choices = {
            name: session.scalars(select(getattr(KindRow, name)).distinct().order_by(getattr(KindRow, name))).all()
            for name in FROM_KINDS
        }
    return page(
        request,
        "clips.html",
        title="Clips",
        cards=[card(clip) for clip in found.items],
        given={field.name: wanted.get(field.name, "") for field in fields(ClipFilters)},
        choices=choices,
        first="/clips?" + urlencode(wanted) if cursor else "",
        following="/clips?" + urlencode({**wanted, "cursor": found.next}) if found.next else "",
    )
