"""What `generate` is asked for: where its specs come from, and the record of it that the dataset keeps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from scenes.benchmark import scenarios
from scenes.generate import FileSpecs, SampledSpecs, Specs
from scenes.listing import catalogue
from scenes.sibling_specs import SiblingSpecs
from scenes.splits import SplitRules
from simfactory.errors import SpecError
from simfactory.parameters import PARAMETERS, Range, parse_ranges
from simfactory.spec import SceneSpec, Violation, read_specs
from simfactory.splits import HELD_OUT, assigned, parse_shares
from simfactory.store import JSON

__all__ = ["Request", "file_request", "given_request", "sampled_request", "split_rules"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request for clips.

    Attributes:
        specs: Where the specs come from.
        record: The request as the dataset remembers it.
        violations: Laws that each episode breaks once more.
        given: Whether the specs were given as they are: none of them needs to be like another.
    """

    specs: Specs
    record: dict[str, JSON]
    violations: tuple[Violation, ...] = ()
    given: bool = False


def split_rules(shares: str, held_out: Sequence[str]) -> SplitRules:
    """Return the rules of the texts "90/5/5" and ["gravity=3.2:4.2"].

    Raises:
        SpecError: A text has another form.
    """
    return SplitRules(shares=parse_shares(shares), held_out=parse_ranges(held_out) or HELD_OUT)


def file_request(path: Path, rules: SplitRules, asked: Iterable[str]) -> Request:
    """Return a request for the specs of a file; those without a split get one.

    Raises:
        SpecError: The file is no list of specs, or something is asked for (ranges, siblings) that needs sampling.
    """
    if wanted := sorted(asked):
        raise SpecError(f"{wanted} are for sampling, and specs of a file stay as they are: leave one of them out")
    return given_request([assigned(spec, rules.shares) for spec in read_specs(path)], rules)


def given_request(specs: Sequence[SceneSpec], rules: SplitRules) -> Request:
    """Return a request for specs as they are."""
    digests: list[JSON] = [spec.digest() for spec in specs]
    record: dict[str, JSON] = {"specs": digests, "split": _rule_record(rules)}
    return Request(specs=FileSpecs(specs=specs), record=record, given=True)


def sampled_request(
    clip_count: int,
    options: dict[str, Any],  # Any: see SampledSpecs
    rules: SplitRules,
    ranges: Mapping[str, Range],
    changes: Mapping[str, Sequence[float]] = MappingProxyType({}),
    *,
    violations: tuple[Violation, ...] = (),
) -> Request:
    """Return a request for sampled specs.

    Args:
        clip_count: Clips wanted.
        options: Keyword arguments of `scenes.sample`, the category under `category`.
        rules: How episodes are shared out.
        ranges: Ranges asked for.
        changes: Parameter → its values in siblings; none = single episodes.
        violations: Laws that each episode breaks once more; its clips come on top.

    Raises:
        SpecError: Siblings could not be compared, or losers not with their intact clips.
    """
    if violations and (changes or options.get("until_rest")):
        raise SpecError(
            "--broken makes pairs that differ in one law alone and are as long: allowed is it without --siblings and "
            "--until-rest; leave one of them out"
        )
    given = {**options, "ranges": ranges}
    specs: Specs = SampledSpecs(clip_count=clip_count, options={**given, "split_rules": rules})
    if changes:
        if options["modalities"] and "rgb" not in options["modalities"]:
            raise SpecError("siblings are compared by rgb, which is not among the modalities: add it")
        specs = SiblingSpecs(clip_count=clip_count, options=given, changes=changes, rules=rules)
    usual = {name: one.usual_in(options["category"]) for name, one in PARAMETERS.items()}
    listed: dict[str, JSON] = {
        name: {"low": low, "high": high, "asked": name in ranges} for name, (low, high) in {**usual, **ranges}.items()
    }
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    record = {"clips": clip_count, **plain, "ranges": listed, "split": _rule_record(rules)}
    if changes:
        record["siblings"] = {name: list(values) for name, values in changes.items()}
    if violations:
        record["broken"] = list(violations)
    return Request(specs=specs, record=record, violations=violations)


def _rule_record(rules: SplitRules) -> dict[str, JSON]:
    held_out: dict[str, JSON] = {name: [low, high] for name, (low, high) in rules.held_out.items()}
    return {
        "shares": [*rules.shares],
        "held_out_scenes": [*(entry.name for entry in catalogue() if entry.split == "test"), *scenarios()],
        "held_out_ranges": held_out,
    }
