"""Named requests: what a job is to make, written down once."""

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import chain, zip_longest
from types import MappingProxyType
from typing import Any

from api.problems import RequestError
from scenes.curriculum import WEIGHTS
from scenes.listing import CatalogueEntry, catalogue
from simfactory.protocol import JobItem, JobRequest, ProblemItem

__all__ = ["TEMPLATES", "filled_in"]

Fields = dict[str, Any]  # Any: fields of a request

FULL_SCENES, FULL_EPISODES, FULL_VIEWS = 200, 250_000, 5
DEMO_CATEGORIES = ("rigid", "articulated", "cloth", "soft_body", "rope", "inflatable")


def filled_in(request: JobRequest) -> JobRequest:
    """Return a request with the fields of its template where it leaves them out.

    A field that was given wins, even if it has the value that it would have anyway; what is filled in counts as given,
    so filling in twice changes nothing.

    Raises:
        RequestError: There is no such template.
    """
    if request.template is None:
        return request
    if request.template not in TEMPLATES:
        detail = f"template {request.template!r} is unknown; allowed are {sorted(TEMPLATES)}: name one of them"
        raise RequestError("the request cannot be fulfilled", [ProblemItem(pointer="/template", detail=detail)])
    given = {name: getattr(request, name) for name in request.model_fields_set}
    return JobRequest(**{**TEMPLATES[request.template](), **given})


def _phys4d_full() -> Fields:
    """The amount of data that Phys4D was trained on: 200 base scenes, 250,000 episodes, 1,250,000 clips.

    All scenes that may be trained on take part, 192 at present. The others come from those held out, one each from the
    categories with most scenes, the smallest category giving none: whatever the shares say, all their episodes are
    test episodes, so they are kept out of training as ever, and what is trained on the rest can be tested on motion
    that it never saw. Episodes are 30/35/35 % of one, two and many bodies, alike within each of these tiers.

    Five views: three standing, two moving. 10 s at 30 Hz and 480x480 px, all signals.

    Source: Phys4D, section 4.1 and appendix H, of whose videos we take the number, not the 1920x1080 px at 60 Hz.
    """
    items = [
        JobItem(category=entry.category, scene=entry.name, clips=episodes * FULL_VIEWS)
        for entry, episodes in _full_scenes()
    ]
    return {
        "name": "Phys4D, full",
        "items": items,
        "frames": 300,
        "fps": 30.0,
        "size": [480, 480],
        "cameras": ["ring", "orbit"],
        "views": FULL_VIEWS,
        "modalities": [],
    }


def _full_scenes() -> list[tuple[CatalogueEntry, int]]:
    """Return scenes and their episodes: first scenes to train on, then held-out ones; categories take turns."""
    chosen = [*_turns("train"), *_turns("test")][:FULL_SCENES]
    counts = Counter(entry.tiers for entry in chosen)
    mixed = sum(count for tiers, count in counts.items() if len(tiers) > 1)  # these draw a tier by the same weights
    even = FULL_EPISODES / FULL_SCENES
    passed, found = 0.0, []
    for entry in chosen:
        share = even
        if len(entry.tiers) == 1:
            weight = WEIGHTS[entry.tier]
            share = (FULL_EPISODES - mixed * even) * weight / counts[entry.tiers]
        found.append((entry, round(passed + share) - round(passed)))
        passed += share
    return found


def _turns(split: str) -> list[CatalogueEntry]:
    """Return the scenes of a split, one of each category in turn, that with most scenes first."""
    rows: dict[str, list[CatalogueEntry]] = {}
    for entry in catalogue():
        rows.setdefault(entry.category, []).append(entry)
    largest = sorted(rows.values(), key=len, reverse=True)
    kept = ([entry for entry in group if entry.split == split] for group in largest)
    return [entry for entry in chain(*zip_longest(*kept)) if entry is not None]


def _demo() -> Fields:
    """An episode each of several categories: 30 clips that two cores make in a few minutes."""
    items = [JobItem(category=name, clips=5) for name in DEMO_CATEGORIES]
    return {"name": "Demo", "items": items, "frames": 24, "fps": 24.0, "size": [256, 256], "preset": "draft"}


TEMPLATES: Mapping[str, Callable[[], Fields]] = MappingProxyType({"demo": _demo, "phys4d-full": _phys4d_full})
