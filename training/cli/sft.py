"""`simfactory-train sft`."""

from enum import StrEnum
from typing import Annotated

import typer

from training.cli._options import (
    Categories,
    Changes,
    ConfigFile,
    Datasets,
    Given,
    MayLack,
    Model,
    Out,
    Preset,
    Ranges,
    Resume,
    Split,
    Tiers,
    run,
)

__all__ = ["COMMAND"]


class StageChoice(StrEnum):
    """What sft trains."""

    SFT = "sft"
    BASE = "base"


def sft(
    out: Out,
    data: Datasets = None,
    model: Model = None,
    stage: Annotated[
        StageChoice, typer.Option(help="sft, or base: the model alone, by flow matching.")
    ] = StageChoice.SFT,
    preset: Preset = "",
    config: ConfigFile = None,
    changes: Changes = None,
    split: Split = "train",
    category: Categories = None,
    tier: Tiers = None,
    ranges: Ranges = None,
    may_lack: MayLack = None,
    resume: Resume = False,
) -> None:
    """Fine-tune a model and its heads on simulated clips (stage II), or train a new one (base)."""
    given = Given(
        data=data,
        model=model,
        preset=preset,
        config=config,
        changes=changes,
        split=split,
        categories=category,
        tiers=tier,
        ranges=ranges,
        may_lack=may_lack,
    )
    run(stage.value, given, out=out, resume=resume)


COMMAND = sft
