"""`simfactory-train rl`."""

from training.cli._options import (
    Categories,
    Changes,
    ConfigFile,
    Datasets,
    Given,
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


def rl(
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
    resume: Resume = False,
) -> None:
    """Teach a model by rewards for what happens in its own samples, beside the simulation (stage III)."""
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
        may_lack=None,
    )
    run("rl", given, out=out, resume=resume)


COMMAND = rl
