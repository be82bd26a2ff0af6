"""Options that pretrain, sft and dpo share, and how they become a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from simfactory.errors import SpecError

if TYPE_CHECKING:
    from training.config import Config, StageName

__all__ = [
    "Categories",
    "Changes",
    "ConfigFile",
    "Datasets",
    "Given",
    "MayLack",
    "Model",
    "Out",
    "Preset",
    "Ranges",
    "Resume",
    "Split",
    "Tiers",
    "changes_of",
    "run",
]

Out: TypeAlias = Annotated[Path, typer.Option("--out", help="Folder of the run; its model comes to lie in OUT/model.")]
Datasets: TypeAlias = Annotated[
    list[str] | None, typer.Option("--data", help="Folder or address of a dataset; may be repeated.")
]
Model: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--from", "--model", help="What training begins with: RUN/model, a diffusers pipeline, micro, tiny or small."
    ),
]
Preset: TypeAlias = Annotated[str, typer.Option("--preset", help="Values for a size of model: tiny, 5b.")]
ConfigFile: TypeAlias = Annotated[Path | None, typer.Option("--config", help="JSON file of a configuration.")]
Changes: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", help="NAME=VALUE, e.g. losses.warp=0; may be repeated.")
]
Split: TypeAlias = Annotated[str, typer.Option("--split", help="Split of the clips; empty = all.")]
Categories: TypeAlias = Annotated[list[str] | None, typer.Option("--category", help="Only these; may be repeated.")]
Tiers: TypeAlias = Annotated[list[str] | None, typer.Option("--tier", help="Only these; may be repeated.")]
Ranges: TypeAlias = Annotated[
    list[str] | None, typer.Option("--range", help="NAME=LOW:HIGH of a parameter; may be repeated.")
]
MayLack: TypeAlias = Annotated[
    list[str] | None, typer.Option("--may-lack", help="Modality that clips may be without; may be repeated.")
]
Resume: TypeAlias = Annotated[bool, typer.Option("--resume", help="Go on from the run's last checkpoint.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What the command line gave; None and empty where it said nothing."""

    data: Sequence[str] | None
    model: str | None
    preset: str
    config: Path | None
    changes: Sequence[str] | None
    split: str
    categories: Sequence[str] | None
    tiers: Sequence[str] | None
    ranges: Sequence[str] | None
    may_lack: Sequence[str] | None


def run(stage: "StageName", given: Given, *, out: Path, resume: bool) -> None:
    """Begin a run, or go on with one.

    Raises:
        SpecError: Options do not fit.
    """
    from training.cli._progress import StepProgress
    from training.config_files import changed
    from training.running import run_training, stored_config

    if resume:
        if given.data or given.model or given.preset or given.config:
            raise SpecError(
                "--resume goes on with the configuration of the run: leave --data, --from, --preset and --config out; "
                "--set may change it"
            )
        config = changed(stored_config(out), changes_of(given.changes))
    else:
        config = _config(stage, given)
    figure = "reward" if config.stage == "rl" else "loss"
    with StepProgress(config.optimizer.steps, figure=figure) as progress:
        run_training(config, folder=out, resume=resume, tell=typer.echo, watch=progress)


def _config(stage: "StageName", given: Given) -> "Config":
    from simfactory.parameters import parse_ranges
    from training.config_files import read_config

    told: list[dict[str, Any]] = []  # Any: JSON
    if given.data:
        query = {
            "split": [given.split] if given.split else [],
            "category": list(given.categories or ()),
            "tier": list(given.tiers or ()),
            "ranges": parse_ranges(given.ranges or ()),
        }
        sources = [{"path": path, "query": query, "may_lack": list(given.may_lack or ())} for path in given.data]
        told.append({"data.sources": sources})
    if given.model is not None:
        told.append({"model.start": given.model})
    return read_config(stage, preset=given.preset, file=given.config, changes=[*told, *changes_of(given.changes)])


def changes_of(texts: Sequence[str] | None) -> list[dict[str, str]]:
    """Return name → value of each `--set`.

    Raises:
        SpecError: One is no NAME=VALUE.
    """
    told = []
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise SpecError(f"--set {text!r}: give NAME=VALUE, e.g. --set losses.warp=0")
        told.append({name.strip(): value.strip()})
    return told
