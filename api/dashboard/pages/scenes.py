"""`/scenes` and `/scenes/{name}`: what can be sampled, in pictures, with a short form for a job of it."""

import secrets

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.dashboard.access import Viewer
from api.dashboard.assets import has_asset
from api.dashboard.job_fields import job_form
from api.dashboard.templating import page
from api.problems import ProblemError
from api.routes.dependencies import Filter, Identity, Stored

__all__ = ["router"]

router = APIRouter()
SHORT = ("dataset", "items", "frames", "size", "preset")
CLIPS = "20"  # that the short form proposes


@router.get("/scenes")
def listed(request: Request, scopes: Viewer, category: Filter = None) -> Response:
    """Show base scenes by category."""
    from scenes.listing import catalogue, categories  # see api.app

    kinds = categories()
    chosen = [name for name in kinds if category in (None, "", name)]
    rows = {name: [entry for entry in catalogue() if entry.category == name] for name in chosen}
    return page(
        request,
        "scenes.html",
        title="Scenes",
        categories=[*kinds],
        category=category or "",
        groups=[(name, kinds[name].description, rows[name]) for name in chosen],
        strip=strip_name,
    )


@router.get("/scenes/{name}")
def one(name: Identity, request: Request, scopes: Viewer, database: Stored) -> Response:
    """Show a base scene, and what is drawn anew in each of its episodes."""
    from scenes.listing import catalogue, categories  # see api.app
    from simfactory.parameters import PARAMETERS

    entry = next((entry for entry in catalogue() if entry.name == name), None)
    if entry is None:
        raise ProblemError(404, f"there is no base scene {name!r}; /scenes shows them all")
    beside = [each.name for each in catalogue() if each.category == entry.category]
    place = beside.index(name)
    entered = {"dataset": name, "items": [{"category": entry.category, "scene": name, "clips": CLIPS}]}
    return page(
        request,
        "scene.html",
        title=name,
        scene=entry,
        about=categories()[entry.category].description,
        strip=strip_name(name),
        drawn=_drawn(entry.category, name),
        before=beside[place - 1] if place else "",
        after=beside[place + 1] if place + 1 < len(beside) else "",
        form=job_form(database, entered, [], only=SHORT),
        key=secrets.token_urlsafe(16),
        parameters=PARAMETERS,
    )


def strip_name(name: str) -> str:
    """Return the name of a scene's strip of pictures; nothing if there is none."""
    found = f"scenes/{name}.jpg"
    return found if has_asset(found) else ""


def _drawn(category: str, scene: str) -> list[str]:
    """Return the names of the parameters that an episode of a scene has."""
    from scenes.sample import sample  # see api.app
    from simfactory.parameters import PARAMETERS

    spec = sample(category, scene=scene, seed=0)
    return [one.name for one in PARAMETERS.values() if one.measure(spec)]
