"""Configurations from presets, JSON files and `--set`, with names that are checked, and back to JSON."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from simfactory.errors import SpecError
from simfactory.spec import explain
from training.config import Config, StageName

__all__ = ["changed", "config_from_json", "config_names", "config_to_json", "preset_names", "read_config"]

Tree: TypeAlias = dict[str, Any]  # Any: JSON
Values: TypeAlias = Mapping[str, Any]  # Any: JSON


def preset_names() -> tuple[str, ...]:
    """Return the names of all presets: the files in `training/presets/`."""
    found = files("training").joinpath("presets").iterdir()
    return tuple(sorted(entry.name.removesuffix(".json") for entry in found if entry.name.endswith(".json")))


def config_names() -> tuple[str, ...]:
    """Return the dotted names of everything that can be set."""
    return tuple(_leaves(Config, ""))


def read_config(
    stage: StageName, *, preset: str = "", file: str | Path | None = None, changes: Sequence[Values] = ()
) -> Config:
    """Return a configuration: defaults, then the preset, the file and the changes; what comes later wins.

    Args:
        stage: The stage; a preset has values for all stages, and some for each.
        preset: One of `preset_names`; empty = none.
        file: A JSON file of a configuration or a part of one.
        changes: Dotted name → value, as JSON text or as what it stands for.

    Raises:
        SpecError: A name is unknown, a value does not fit, or values exclude each other.
    """
    tree: Tree = {}
    if preset:
        _merge(tree, _preset(preset, stage), where=f"preset {preset!r}")
    if file is not None:
        _merge(tree, _read_json(Path(file)), where=str(file))
    for change in changes:
        for name, value in change.items():
            _merge(tree, _nested(name, value), where=name)
    return config_from_json({**tree, "stage": tree.get("stage", stage)})


def changed(config: Config, changes: Sequence[Values]) -> Config:
    """Return a configuration with other values; see `read_config`.

    Raises:
        SpecError: A name is unknown, a value does not fit, or values exclude each other.
    """
    tree = config_to_json(config)
    for change in changes:
        for name, value in change.items():
            _merge(tree, _nested(name, value), where=name)
    return config_from_json(tree)


def config_from_json(tree: Values) -> Config:
    """Return the configuration that JSON describes.

    Raises:
        SpecError: A name is unknown, a value does not fit, or values exclude each other.
    """
    _check_names(Config, tree, "")
    try:
        return TypeAdapter(Config).validate_python(tree)
    except ValidationError as error:
        raise SpecError(explain(error)) from error


def config_to_json(config: Config) -> Tree:
    """Return a configuration as JSON, from which `config_from_json` makes an equal one."""
    tree: Tree = json.loads(json.dumps(asdict(config)))
    return tree


def _preset(name: str, stage: StageName) -> Tree:
    if name not in preset_names():
        raise SpecError(f"there is no preset {name!r}; choose one of {', '.join(preset_names())}")
    told = json.loads(files("training").joinpath("presets", f"{name}.json").read_text(encoding="utf-8"))
    tree: Tree = {}
    _merge(tree, told["all"], where=name)
    _merge(tree, told[stage], where=name)
    return tree


def _read_json(path: Path) -> Tree:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpecError(f"{path}: {error}; give a JSON file of a configuration") from error
    if not isinstance(tree, dict):
        raise SpecError(f"{path} holds no JSON object; give a configuration such as run.json's `config`")
    return tree


# Any: JSON.
def _nested(name: str, value: Any) -> Tree:
    *groups, leaf = name.split(".")
    if isinstance(value, str):
        value = _parsed(name, value)
    tree: Tree = {leaf: value}
    for group in reversed(groups):
        tree = {group: tree}
    return tree


# Any: JSON.
def _parsed(name: str, text: str) -> Any:
    """Return what a text stands for: itself where a text is wanted, else JSON if it is that."""
    wanted = _kind_of(name)
    if wanted is str or (text != "null" and wanted == (str | None)):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


# Any: a type or an annotation.
def _kind_of(name: str) -> Any:
    kind: Any = Config  # Any: as above
    for part in name.split("."):
        kind = get_type_hints(kind).get(part) if is_dataclass(kind) else None
    return kind


def _merge(tree: Tree, other: Values, *, where: str) -> None:
    """Put values over others, group by group."""
    _check_names(Config, other, "", where=where)
    _put(tree, other)


def _put(tree: Tree, other: Values) -> None:
    for name, value in other.items():
        if isinstance(value, dict) and isinstance(tree.get(name), dict):
            _put(tree[name], value)
        else:
            tree[name] = dict(value) if isinstance(value, dict) else value


# Any: a dataclass and JSON.
def _check_names(kind: Any, tree: Values, prefix: str, *, where: str = "") -> None:
    """Refuse names that a dataclass has not, with the nearest ones that there are."""
    hints = get_type_hints(kind)
    for name, value in tree.items():
        if name not in hints:
            near = difflib.get_close_matches(f"{prefix}{name}", config_names(), n=3, cutoff=0.5)
            near = near or [f"{prefix}{field.name}" for field in fields(kind)]
            told = f"{where}: " if where and where != f"{prefix}{name}" else ""
            raise SpecError(f"{told}there is no {prefix}{name} to set; nearest are {', '.join(near)}")
        inner = next((arg for arg in (hints[name], *get_args(hints[name])) if is_dataclass(arg)), None)
        for item in value if isinstance(value, list | tuple) else [value]:
            if inner is not None and isinstance(item, dict):
                _check_names(inner, item, f"{prefix}{name}.", where=where)


# Any: a dataclass.
def _leaves(kind: Any, prefix: str) -> Iterator[str]:
    hints = get_type_hints(kind)
    for field in fields(kind):
        if is_dataclass(hints[field.name]):
            yield from _leaves(hints[field.name], f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}"
