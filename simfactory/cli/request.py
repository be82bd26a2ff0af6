"""From options and a request file to the request of a job."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from simfactory.cli.values import image_size, listed, parse_sweeps
from simfactory.errors import SpecError
from simfactory.protocol import JobRequest

__all__ = ["build_request", "read_request"]

_ITEM = ("category", "scene", "tier", "clips")
_USUAL = {"category": "rigid", "clips": 5}  # those of `simfactory generate`
_PLAIN = (
    *("dataset", "name", "template", "frames", "fps", "views", "until_rest", "split", "backend", "preset", "profile"),
    *("priority", "max_workers", "assets"),
)


def _ranges(texts: Sequence[str]) -> dict[str, list[float]]:
    from simfactory.parameters import parse_ranges

    return {name: [*pair] for name, pair in parse_ranges(texts).items()}


def _siblings(texts: Sequence[str]) -> dict[str, list[float]]:
    from simfactory.siblings import parse_siblings

    return {name: [*values] for name, values in parse_siblings(texts).items()}


def _sweeps(texts: Sequence[str]) -> dict[str, list[float]]:
    return {name: [*values] for name, values in parse_sweeps(texts).items()}


def _specs(path: Path) -> list[dict[str, object]]:
    from simfactory.spec import read_specs

    return [spec.model_dump(mode="json") for spec in read_specs(path)]


# Option → field of the request, and how it is read. Any: options are texts, numbers, paths and lists of these.
_READ: dict[str, tuple[str, Callable[[Any], object]]] = {
    "size": ("size", lambda text: [*image_size(text)]),
    "cameras": ("cameras", lambda text: [*listed(text)]),
    "modalities": ("modalities", lambda text: [*listed(text)]),
    "ranges": ("ranges", _ranges),
    "hold_out": ("hold_out", _ranges),
    "siblings": ("siblings", _siblings),
    "sweeps": ("sweeps", _sweeps),
    "seeds": ("seeds", list),
    "tags": ("tags", list),
    "spec": ("specs", _specs),
}


def read_request(path: str) -> dict[str, Any]:  # Any: JSON, which is checked once it is whole
    """Return the fields in a request file; "-" is standard input.

    Raises:
        SpecError: It cannot be read, or is no JSON object.
    """
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        fields = json.loads(text)
    except OSError as error:
        raise SpecError(f"request {path}: {error.strerror}; name a JSON file, or - for standard input") from error
    except ValueError as error:
        raise SpecError(f"request {path} is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise SpecError(f'request {path}: give one JSON object, e.g. {{"dataset": "mine", "items": [...]}}')
    return fields


def build_request(given: Mapping[str, Any], fields: Mapping[str, Any]) -> JobRequest:  # Any: as above
    """Return the request that options and the fields of a file make; options win.

    Args:
        given: Options by their name; those that were not given are left out.
        fields: Fields of a request file.

    Raises:
        SpecError: An option has another form, or it is not clear what it is for.
        ValidationError: A field is impossible.
    """
    given = {name: value.value if isinstance(value, Enum) else value for name, value in given.items()}
    merged = {**fields, **{name: given[name] for name in _PLAIN if name in given}}
    for option, (field, read) in _READ.items():
        if option in given:
            merged[field] = read(given[option])
    items = _items({name: given[name] for name in _ITEM if name in given}, merged)
    if items:
        merged["items"] = items
    if "dataset" not in merged:
        merged["dataset"] = _dataset(merged)
    return JobRequest.model_validate(merged)


def _items(wanted: dict[str, Any], merged: Mapping[str, Any]) -> list[Any]:  # Any: as above
    there = merged.get("items") or []
    if not isinstance(there, list) or not all(isinstance(item, dict) for item in there):
        raise SpecError('items of the request: give a list of objects, e.g. [{"category": "rigid", "clips": 5}]')
    names = ", ".join(f"--{name}" for name in wanted)
    if wanted and len(there) > 1:
        raise SpecError(f"the request has {len(there)} items, and {names} could be for any: change it in the file")
    if wanted and merged.get("specs"):
        raise SpecError(f"{names} and given specs exclude each other: specs are simulated as they are")
    if there:
        return [{**there[0], **wanted}, *there[1:]]
    if merged.get("specs"):
        return []
    if merged.get("template") is None:
        return [{**_USUAL, **wanted}]
    if wanted and not {"category", "clips"} <= wanted.keys():
        raise SpecError(f"{names} would take the place of all that the template makes: give --category and --clips too")
    return [wanted] if wanted else []


def _dataset(merged: Mapping[str, Any]) -> str:  # Any: as above
    """Return the name of the dataset where none is given: that of the only category, or of the template."""
    named = {str(item.get("category")) for item in merged.get("items") or []}
    named = named or {str(merged["template"])} if merged.get("template") else named
    if len(named) != 1:
        raise SpecError("what is asked for is of no one category: name the dataset with --dataset")
    return named.pop().lower()
