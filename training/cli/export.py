"""`simfactory-train export`: a model with its adapter merged into its weights."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["COMMAND"]


def export(
    model: Annotated[str, typer.Option(help="RUN/model.")],
    out: Annotated[Path, typer.Option(help="Folder to write into; it must be empty or not there.")],
) -> None:
    """Merge the adapter into the weights; heads are copied. A model of diffusers becomes a folder for its pipeline."""
    from training.model import TrainedModel

    TrainedModel.load(model).export(out)
    typer.echo(f"{out}: adapter merged; `TrainedModel.load` and `simfactory-train sample --model {out}` read it")


COMMAND = export
