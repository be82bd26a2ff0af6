"""`simfactory verify`: checksums, schema, ground truth against itself, splits, on request the simulation again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simfactory.dataset import Clip

__all__ = ["verify"]


def verify(
    dataset: Annotated[Path, typer.Argument(help="Folder of a dataset, or s3://bucket/prefix.")],
    replay: Annotated[bool, typer.Option(help="Simulate again and compare digests.")] = False,
) -> None:
    """Check every clip: checksums, schema, ground truth against itself, splits; with --replay the simulation too."""
    from simfactory.cli.locate import locate
    from simfactory.pairs import pair_problems
    from simfactory.quality import verify_clip
    from simfactory.replay import replay_clips
    from simfactory.siblings import group_problems
    from simfactory.splits import dataset_leaks
    from simfactory.store import validate

    _, clips = locate(dataset)
    findings = [f"{found.clip_id} {found.path}: {found.problem}" for found in validate(dataset)]
    damaged = {line.split()[0] for line in findings}
    sound = [clip for clip in clips if clip.id not in damaged]
    for clip in sound:
        findings += [f"{clip.id} {problem}" for problem in verify_clip(clip)]
    findings += [f"{leak.clip_id} split: {leak.problem}" for leak in dataset_leaks(dataset, sound)]
    findings += [f"{clip_id} siblings: {problem}" for clip_id, problem in group_problems(dataset, sound)]
    findings += [f"{clip_id} pair: {problem}" for clip_id, problem in pair_problems(sound)]
    if replay:
        findings += replay_clips([clip for clip in sound if _is_simulated(clip)])
    for line in findings:
        typer.echo(line)
    checks = "checksums, schema, ground truth, splits, siblings, pairs" + (", replay" if replay else "")
    typer.echo(f"{len(clips)} clips, {len(findings)} findings ({checks})")
    if findings:
        raise typer.Exit(code=1)


def _is_simulated(clip: "Clip") -> bool:
    return clip.source == "simulation"
