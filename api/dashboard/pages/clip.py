"""`/clips/{id}`: a clip as synchronised pictures, a 4D scene one can walk through, curves, and all that is known."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.clips import find_clip, told
from api.dashboard.access import Viewer
from api.dashboard.templating import page
from api.routes.dependencies import Identity, Opened, Stored
from simfactory.protocol import Clip

__all__ = ["catalogued", "router"]

router = APIRouter()
TITLES = {
    "rgb": "Colour",
    "depth": "Depth",
    "flow_forward": "Flow forward",
    "flow_backward": "Flow backward",
    "normal": "Normals",
    "instance": "Instances",
    "scene_flow": "Scene flow",
}


def catalogued(identity: Identity, database: Stored) -> Clip | None:
    """Return the catalogue's entry of a clip; a viewer without a database has none."""
    with database.reading() as session:
        return told(find_clip(session, identity))


@router.get("/clips/{identity}")
def show(
    request: Request, viewer: Viewer, entry: Annotated[Clip | None, Depends(catalogued)], clip: Opened
) -> Response:
    """Show a clip."""
    from api.viewer import description  # see api.app

    about = description(clip, with_ranges=False)
    spec = about["spec"]["shown"]
    return page(
        request,
        "clip.html",
        title=about["caption"] or f"Clip {clip.id[:12]}",
        clip=about,
        entry=entry,
        scene={name: clip.spec.get(name) for name in ("scene", "category", "tier", "split", "seed", "index")},
        titles=TITLES,
        absent=[name for name in ("depth", "points", "tracks", "bodies", "contacts") if name not in clip.modalities],
        spec=None if spec is None else json.dumps(spec, indent=2, ensure_ascii=False),
        total_bytes=sum(about["bytes"].values()),
    )
