"""What is impossible in a request: every error at once, each with its JSON pointer; nothing is sampled."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any

from layouts.cameras import rigs
from scenes.listing import find_category, find_scenes
from scenes.sibling_specs import SiblingSpecs
from scenes.splits import SplitRules
from simfactory.annotations import annotations
from simfactory.errors import BackendUnavailable, SimfactoryError, SpecError
from simfactory.parameters import checked_ranges
from simfactory.protocol import JobItem, JobRequest, ProblemItem
from simfactory.rendering import find_preset
from simfactory.rng import stream
from simfactory.siblings import parse_siblings
from simfactory.simulators import backend_class, backend_names
from simfactory.spec import SceneSpec, parse_spec
from simfactory.splits import APART, HELD_OUT, parse_shares

__all__ = ["PARTS_MAX", "read_specs", "request_problems"]

PARTS_MAX = 100_000  # a job keeps counts of each
# What says how to sample; specs are taken as they are.
FOR_SAMPLING = (
    "ranges", "sweeps", "siblings", "assets", "until_rest", "seeds", "frames", "fps", "size", "cameras", "views",
    "modalities",
)  # fmt: skip

Found = Iterator[tuple[str, str]]  # JSON pointer and what is wrong there


def read_specs(request: JobRequest) -> tuple[dict[int, SceneSpec], list[ProblemItem]]:
    """Return the specs that a request gives by their number, and what is wrong with them; unreadable ones are left out.

    A spec that is there twice is wrong: both would be the same clips.
    """
    specs: dict[int, SceneSpec] = {}
    problems: list[ProblemItem] = []
    first: dict[str, int] = {}
    for number, record in enumerate(request.specs):
        try:
            specs[number] = parse_spec(record)
        except SpecError as error:
            problems.append(ProblemItem(pointer=f"/specs/{number}", detail=str(error)))
            continue
        digest = specs[number].digest()
        if digest in first:
            detail = f"the same as specs/{first[digest]}: give each spec once"
            problems.append(ProblemItem(pointer=f"/specs/{number}", detail=detail))
        first.setdefault(digest, number)
    kinds = {str(spec.split) if spec.split in APART else "training" for spec in specs.values()}
    if len(kinds) > 1:
        detail = f"specs of {' and '.join(sorted(kinds))}: these are never in one dataset; make two jobs"
        problems.append(ProblemItem(pointer="/specs", detail=detail))
    return specs, problems


def request_problems(
    request: JobRequest,
    specs: Mapping[int, SceneSpec],
    meshes: Sequence[Mapping[str, Any]],  # Any: mesh records
) -> list[ProblemItem]:
    """Return everything that is wrong with a request.

    Args:
        request: The request, its template filled in.
        specs: Its specs by their number, as far as they could be read.
        meshes: Mesh records of its asset set.
    """
    found = [
        *_source(request),
        *_items(request),
        *_numbers(request),
        *_recording(request),
        *_parameters(request),
        *_siblings(request),
        *_splits(request),
        *_backend(request, specs),
    ]
    if request.assets is not None and not request.specs:
        found += _assets(request, meshes)
    return [ProblemItem(pointer=pointer, detail=detail) for pointer, detail in dict.fromkeys(found)]


def _refusal(work: Callable[[], object]) -> str | None:
    """Return what work is refused with."""
    try:
        work()
    except SimfactoryError as error:
        return str(error)
    return None


def _source(request: JobRequest) -> Found:
    """Either items or specs; a template has items."""
    if not request.specs:
        if not request.items:
            yield "/items", "nothing is asked for: give items, a template or specs"
        return
    if request.template is not None:
        yield "/template", "a template is for sampling, and specs stay as they are: leave one of them out"
    elif request.items:
        yield "/items", "items are sampled, and specs stay as they are: make two jobs"
    for name in FOR_SAMPLING:
        if request.template is None and getattr(request, name) != JobRequest.model_fields[name].default:
            yield f"/{name}", f"{name} is for sampling, and specs stay as they are: leave one of them out"


def _items(request: JobRequest) -> Found:
    for number, item in enumerate(request.items):
        if detail := _refusal(partial(find_category, item.category)):
            yield f"/items/{number}/category", detail
            continue
        kind = find_category(item.category)
        if detail := _refusal(partial(find_scenes, kind, scene=item.scene, tier=None)):
            yield f"/items/{number}/scene", detail
        elif detail := _refusal(partial(find_scenes, kind, scene=item.scene, tier=item.tier)):
            yield f"/items/{number}/tier", detail


def _numbers(request: JobRequest) -> Found:
    for number, seed in enumerate(request.seeds):
        if seed in request.seeds[:number]:
            yield f"/seeds/{number}", f"seed {seed} is given twice: give each once, or ask for more clips"
    points = math.prod(len(values) for values in request.sweeps.values())
    parts = len(request.items) * len(request.seeds) * points
    if parts > PARTS_MAX:
        yield (
            "/sweeps" if request.sweeps else "/seeds",
            f"{len(request.items):,} items, {len(request.seeds):,} seeds and {points:,} points of sweeps make "
            f"{parts:,} parts; at most {PARTS_MAX:,} are allowed: make several jobs",
        )


def _recording(request: JobRequest) -> Found:
    known = rigs()
    for number, name in enumerate(request.cameras):
        if name not in known:
            yield f"/cameras/{number}", f"camera rig {name!r} is unknown; allowed are {sorted(known)}: name one of them"
        elif name in request.cameras[:number]:
            yield f"/cameras/{number}", f"camera rig {name!r} is named twice: ask for more views instead"
    for number, name in enumerate(request.modalities):
        if detail := _refusal(partial(annotations, [name])):
            yield f"/modalities/{number}", detail
    if detail := _refusal(partial(find_preset, request.preset)):
        yield "/preset", detail


def _parameters(request: JobRequest) -> Found:
    for name, (low, high) in request.ranges.items():
        if detail := _refusal(partial(checked_ranges, {name: (low, high)})):
            yield f"/ranges/{name}", detail
    for name, values in request.sweeps.items():
        for number, value in enumerate(values):
            if detail := _refusal(partial(checked_ranges, {name: (value, value)})):
                yield f"/sweeps/{name}/{number}", detail
            elif value in values[:number]:
                yield f"/sweeps/{name}/{number}", f"{name} {value:g} is given twice: give each value once"
        for other in ("ranges", "siblings"):
            if name in getattr(request, other):
                yield f"/sweeps/{name}", f"{name} is among sweeps and {other}: leave one of them out"


def _siblings(request: JobRequest) -> Found:
    if request.siblings and request.modalities and "rgb" not in request.modalities:
        yield "/modalities", "siblings are compared by rgb, which is not among the modalities: add it"
    for name, values in request.siblings.items():
        text = f"{name}={','.join(f'{value!r}' for value in values)}"
        if detail := _refusal(partial(parse_siblings, [text])) or _refusal(
            partial(_sibling_specs, request, {name: values})
        ):
            yield f"/siblings/{name}", detail


def _sibling_specs(request: JobRequest, changes: Mapping[str, Sequence[float]]) -> SiblingSpecs:
    """Return siblings that are not sampled, for what is refused about their values.

    Raises:
        SpecError: They lie in what is held out.
    """
    held_out = HELD_OUT if request.hold_out is None else {k: (low, high) for k, (low, high) in request.hold_out.items()}
    if _refusal(partial(checked_ranges, held_out)):
        held_out = {}  # refused by itself
    return SiblingSpecs(clip_count=1, options={}, changes=changes, rules=SplitRules(held_out=held_out))


def _splits(request: JobRequest) -> Found:
    if detail := _refusal(partial(parse_shares, request.split)):
        yield "/split", detail
    for name, (low, high) in (request.hold_out or {}).items():
        if detail := _refusal(partial(checked_ranges, {name: (low, high)})):
            yield f"/hold_out/{name}", detail


def _backend(request: JobRequest, specs: Mapping[int, SceneSpec]) -> Found:
    """The backend exists, and simulates the kinds of bodies; joints and flows are looked at once something is drawn."""
    try:
        simulator = backend_class(request.backend)
    except SimfactoryError as error:
        yield "/backend", str(error)
        return
    for number, item in enumerate(request.items):
        lacking = sorted(kind for kind in _kinds_of(item) if not simulator.supports(kind))
        if lacking:
            where = "scene" if item.scene else "category"
            yield (
                f"/items/{number}/{where}",
                _unsupported(f"{where} {(item.scene or item.category)!r}", lacking, request),
            )
    for number, spec in specs.items():
        lacking = sorted({body.kind for body in spec.bodies if not simulator.supports(body.kind)})
        if lacking:
            yield f"/specs/{number}/bodies", _unsupported(f"scene {spec.scene!r}", lacking, request)


def _assets(request: JobRequest, meshes: Sequence[Mapping[str, Any]]) -> Found:  # Any: mesh records
    """There are meshes, and scenes that may show them; see `with_meshes`."""
    if not meshes:
        yield "/assets", f"asset set {request.assets!r} is unknown or empty: upload meshes, name their set"
    elif not any("rigid" in _kinds(*scene) and len(_kinds(*scene)) == 1 for scene in _scenes(request)):
        yield (
            "/assets",
            "meshes stand in for rigid bodies in scenes without others, no item has any: add some, e.g. rigid",
        )


def _scenes(request: JobRequest) -> Iterator[tuple[str, str]]:
    """Yield category and name of every scene that is asked for."""
    for item in request.items:
        with suppress(SpecError):
            rows = find_scenes(find_category(item.category), scene=item.scene, tier=item.tier)
            yield from ((item.category, row.name) for row in rows)


def _kinds_of(item: JobItem) -> frozenset[str]:
    """Return the kinds of bodies that may be in an item's scenes; none where there is no such scene."""
    try:
        rows = find_scenes(find_category(item.category), scene=item.scene, tier=item.tier)
    except SpecError:
        return frozenset()
    return frozenset().union(*(_kinds(item.category, row.name) for row in rows))


@cache
def _kinds(category: str, scene: str) -> frozenset[str]:
    """Return the kinds of bodies that are cast in a scene; one of each role, for all in it are of one kind."""
    (row,) = find_scenes(find_category(category), scene=scene, tier=None)
    streams = partial(stream, 0, category, 0, scene, 0)
    bodies = [role.cast(role.name, rank=0, streams=streams).body for role in row.roles]
    return frozenset(str(getattr(body, "kind", "")) for body in bodies)


def _unsupported(what: str, kinds: Sequence[str], request: JobRequest) -> str:
    able = [name for name in backend_names() if name != request.backend and _supports_all(name, kinds)]
    return (
        f"{what} has bodies of kind {', '.join(kinds)}, which backend {request.backend!r} does not simulate; "
        f"backends that do: {', '.join(able) or 'none'}"
    )


def _supports_all(name: str, kinds: Sequence[str]) -> bool:
    try:
        return all(backend_class(name).supports(kind) for kind in kinds)
    except BackendUnavailable:
        return False
