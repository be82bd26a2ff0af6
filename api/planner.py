"""From a request to episodes: which parts a job has, how many episodes each, and any episode's specs by number.

Nothing is sampled before it is wanted, and nothing is kept: an episode's specs follow from the request, its part, its
number and its attempt.
"""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.checks import read_specs, request_problems
from api.meshes import with_meshes
from api.problems import RequestError
from api.templates import filled_in
from layouts.cameras import rigs
from scenes.generate import ATTEMPTS_MAX, Specs
from scenes.request import given_request, sampled_request
from scenes.splits import SplitRules
from simfactory.errors import AssetError, ResourceError, SimfactoryError, SpecError
from simfactory.parameters import checked_ranges
from simfactory.preflight import check_memory, check_scene, check_solvable
from simfactory.protocol import JobItem, JobRequest, ProblemItem
from simfactory.spec import SceneSpec
from simfactory.splits import HELD_OUT, assigned, parse_shares
from simfactory.store import JSON

__all__ = ["ATTEMPTS_MAX", "Part", "Plan"]

REFUSED = "the request cannot be fulfilled"

CHECKED_MAX = 16  # items whose first unit is looked at before a job is taken


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What is sampled alike: one item, one seed, one point of the sweeps; or given specs of one kind.

    Attributes:
        category: Physics category.
        modalities: Signals to record; empty = all.
        units: Episodes, or groups of siblings: what is kept or replaced as a whole.
        episodes: Simulated episodes.
        clips: Clips that they give.
        frames: Frames of all clips, if none ends early.
        pixels: Pixels of all frames.
        simulated: Time of all episodes [s].
        footage: Time of all clips [s].
    """

    category: str
    modalities: tuple[str, ...]
    units: int
    episodes: int
    clips: int
    frames: int
    pixels: int
    simulated: float
    footage: float


class Plan:
    """The episodes of a request.

    Parts of one category and seed number their episodes one after the other, in the order of the parts. A spec's seed,
    category and index name its random numbers and its split, so no two episodes of a job are drawn alike: equal items
    give further episodes, and neither items nor points of a sweep share an episode across splits. The first part of a
    category and seed has the very episodes of `simfactory generate`.

    Args:
        request: The request; fields of its template are filled in.
        meshes: Mesh records of the asset set that it names.

    Attributes:
        request: The request, complete.
        parts: Its parts: items first, then points of the sweeps, then seeds, so that all kinds of scenes come early.

    Raises:
        RequestError: What is asked for is impossible; every error has its JSON pointer.
    """

    def __init__(self, request: JobRequest, meshes: Sequence[Mapping[str, Any]] = ()) -> None:  # Any: JSON
        self.request, self._meshes = filled_in(request), tuple(meshes)
        specs, problems = read_specs(self.request)
        problems += request_problems(self.request, specs, self._meshes)
        if problems:
            raise RequestError(REFUSED, problems)
        self._rules = _rules(self.request)
        names = list(self.request.sweeps)
        self._points = [
            dict(zip(names, values, strict=True)) for values in itertools.product(*self.request.sweeps.values())
        ]
        self._specs = [assigned(spec, self._rules.shares) for spec in specs.values()]
        self._given = _grouped(self._specs)
        self.parts: list[Part] = []
        self._first: list[int] = []  # number of a part's first episode, or group of siblings
        if self._given:
            self.parts = [_given_part(group) for group in self._given]
        else:
            self._count()

    @property
    def specs(self) -> Sequence[SceneSpec]:
        """The specs that the request gives."""
        return self._specs

    def units(self, part: int, index: int, attempt: int) -> tuple[SceneSpec, ...]:
        """Return the specs of a unit's attempt; none if there is no such replacement.

        Raises:
            SpecError: It cannot be sampled, or the plan has no such unit.
        """
        if not (0 <= part < len(self.parts) and 0 <= index < self.parts[part].units):
            raise SpecError(f"part {part} has no unit {index}: the plan has other parts, the request has changed")
        if attempt >= ATTEMPTS_MAX:
            return ()
        if self._given:
            return (self._given[part][index],) if attempt == 0 else ()
        found = self._sampler(part).together(self._first[part] + index, attempt)
        return tuple(with_meshes(spec, self._meshes) for spec in found) if self._meshes else found

    def check_first(self) -> None:
        """Sample the first unit of items, of many a sample, and check it as a worker will; of given specs each.

        Raises:
            RequestError: One of them is impossible.
        """
        problems: dict[ProblemItem, None] = {}
        for number, spec in enumerate(self._specs):
            self._check(problems, f"/specs/{number}", [spec])
        seen: set[tuple[object, ...]] = set()
        step = -(-len(self.request.items) // CHECKED_MAX)  # each takes a tenth of a second
        for number, item in enumerate(self.request.items):
            kind = item.category, item.scene, item.tier
            if kind not in seen and number % step == 0:
                seen.add(kind)
                self._check(problems, f"/items/{number}", None, part=number)
        if problems:
            raise RequestError(REFUSED, list(problems))

    def record(self) -> dict[str, JSON]:
        """Return the request as the dataset remembers it: with how it is split, which is checked for leaks."""
        given = given_request(self._specs, self._rules).record
        job = self.request.model_dump(mode="json", exclude={"specs"})
        return {**given, "job": job, "backend": self.request.backend, "preset": self.request.preset}

    def _check(
        self, problems: dict[ProblemItem, None], pointer: str, specs: Sequence[SceneSpec] | None, *, part: int = 0
    ) -> None:
        """Add what is wrong with specs, or with a part's first unit."""
        try:
            for spec in self.units(part, 0, 0) if specs is None else specs:
                check_scene(spec, backend=self.request.backend, preset=self.request.preset)
                check_memory(spec, preset=self.request.preset, in_memory=False)
                if specs is not None:  # what is sampled keeps within what the solvers take
                    check_solvable(spec, backend=self.request.backend)
        except SimfactoryError as error:
            if specs is None and isinstance(error, ResourceError):
                pointer = "/size"
            if self._meshes and isinstance(error, AssetError):
                pointer = "/assets"
            problems[ProblemItem(pointer=pointer, detail=str(error))] = None

    def _count(self) -> None:
        """Count the parts, which needs no sampling: an episode has as many cameras as its rigs say."""
        request = self.request
        sizes = [len(values) for values in request.siblings.values()] or [1]
        views = request.views or sum(rigs()[name].usual for name in request.cameras)
        parts = [_sampled_part(request, item, views=views, sizes=sizes) for item in request.items]
        passed: Counter[tuple[str, int]] = Counter()
        for seed in request.seeds:
            for _, part in itertools.product(self._points, parts):
                self.parts.append(part)
                self._first.append(passed[part.category, seed] * len(sizes))
                passed[part.category, seed] += -(-part.units // len(sizes))  # siblings of several parameters share one

    def _sampler(self, part: int) -> Specs:
        """Return what draws a part's units, as though those before it were its own."""
        request = self.request
        rest, number = divmod(part, len(request.items))
        turn, point = divmod(rest, len(self._points))
        item = request.items[number]
        options: dict[str, Any] = {  # Any: arguments of `scenes.sample`
            "category": item.category,
            "scene": item.scene,
            "tier": item.tier,
            "seed": request.seeds[turn],
            "frame_count": request.frames,
            "fps": request.fps,
            "size": (request.size[0], request.size[1]),
            "rigs": tuple(request.cameras),
            "views": request.views,
            "modalities": tuple(request.modalities),
            **({"until_rest": True} if request.until_rest else {}),
        }
        ranges = {name: (low, high) for name, (low, high) in request.ranges.items()}
        ranges |= {name: (value, value) for name, value in self._points[point].items()}
        views = request.views or sum(rigs()[name].usual for name in request.cameras)
        clips = self._first[part] * views + item.clips
        return sampled_request(clips, options, self._rules, checked_ranges(ranges), request.siblings).specs


def _sampled_part(request: JobRequest, item: JobItem, *, views: int, sizes: Sequence[int]) -> Part:
    """Return a part of an item; `sizes` are those of the groups of siblings, which take turns."""
    turns, rest = divmod(item.clips, views * sum(sizes))
    units, episodes = turns * len(sizes), turns * sum(sizes)
    for size in sizes:
        if rest > 0:
            units, episodes, rest = units + 1, episodes + size, rest - views * size
    clips = episodes * views if request.siblings else item.clips  # groups of siblings are whole, single episodes cut
    frames = clips * request.frames
    return Part(
        category=item.category,
        modalities=tuple(request.modalities),
        units=units,
        episodes=episodes,
        clips=clips,
        frames=frames,
        pixels=frames * request.size[0] * request.size[1],
        simulated=episodes * request.frames / request.fps,
        footage=frames / request.fps,
    )


def _grouped(specs: Sequence[SceneSpec]) -> list[list[SceneSpec]]:
    """Group given specs by what their clips cost: category and modalities; specs of a kind keep their order."""
    groups: dict[tuple[str, tuple[str, ...]], list[SceneSpec]] = {}
    for spec in specs:
        groups.setdefault((spec.category, spec.sensors.modalities), []).append(spec)
    return list(groups.values())


def _given_part(specs: Sequence[SceneSpec]) -> Part:
    return Part(
        category=specs[0].category,
        modalities=specs[0].sensors.modalities,
        units=len(specs),
        episodes=len(specs),
        clips=sum(len(spec.cameras) for spec in specs),
        frames=sum(len(spec.cameras) * spec.frame_count for spec in specs),
        pixels=sum(spec.frame_count * camera.width * camera.height for spec in specs for camera in spec.cameras),
        simulated=sum(spec.frame_count / spec.fps for spec in specs),
        footage=sum(len(spec.cameras) * spec.frame_count / spec.fps for spec in specs),
    )


def _rules(request: JobRequest) -> SplitRules:
    held_out = HELD_OUT
    if request.hold_out is not None:
        held_out = checked_ranges({name: (low, high) for name, (low, high) in request.hold_out.items()})
    return SplitRules(shares=parse_shares(request.split), held_out=held_out)
