"""Splits of a dataset: shares, and leaks from one into another."""

import hashlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from simfactory.errors import SpecError
from simfactory.parameters import PARAMETERS, Range
from simfactory.spec import SceneSpec, Split, parse_spec

if TYPE_CHECKING:
    from simfactory.dataset import Clip

__all__ = [
    "APART",
    "HELD_OUT",
    "SHARES",
    "Leak",
    "SplitRecord",
    "assigned",
    "check_apart",
    "checked_shares",
    "dataset_leaks",
    "leaks",
    "parse_shares",
    "split_of",
]

APART: frozenset[str | None] = frozenset({"benchmark", "evaluation"})  # never in a dataset with others
SHARES = (0.90, 0.05, 0.05)
HELD_OUT: Mapping[str, Range] = MappingProxyType({"gravity": (3.2, 4.2)})  # [m/s²]: that of Mars, and about it


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitRecord:
    """One clip, as far as splits are concerned.

    Attributes:
        clip_id: The clip.
        spec: Its scene.
        listed: The split that the catalogue lists it in.
    """

    clip_id: str
    spec: SceneSpec
    listed: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Leak:
    """Something that one split tells about another.

    Attributes:
        clip_id: A clip that shows it.
        problem: One sentence.
    """

    clip_id: str
    problem: str


def checked_shares(shares: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return shares of train, val and test.

    Raises:
        SpecError: One is negative, or they do not add up to 1.
    """
    if any(not 0.0 <= share <= 1.0 for share in shares) or not math.isclose(sum(shares), 1.0, abs_tol=1e-6):
        raise SpecError(f"shares of train, val and test are {shares}; give three from 0 to 1 that add up to 1")
    return shares


def parse_shares(text: str) -> tuple[float, float, float]:
    """Return shares of train, val and test from percentages such as "90/5/5".

    Raises:
        SpecError: There are not three numbers that add up to 100.
    """
    try:
        train, val, test = (float(part) / 100.0 for part in text.split("/"))
    except ValueError:
        raise SpecError(f"split {text!r}: give the percentages of train, val and test, e.g. 90/5/5") from None
    return checked_shares((train, val, test))


def split_of(mark: float, shares: tuple[float, float, float] = SHARES) -> Split:
    """Return the split in whose share a mark from 0 to 1 falls."""
    if mark < shares[0]:
        return "train"
    return "val" if mark < shares[0] + shares[1] else "test"


def assigned(spec: SceneSpec, shares: tuple[float, float, float] = SHARES) -> SceneSpec:
    """Return a spec with a split: its own, else that of the hash of its physical configuration."""
    if spec.split is not None:
        return spec
    mark = int(hashlib.sha256(f"split/{spec.configuration_digest()}".encode()).hexdigest()[:13], 16) / 16**13
    return spec.model_copy(update={"split": split_of(mark, shares)})


def check_apart(dataset: str | os.PathLike[str], splits: Iterable[str | None]) -> None:
    """Refuse to put benchmark or evaluation scenes and others into one dataset, which a model might be trained on.

    Args:
        dataset: Folder of a dataset, which need not exist yet.
        splits: Those of the specs that are to come into it.

    Raises:
        SpecError: Both would be in it.
    """
    from simfactory import catalog

    present = _kinds(splits)
    if Path(dataset).is_dir() and any(Path(dataset).iterdir()):
        present |= _kinds(catalog.read_table(dataset).column("split").to_pylist())
    if len(present) > 1:
        raise SpecError(
            f"{dataset} would hold {' and '.join(sorted(present))} scenes: what is trained on must not hold those of "
            "benchmark and evaluation; give them a dataset of their own, or allow it with --with-benchmark"
        )


def _kinds(splits: Iterable[str | None]) -> set[str]:
    """Return what a dataset of such splits holds: of each split that stays apart its name, of others "training"."""
    return {str(split) if split in APART else "training" for split in splits}


def leaks(
    records: Iterable[SplitRecord],
    *,
    held_out_scenes: Iterable[str] = (),
    held_out: Mapping[str, Range] = HELD_OUT,
    with_benchmark: bool = False,
) -> list[Leak]:
    """Return what is in two splits at once, or in training though it is held out.

    Clips without a split are left out.

    Args:
        records: All clips of a dataset.
        held_out_scenes: Base scenes that may be in test only.
        held_out: Name of a parameter → range that may be in test only.
        with_benchmark: Whether benchmark and evaluation scenes may be beside others.
    """
    scenes, found = set(held_out_scenes), []
    records = list(records)
    mixed = not with_benchmark and len(_kinds(record.spec.split for record in records)) > 1
    first: dict[tuple[str, str], tuple[str, str]] = {}  # what → the split and the clip where it was seen first
    for record in records:
        spec, split = record.spec, record.spec.split
        if record.listed != split:
            found.append(Leak(clip_id=record.clip_id, problem=f"listed in {record.listed}, its spec says {split}"))
        if split is None:
            continue
        for key in _identities(spec):
            other, clip_id = first.setdefault(key, (split, record.clip_id))
            if other != split:
                problem = f"the same {key[0]} is in {split} here and in {other} in clip {clip_id}"
                found.append(Leak(clip_id=record.clip_id, problem=problem))
        if split in APART and mixed:
            found.append(Leak(clip_id=record.clip_id, problem=f"a scene of split {split} is beside others"))
        if split != "test" and split not in APART:
            found += [Leak(clip_id=record.clip_id, problem=text) for text in _held_out(spec, split, scenes, held_out)]
    return found


def dataset_leaks(dataset: str | os.PathLike[str], clips: Iterable["Clip"]) -> list[Leak]:
    """Return the leaks among clips of a dataset, by the rules in its run records; see `leaks`.

    Clips that no simulation made have no scene to compare.

    Args:
        dataset: Folder of the dataset.
        clips: Clips whose specs can be read.

    Raises:
        StoreError: A run record is damaged.
    """
    from simfactory.store import read_runs

    rules = [cast(dict[str, Any], run["split"]) for run in read_runs(dataset) if run.get("split")]  # Any: JSON
    scenes = {str(name) for rule in rules for name in rule["held_out_scenes"]}
    ranges = {name: (low, high) for rule in rules for name, (low, high) in rule["held_out_ranges"].items()}
    records = [
        SplitRecord(clip_id=clip.id, spec=parse_spec(clip.spec), listed=_listed(clip)) for clip in clips if clip.spec
    ]
    allowed = any(run.get("with_benchmark") for run in read_runs(dataset))
    return leaks(records, held_out_scenes=scenes, held_out=ranges, with_benchmark=allowed)


def _listed(clip: "Clip") -> str | None:
    row = clip.record["row"]
    split = row.get("split") if isinstance(row, dict) else None
    return None if split is None else str(split)


def _identities(spec: SceneSpec) -> Iterator[tuple[str, str]]:
    """Yield what must not be in two splits."""
    yield "physical configuration", spec.configuration_digest()
    if spec.attempt or spec.index or spec.seed:
        yield "episode", f"{spec.category}/{spec.seed}/{spec.index}"
    if spec.sibling is not None:
        yield "group of siblings", spec.sibling.group


def _held_out(spec: SceneSpec, split: str, scenes: set[str], ranges: Mapping[str, Range]) -> Iterator[str]:
    if spec.scene in scenes:
        yield f"scene {spec.scene!r} is held out, and here in {split}"
    for name, (low, high) in ranges.items():
        inside = [value for value in PARAMETERS[name].measure(spec) if low <= value <= high]
        if inside:
            yield f"{name} {inside[0]:.6g} lies in the held-out {low:g}:{high:g}, and here in {split}"
