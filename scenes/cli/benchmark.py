"""The subcommand `benchmark`."""

from pathlib import Path
from typing import Annotated

import typer

from simfactory.cli.values import image_size, listed

__all__ = ["benchmark"]


def benchmark(
    out: Annotated[Path, typer.Option(help="Folder of a dataset that holds nothing but benchmark scenes.")],
    scene: Annotated[str | None, typer.Option(help="Names of scenes, comma-separated; default: all forty.")] = None,
    fps: Annotated[float, typer.Option(help="Frames per second; Physics-IQ knows 8, 16, 24 and 30.")] = 24.0,
    seconds: Annotated[float, typer.Option(help="Length; the first 3 s are what a model is shown.")] = 8.0,
    size: Annotated[str, typer.Option(help="Width x height in pixels.")] = "256x256",
    backend: Annotated[str, typer.Option(help="Simulator: newton or mock.")] = "newton",
    preset: Annotated[str, typer.Option(help="Render preset.")] = "standard",
    profile: Annotated[str, typer.Option(help="Precision: portable or archive.")] = "portable",
    device: Annotated[str, typer.Option(help="cpu or a CUDA device, e.g. cuda:0.")] = "cpu",
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Record benchmark scenes: three fixed views and two takes of each, for evaluation alone."""
    from scenes.benchmark import find_scenario, recorded, scenarios
    from scenes.cli.running import fill
    from scenes.request import given_request
    from scenes.splits import USUAL

    chosen = [find_scenario(name) for name in listed(scene)] or list(scenarios().values())
    specs = [
        recorded(one, take=take, fps=fps, size=image_size(size), seconds=seconds) for one in chosen for take in (1, 2)
    ]
    fill(
        out,
        given_request(specs, USUAL),
        backend=backend,
        preset=preset,
        profile=profile,
        device=device,
        workers=workers,
        with_benchmark=False,
        as_json=as_json,
    )
