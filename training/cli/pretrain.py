"""`simfactory-train pretrain`."""

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


def pretrain(
    out: Out,
    data: Datasets = None,
    model: Model = None,
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
    """Train heads for depth and motion on a frozen model (stage I)."""
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
    run("pretrain", given, out=out, resume=resume)


COMMAND = pretrain
