"""Which clips of a dataset are wanted: by catalogue columns, and by ranges of their scenes' parameters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast, final

from simfactory.dataset import Clip, Dataset
from simfactory.errors import SpecError, StoreError
from simfactory.parameters import PARAMETERS, Range
from simfactory.spec import parse_spec
from simfactory.store import JSON

__all__ = ["ClipQuery", "select_clips"]

_COLUMNS = ("split", "category", "tier", "scene", "camera", "backend", "source", "violation")
_NUMBERS = ("frame_count", "fps", "height", "width", "seed", "index")
_SHOWN = 8  # values of a column that a message lists


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class ClipQuery:
    """What a clip must be to be wanted; an empty field allows everything, but for clips of broken physics.

    Attributes:
        split: `train`, `val`, `test`, `benchmark` or `evaluation`.
        category: Categories of scenes, e.g. `rigid`.
        tier: `single`, `two_body` or `multi_object`.
        scene: Base scenes, e.g. `ring_strike`.
        camera: Names of cameras.
        backend: Simulator backends.
        source: `simulation`, `video` or `model`: what the clips were made from.
        violation: Laws that clips break on purpose, e.g. `gravity`; the empty name stands for intact clips. Empty =
            intact clips only.
        ranges: Name → (lowest, highest), both included. Names are `frame_count`, `fps` [1/s], `height` and `width`
            [px], `seed`, `index`, and the parameters of `simfactory spec stats`, e.g. `gravity` [m/s²]. Of a
            parameter that several things of a scene have, all values must lie in the range, and there must be one.
    """

    split: Sequence[str] = ()
    category: Sequence[str] = ()
    tier: Sequence[str] = ()
    scene: Sequence[str] = ()
    camera: Sequence[str] = ()
    backend: Sequence[str] = ()
    source: Sequence[str] = ()
    violation: Sequence[str] = ()
    ranges: Mapping[str, Range] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            if isinstance(getattr(self, name), str):  # one name is a sequence of letters, too
                raise SpecError(f"{name}={getattr(self, name)!r}: give a tuple of names, ({getattr(self, name)!r},)")
        for name, (low, high) in self.ranges.items():
            if name not in _NUMBERS and name not in PARAMETERS:
                raise SpecError(f"there is no {name!r} to select by; choose from {', '.join((*_NUMBERS, *PARAMETERS))}")
            if not low <= high:
                raise SpecError(f"{name}={low}:{high} is empty; give the lower end first")


def select_clips(dataset: Dataset, query: ClipQuery) -> Dataset:
    """Return the clips that a query wants, in the dataset's order.

    Columns are looked up in the catalogue. Ranges of parameters need the specs: one small read a clip that is left.

    Raises:
        StoreError: None is left; the message says what there is.
    """
    wanted = {name: list(getattr(query, name)) for name in _COLUMNS if getattr(query, name)}
    found = dataset.where(**cast(dict[str, JSON], {"violation": [""], **wanted}))
    for name, (low, high) in query.ranges.items():
        if name in _NUMBERS:
            values = found.table[name].to_pylist()
            inside = [value is not None and low <= value <= high for value in values]
        else:
            inside = [_lies_in(clip, name, low, high) for clip in found]
        found = _of_ids(found, [clip_id for clip_id, kept in zip(found.ids, inside, strict=True) if kept])
    if not len(found):
        raise StoreError(f"{dataset.path}: no clip is {_worded(query)}; {_what_there_is(dataset, query)}")
    return found


def _of_ids(dataset: Dataset, clip_ids: list[str]) -> Dataset:
    return dataset.where(clip_id=cast(JSON, clip_ids))


def _lies_in(clip: Clip, name: str, low: float, high: float) -> bool:
    if not clip.spec:  # real video has no parameters
        return False
    values = PARAMETERS[name].measure(parse_spec(clip.spec))
    return bool(values) and all(low <= value <= high for value in values)


def _worded(query: ClipQuery) -> str:
    chosen = [
        f"{name} {'|'.join(each or 'none' for each in getattr(query, name))}"
        for name in _COLUMNS
        if getattr(query, name)
    ]
    chosen += [f"{name} {low:g}:{high:g}" for name, (low, high) in query.ranges.items()]
    return ", ".join(chosen) or "there"


def _what_there_is(dataset: Dataset, query: ClipQuery) -> str:
    """Return one sentence on the values of the columns that were asked for."""
    if not len(dataset):
        return "the dataset is empty: `simfactory generate --out FOLDER` fills one"
    parts = []
    for name in _COLUMNS:
        if getattr(query, name):
            counts = Counter(str(value) or "none" for value in dataset.table[name].to_pylist()).most_common()
            listed = ", ".join(f"{value} ({count})" for value, count in counts[:_SHOWN])
            parts.append(f"{name}: {listed}{', …' if len(counts) > _SHOWN else ''}")
    for name in query.ranges:
        if name in _NUMBERS:
            numbers = [value for value in dataset.table[name].to_pylist() if value is not None]
            parts.append(f"{name}: {min(numbers):g}:{max(numbers):g}" if numbers else f"{name}: none")
        else:
            specs = (parse_spec(clip.spec) for clip in dataset if clip.spec)
            measured = [value for spec in specs for value in PARAMETERS[name].measure(spec)]
            parts.append(f"{name}: {min(measured):g}:{max(measured):g}" if measured else f"{name}: none")
    return f"of its {len(dataset)} clips there are {'; '.join(parts)}"
