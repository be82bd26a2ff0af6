"""The form of a job: its fields in groups, and what can be chosen, as the code and the database have it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from api.dashboard.fields import Choices, Entered, FormField, fields_of
from api.database import Database
from api.tables import AssetSetRow, DatasetRow
from simfactory.protocol import JobRequest, ProblemItem

__all__ = ["Form", "Group", "job_form"]

LISTED_MAX = 200  # datasets and asset sets that are suggested
# Where fields stand; those that are named nowhere come last, so that a new one is there by itself.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("What", ("dataset", "name", "items")),
    ("Recording", ("frames", "fps", "size", "preset", "backend", "priority")),
    ("Cameras and signals", ("cameras", "views", "modalities")),
    ("Parameters", ("ranges", "sweeps", "siblings")),
    ("Splits", ("split", "hold_out")),
)
OPEN = 2  # groups that are shown at once
REST = "More"


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Fields that belong together; `is_open` unless they are rarely used."""

    name: str
    fields: tuple[FormField, ...]
    is_open: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """A form to show.

    Attributes:
        groups: Its fields.
        errors: What is wrong with none of them.
        lists: Suggestions: values and labels by the id of their list.
        first: The first field that is wrong.
    """

    groups: tuple[Group, ...]
    errors: tuple[str, ...]
    lists: dict[str, list[tuple[str, str]]]
    first: FormField | None

    @property
    def wrong(self) -> list[FormField]:
        """All fields that are wrong."""
        every = [each for group in self.groups for each in group.fields]
        every += [each for one in every for row in one.rows for each in row]
        return [each for each in every if each.errors]


def job_form(database: Database, entered: Entered, problems: list[ProblemItem], *, only: tuple[str, ...] = ()) -> Form:
    """Return the form of a job.

    Args:
        database: State of record.
        entered: What was typed.
        problems: What is wrong with it.
        only: Fields of a short form; empty = all.
    """
    choices = _choices(database)
    fields, rest = fields_of(JobRequest, entered, problems, choices, with_spare=not only)
    if only:
        groups = [Group(name="", fields=tuple(fields[name] for name in only), is_open=True)]
    else:
        named = {name for _, names in GROUPS for name in names}
        layout = [*GROUPS, (REST, tuple(name for name in fields if name not in named))]
        groups = []
        for number, (title, names) in enumerate(layout):
            chosen = tuple(fields[name] for name in names)
            is_open = number < OPEN or any(each.invalid or entered.get(each.path) for each in chosen)
            groups.append(Group(name=title, fields=chosen, is_open=is_open))
    lists = {f"known-{name}": [*values] for name, values in choices.suggested.items()}
    first = next((found for group in groups for each in group.fields if (found := each.invalid)), None)
    return Form(groups=tuple(groups), errors=tuple(rest), lists=lists, first=first)


def _choices(database: Database) -> Choices:
    from api.templates import TEMPLATES  # see api.app
    from layouts.cameras import rigs
    from scenes.listing import catalogue, categories
    from simfactory.annotations import annotations
    from simfactory.parameters import PARAMETERS
    from simfactory.rendering import preset_names
    from simfactory.simulators import backend_names

    with database.reading() as session:
        datasets = session.scalars(select(DatasetRow.name).order_by(DatasetRow.created.desc()).limit(LISTED_MAX)).all()
        sets = session.scalars(select(AssetSetRow).order_by(AssetSetRow.created.desc()).limit(LISTED_MAX)).all()
    defaults = JobRequest.model_fields["cameras"].default
    parameters = [
        (one.name, f"{one.unit}, {one.bounds[0]:g} … {one.bounds[1]:g}, usually {one.usual[0]:g} … {one.usual[1]:g}")
        for one in PARAMETERS.values()
    ]
    return Choices(
        allowed={
            "backend": _named(backend_names()),
            "preset": _named(preset_names()),
            "cameras": _named(sorted(rigs(), key=lambda name: (name not in defaults, name))),
            "modalities": _named(one.name for one in annotations()),
            "category": _named(categories()),
            "template": _named(sorted(TEMPLATES)),
            "assets": [(row.id, f"{row.name or row.id} ({len(row.meshes)} meshes)") for row in sets],
        },
        suggested={
            "dataset": _named(datasets),
            "scene": [(entry.name, entry.category) for entry in catalogue()],
            **dict.fromkeys(("ranges", "sweeps", "siblings", "hold_out"), parameters),
        },
    )


def _named(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]
