"""JSON text to scene specs, with one readable error for what is wrong."""

import json
from pathlib import Path

from pydantic import ValidationError

from simfactory.errors import SpecError
from simfactory.spec.scene import SceneSpec

__all__ = ["explain", "parse_spec", "read_specs"]


def parse_spec(record: object) -> SceneSpec:
    """Return the spec that a decoded JSON object describes.

    Raises:
        SpecError: The message names each wrong field, what was given and what is allowed.
    """
    try:
        return SceneSpec.model_validate_json(json.dumps(record))
    except ValidationError as error:
        raise SpecError(explain(error)) from error


def read_specs(path: Path) -> list[SceneSpec]:
    """Return the specs in a JSON file: one object, a list of objects, or one object per line.

    Raises:
        SpecError: The file is missing or is not JSON, or a spec is wrong.
    """
    if not path.is_file():
        raise SpecError(f"no spec file at {path}: `simfactory spec sample` prints one")
    text = path.read_text(encoding="utf-8")
    try:
        records = json.loads(text)
    except json.JSONDecodeError as whole:
        try:
            records = [json.loads(line) for line in text.splitlines() if line.strip()]
        except json.JSONDecodeError:
            raise SpecError(f"{path} is not JSON: {whole}") from whole
    listed = records if isinstance(records, list) else [records]
    if not listed:
        raise SpecError(f"{path} holds no spec")
    specs = []
    for number, record in enumerate(listed):
        try:
            specs.append(parse_spec(record))
        except SpecError as error:
            raise SpecError(f"{path}, spec {number}: {error}") from error
    return specs


def explain(error: ValidationError) -> str:
    """Return a validation error as one line per field: where, what is allowed, what was given."""
    lines = []
    for item in error.errors(include_url=False):
        where = ".".join(str(part) for part in item["loc"]) or "the spec"
        given = repr(item["input"])
        lines.append(f"{where}: {item['msg']}; given {given if len(given) <= 80 else given[:77] + '...'}")
    return "; ".join(lines)
