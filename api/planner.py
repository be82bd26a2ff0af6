"""From a request to episodes: which parts a job has, how many episodes each, and any episode's specs by number.

Nothing is sampled before it is wanted, and nothing is kept: an episode's specs follow from the request, its part, its
number and its attempt.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from api.meshes import with_meshes
from api.problems import RequestError
from scenes.generate import ATTEMPTS_MAX, Specs
from scenes.request import given_request, sampled_request
from scenes.splits import SplitRules
from simfactory.errors import SimfactoryError
from simfactory.parameters import Range, checked_ranges
from simfactory.preflight import check_memory, check_scene
from simfactory.protocol import JobItem, JobRequest, ProblemItem
from simfactory.spec import SceneSpec
from simfactory.splits import HELD_OUT, assigned, parse_shares

__all__ = ["ATTEMPTS_MAX", "Part", "Plan"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What is sampled alike: one item, one seed, one point of the sweeps.

    Attributes:
        category: Physics category.
        units: Episodes, or groups of siblings.
        clips: Clips that they give.
    """

    category: str
    units: int
    clips: int


class Plan:
    """The episodes of a request.

    Args:
        request: The request, complete.
        meshes: Mesh records of the asset set that it names.

    Attributes:
        parts: Its parts.

    Raises:
        RequestError: What is asked for is impossible; each error has its JSON pointer.
    """

    def __init__(self, request: JobRequest, meshes: Sequence[Mapping[str, Any]] = ()) -> None:
        self.request, self._meshes = request, meshes
        self._specs: dict[int, Specs] = {}
        _check(request)
        self._rules = _rules(request)
        self._choices = list(_choices(request))
        self.parts = self._counted()

    def units(self, part: int, index: int, attempt: int) -> tuple[SceneSpec, ...]:
        """Return the specs of a unit's attempt; none if there is no such replacement.

        Raises:
            SpecError: It cannot be sampled.
        """
        if attempt >= ATTEMPTS_MAX:
            return ()
        found = self._part(part).together(index, attempt)
        return tuple(with_meshes(spec, self._meshes) for spec in found) if self._meshes else found

    def check_first(self) -> None:
        """Sample the first unit of each item and check it as a worker will.

        Raises:
            RequestError: One of them is impossible.
        """
        errors: list[ProblemItem] = []
        seen: set[int] = set()
        for part, (item, _, _) in enumerate(self._choices or [(None, 0, {})]):
            if id(item) in seen:
                continue
            seen.add(id(item))
            pointer = "/specs" if item is None else f"/items/{self.request.items.index(item)}"
            count = len(self.request.specs) or 1
            try:
                for index in range(count):
                    for spec in self.units(part, index, 0):
                        check_scene(spec, backend=self.request.backend, preset=self.request.preset)
                        check_memory(spec, preset=self.request.preset, in_memory=False)
            except SimfactoryError as error:
                errors.append(ProblemItem(pointer=pointer, detail=str(error)))
        if errors:
            raise RequestError("the request cannot be fulfilled", errors)

    def _counted(self) -> list[Part]:
        request = self.request
        if request.specs:
            specs = cast(Any, self._part(0)).specs  # Any: given specs are a list
            return [Part(category=specs[0].category, units=len(specs), clips=sum(len(s.cameras) for s in specs))]
        counted: dict[tuple[int, int], tuple[int, int]] = {}  # parts of one item differ in their draws alone
        parts = []
        for number, (item, _, _) in enumerate(self._choices):
            key = (item.clips, len(request.siblings))
            if key not in counted:
                with_pointer = f"/items/{request.items.index(item)}"
                try:
                    specs = self._part(number)
                    units = len(specs)
                    clips = item.clips
                    if request.siblings:
                        clips = sum(
                            len(s.cameras)
                            for index in range(min(units, len(request.siblings)))
                            for s in specs.together(index, 0)
                        )
                        clips = clips * units // min(units, len(request.siblings))
                except SimfactoryError as error:
                    raise RequestError(
                        "the request cannot be fulfilled", [ProblemItem(pointer=with_pointer, detail=str(error))]
                    ) from error
                counted[key] = units, clips
            units, clips = counted[key]
            parts.append(Part(category=item.category, units=units, clips=clips))
        return parts

    def _part(self, number: int) -> Specs:
        if number not in self._specs:
            if len(self._specs) > 64:  # a few are in use at a time
                self._specs.clear()
            self._specs[number] = self._sampled(number)
        return self._specs[number]

    def _sampled(self, number: int) -> Specs:
        request = self.request
        if request.specs:
            specs = [assigned(SceneSpec.model_validate(spec), self._rules.shares) for spec in request.specs]
            return given_request(specs, self._rules).specs
        item, seed, pinned = self._choices[number]
        options: dict[str, Any] = {  # Any: arguments of `scenes.sample`
            "category": item.category,
            "scene": item.scene,
            "tier": item.tier,
            "seed": seed,
            "frame_count": request.frames,
            "fps": request.fps,
            "size": (request.size[0], request.size[1]),
            "rigs": tuple(request.cameras),
            "views": request.views,
            "modalities": tuple(request.modalities),
            **({"until_rest": True} if request.until_rest else {}),
        }
        ranges: dict[str, Range] = {name: (low, high) for name, (low, high) in request.ranges.items()}
        ranges |= {name: (value, value) for name, value in pinned.items()}
        return sampled_request(item.clips, options, self._rules, checked_ranges(ranges), request.siblings).specs


def _choices(request: JobRequest) -> Iterator[tuple[JobItem, int, dict[str, float]]]:
    """Yield item, seed and pinned parameters of every part; each in turn, so that all kinds of scenes come early."""
    names = list(request.sweeps)
    for seed in request.seeds:
        for values in itertools.product(*request.sweeps.values()):
            for item in request.items:
                yield item, seed, dict(zip(names, values, strict=True))


def _rules(request: JobRequest) -> SplitRules:
    held_out = (
        None if request.hold_out is None else {name: (low, high) for name, (low, high) in request.hold_out.items()}
    )
    return SplitRules(
        shares=parse_shares(request.split), held_out=HELD_OUT if held_out is None else checked_ranges(held_out)
    )


def _check(request):
    pass
