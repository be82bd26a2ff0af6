"""The subcommand `evaluation`."""

from pathlib import Path
from typing import Annotated

import typer

from simfactory.cli.values import image_size, listed

__all__ = ["evaluation"]


def evaluation(
    out: Annotated[Path, typer.Option(help="Folder of a dataset that holds nothing but evaluation scenes.")],
    category: Annotated[str | None, typer.Option(help="Categories, comma-separated; default: all.")] = None,
    views: Annotated[int | None, typer.Option(help="Fixed cameras per episode, 1 to 3; default: all.")] = None,
    size: Annotated[str, typer.Option(help="Width x height in pixels.")] = "256x256",
    backend: Annotated[str, typer.Option(help="Simulator: newton or mock.")] = "newton",
    preset: Annotated[str, typer.Option(help="Render preset.")] = "standard",
    profile: Annotated[str, typer.Option(help="Precision: portable or archive.")] = "portable",
    device: Annotated[str, typer.Option(help="cpu or a CUDA device, e.g. cuda:0.")] = "cpu",
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Record the evaluation split: the same episodes of every category for everybody, from fixed cameras."""
    from scenes.cli.running import fill
    from scenes.evaluation import frozen_specs
    from scenes.request import given_request
    from scenes.splits import USUAL

    fill(
        out,
        given_request(frozen_specs(listed(category), size=image_size(size), views=views), USUAL),
        backend=backend,
        preset=preset,
        profile=profile,
        device=device,
        workers=workers,
        with_benchmark=False,
        as_json=as_json,
    )
