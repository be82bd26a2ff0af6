"""Form fields from a JSON schema: what is shown for each property, and what people typed, read back.

Whatever is left blank is left out of the request, so that a template or the schema's default says it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from api.problems import ProblemError
from api.strict_json import read_json
from simfactory.protocol import ProblemItem

__all__ = ["Choices", "Entered", "FormField", "entered_of", "fields_of", "read_request"]

Schema = Mapping[str, Any]  # Any: JSON schema
Entered = dict[str, Any]  # Any: property → text, texts, or rows of these; blank rows are left out
Kind = Literal["text", "number", "select", "check", "checks", "group", "list", "json", "rows", "pairs"]
ROWS = 2  # shown, if fewer are filled in
NAME, VALUES = "name", "values"  # of a row of pairs


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """What can be chosen, by the name of a property.

    Attributes:
        allowed: Values and their labels where nothing else is allowed.
        suggested: Values and their labels where they help, e.g. names of what exists.
    """

    allowed: Mapping[str, Sequence[tuple[str, str]]]
    suggested: Mapping[str, Sequence[tuple[str, str]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class FormField:
    """One control of a form, or rows of controls.

    Attributes:
        path: Its name: JSON pointer without the first slash.
        kind: How it is shown.
        label: What it is called.
        help: What it means.
        value: What was typed.
        values: What was typed or chosen, where there may be several.
        choices: Values and labels to choose from.
        suggestions: Id of a list of suggestions.
        placeholder: What holds if it is left blank.
        limits: HTML attributes that tell the limits of the schema.
        required: Whether it must be given.
        errors: What is wrong with it.
        rows: Rows of controls.
    """

    path: str
    kind: Kind
    label: str
    help: str = ""
    value: str = ""
    values: tuple[str, ...] = ()
    choices: Sequence[tuple[str, str]] = ()
    suggestions: str = ""
    placeholder: str = ""
    limits: Mapping[str, str] = field(default_factory=dict)
    required: bool = False
    errors: tuple[str, ...] = ()
    rows: tuple[tuple["FormField", ...], ...] = ()

    @property
    def id(self) -> str:
        """Its id in the page."""
        return "f-" + self.path.replace("/", "-")

    @property
    def invalid(self) -> "FormField | None":
        """The first control in it that is wrong."""
        if self.errors:
            return self
        return next((found for row in self.rows for each in row if (found := each.invalid)), None)


def fields_of(
    model: type[BaseModel],
    entered: Entered,
    problems: Iterable[ProblemItem],
    choices: Choices,
    *,
    with_spare: bool = True,
) -> tuple[dict[str, FormField], list[str]]:
    """Return a field for every property of a model, by name; and what is wrong with none of them.

    Args:
        model: The model; the words about its fields are those of its docstring.
        entered: What was typed.
        problems: What is wrong, by JSON pointer.
        choices: What can be chosen.
        with_spare: Whether there are blank rows to fill in beside those that are.
    """
    schema = model.model_json_schema()
    wrong = [(problem.pointer.lstrip("/").split("/"), problem.detail) for problem in problems]
    drawn = _Drawn(schema, choices, wrong, rows=ROWS if with_spare else 1)
    fields = {name: drawn.field(name, each, entered.get(name)) for name, each in schema["properties"].items()}
    rest = [f"{'/'.join(path)}: {detail}".lstrip(": ") for path, detail in wrong if path[0] not in fields]
    return fields, rest


def entered_of(model: type[BaseModel], given: Mapping[str, Sequence[str]]) -> Entered:
    """Return what was typed into a form, or stands in an address: texts by path.

    Properties of rows may be given without their row, e.g. `category=rope`: they are of the first one.
    """
    schema = model.model_json_schema()
    entered: Entered = {}
    for name, each in schema["properties"].items():
        inner = _inner(each)
        kind = _kind(inner)
        if kind in ("rows", "pairs"):
            keys = [NAME, VALUES] if kind == "pairs" else [*_row_schema(inner, schema)["properties"]]
            rows = [
                {key: _text(given.get(f"{name}/{number}/{key}")) for key in keys} for number in _numbers(name, given)
            ]
            if kind == "rows" and not rows:
                rows = [{key: _text(given.get(key)) for key in keys if key not in schema["properties"]}]
            entered[name] = [row for row in rows if any(row.values())]
        elif kind == "list":
            entered[name] = [part for text in given.get(name, ()) for part in _parts(text)]
        elif kind == "group":
            entered[name] = [text.strip() for text in given.get(name, ())]
        else:
            entered[name] = _text(given.get(name))
    return {name: value for name, value in entered.items() if value and value != [""] * len(value)}


def read_request(model: type[BaseModel], entered: Entered) -> tuple[dict[str, Any], list[ProblemItem]]:  # Any: JSON
    """Return what was typed as a request, and what can be no request; the model has the last word on values."""
    schema = model.model_json_schema()
    found: dict[str, Any] = {}  # Any: JSON
    problems: list[ProblemItem] = []
    for name, value in entered.items():
        match _kind(_inner(schema["properties"][name])):
            case "rows":
                found[name] = [{key: text for key, text in row.items() if text} for row in value]
            case "pairs":
                found[name] = {row[NAME]: _parts(row[VALUES]) for row in value}
                names = [row[NAME] for row in value]
                twice = sorted({each for each in names if names.count(each) > 1})
                problems += [
                    ProblemItem(pointer=f"/{name}/{each}", detail="is given twice: give it once") for each in twice
                ]
            case "check":
                found[name] = True
            case "json":
                try:
                    found[name] = read_json(value.encode())
                except ProblemError as error:
                    problems.append(ProblemItem(pointer=f"/{name}", detail=error.detail))
            case _:
                found[name] = value
    return found, problems


class _Drawn:
    """Makes fields."""

    def __init__(self, schema: Schema, choices: Choices, wrong: Sequence[tuple[list[str], str]], *, rows: int) -> None:
        self._schema, self._choices, self._wrong, self._least = schema, choices, wrong, rows
        self._help = _words(schema)

    def field(self, name: str, schema: Schema, value: Any) -> FormField:  # Any: see Entered
        """Return the field of a property."""
        inner = _inner(schema)
        kind = _kind(inner)
        if kind not in ("rows", "pairs"):
            return self._single(name, name, schema, value)
        return FormField(
            path=name,
            kind=kind,
            label=_label(name),
            help=self._help.get(name, ""),
            rows=self._rows(name, inner, value or []) if kind == "rows" else self._pairs(name, value or []),
            errors=self._errors(name),
        )

    def _single(
        self,
        path: str,
        name: str,
        schema: Schema,
        value: Any,  # Any: see Entered
        *,
        help: str = "",
        is_spare: bool = False,
    ) -> FormField:
        inner = _inner(schema)
        allowed = self._choices.allowed.get(name) or [(each, each) for each in inner.get("enum", ())]
        kind = _kind(inner)
        default = _shown(schema.get("default"))
        required = "default" not in schema and not is_spare
        if kind in ("text", "number") and allowed:
            kind = "select"
        if kind == "list" and allowed:
            kind = "checks"
        values = tuple(value) if isinstance(value, list) else ()
        if kind == "select":
            blank = default if default or required else "any" if name in ("scene", "tier") else "none"
            allowed = [("", f"{default} (default)" if default else "choose" if required else f"– ({blank})"), *allowed]
        if kind == "group":
            count = inner["minItems"]
            values = (values + ("",) * count)[:count]
        return FormField(
            path=path,
            kind=kind,
            label=_label(name),
            help=(help or self._help.get(name, "")) + _bounds(inner.get("items", inner)),
            value=value if isinstance(value, str) else ", ".join(values) if kind == "list" else "",
            values=values,
            choices=allowed if kind in ("select", "checks") else (),
            suggestions=f"known-{name}" if name in self._choices.suggested and kind == "text" else "",
            placeholder=default,
            limits=_limits(inner.get("items", inner) if kind == "group" else inner),
            required=required,
            errors=self._errors(*path.split("/"), deep=True),
        )

    def _rows(self, name: str, schema: Schema, value: Sequence[Mapping[str, str]]) -> tuple[tuple[FormField, ...], ...]:
        row_schema = _row_schema(schema, self._schema)
        words = _words(row_schema)
        rows = [*value, *[{}] * max(self._least - len(value), 0)]
        return tuple(
            tuple(
                self._single(
                    f"{name}/{number}/{key}", key, each, row.get(key, ""), help=words.get(key, ""), is_spare=number > 0
                )
                for key, each in row_schema["properties"].items()
            )
            for number, row in enumerate(rows)
        )

    def _pairs(self, name: str, value: Sequence[Mapping[str, str]]) -> tuple[tuple[FormField, ...], ...]:
        rows = [*value, *[{}] * max(self._least - len(value), 0)]
        known = f"known-{name}" if name in self._choices.suggested else ""
        return tuple(
            (
                FormField(path=f"{name}/{number}/{NAME}", kind="text", label="Parameter", value=row.get(NAME, ""),
                          suggestions=known, errors=self._errors(name, row.get(NAME) or None, deep=True)),
                FormField(path=f"{name}/{number}/{VALUES}", kind="text", label="Values", value=row.get(VALUES, ""),
                          placeholder="0.1, 0.3"),
            )
            for number, row in enumerate(rows)
        )  # fmt: skip

    def _errors(self, *path: str | None, deep: bool = False) -> tuple[str, ...]:
        """Return what is wrong at a path; also with what is in it, where that has no field of its own."""
        if None in path:
            return ()
        found = [detail for at, detail in self._wrong if at[: len(path)] == [*path] and (deep or len(at) == len(path))]
        return tuple(dict.fromkeys(found))


def _inner(schema: Schema) -> Schema:
    """Return what a property is if it is given: the first of its alternatives that is not null."""
    found: Schema = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
    return found


def _row_schema(schema: Schema, root: Schema) -> Schema:
    found: Schema = root["$defs"][schema["items"]["$ref"].rpartition("/")[2]]
    return found


def _kind(schema: Schema) -> Kind:
    if "enum" in schema:
        return "select"
    match schema.get("type"):
        case "integer" | "number":
            return "number"
        case "boolean":
            return "check"
        case "object":
            return "pairs"
        case "array":
            items = schema["items"]
            if "$ref" in items:
                return "rows"
            if items.get("type") == "object":
                return "json"
            if schema.get("minItems") == schema.get("maxItems", 0):
                return "group"
            return "list"
        case _:
            return "text"


def _limits(schema: Schema) -> dict[str, str]:
    """Return HTML attributes. Numbers are typed as text: fields for numbers drop what is none, and nobody sees it."""
    if schema.get("type") in ("integer", "number"):
        return {"inputmode": "numeric" if schema["type"] == "integer" else "decimal", "maxlength": "40"}
    return {"maxlength": f"{schema['maxLength']}"} if "maxLength" in schema else {}


def _bounds(schema: Schema) -> str:
    """Return the range of a number as words."""
    least, most = schema.get("minimum"), schema.get("maximum")
    return "" if least is None or most is None else f" {least:,g} … {most:,}."


def _words(schema: Schema) -> dict[str, str]:
    """Return what a model's docstring says of its fields, by name."""
    _, _, part = schema.get("description", "").partition("Attributes:\n")
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", part, flags=re.MULTILINE)
    return {name: " ".join(text.split()).replace("`", "").replace("None = ", "blank = ") for name, text in found}


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _shown(default: object) -> str:
    if default is None or default is False:
        return ""
    return ", ".join(map(str, default)) if isinstance(default, list | dict) else f"{default}"


def _text(given: Sequence[str] | None) -> str:
    return given[-1].replace("\0", "").strip() if given else ""  # no database keeps a NUL


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[,;\s]+", text) if part]


def _numbers(name: str, given: Iterable[str]) -> list[int]:
    """Return the numbers of the rows that were typed."""
    found = {key.split("/")[1] for key in given if key.startswith(f"{name}/") and key.count("/") == 2}
    return sorted(int(number) for number in found if number.isdecimal() and len(number) < 5)
