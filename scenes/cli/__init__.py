"""The subcommands `generate`, `scenes` and `spec`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from simfactory.cli.values import image_size, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["generate", "scenes", "spec"]

CATEGORY = typer.Option(help="Physics category; see `simfactory scenes`.")
RANGES = typer.Option("--range", help="NAME=LOW:HIGH of a parameter, e.g. friction=0.1:0.3; may be repeated.")
SHARES = typer.Option(help="Percentages of train, val and test episodes.")
HOLD_OUT = typer.Option(help="NAME=LOW:HIGH that only test episodes show; default: gravity=3.2:4.2. May be repeated.")
SIBLINGS = typer.Option(help="NAME=VALUE,VALUE: episodes that differ in it alone, e.g. gravity=1.6,9.8; repeatable.")
BROKEN = typer.Option(help="Laws that each episode breaks once more: gravity,restitution,penetration,teleport,delay.")
TIERS = ("single", "two_body", "multi_object")


def generate(
    out: Annotated[Path, typer.Option(help="Folder of the dataset; made if missing, continued if not.")],
    category: Annotated[str, CATEGORY] = "rigid",
    scene: Annotated[str | None, typer.Option(help="One base scene; default: all of the category.")] = None,
    tier: Annotated[str | None, typer.Option(help=f"{', '.join(TIERS)}; default: drawn 30/35/35 %.")] = None,
    clips: Annotated[int, typer.Option(help="Number of clips: one camera's recording of one episode.")] = 5,
    seed: Annotated[int, typer.Option(help="Same seed, same clips.")] = 0,
    frames: Annotated[int, typer.Option(help="Frames per clip.")] = 48,
    fps: Annotated[float, typer.Option(help="Frames per second.")] = 24.0,
    until_rest: Annotated[bool, typer.Option(help="End an episode once nothing moves any more.")] = False,
    size: Annotated[str, typer.Option(help="Width x height in pixels.")] = "256x256",
    cameras: Annotated[str, typer.Option(help="Camera rigs, comma-separated.")] = "ring,orbit",
    views: Annotated[int | None, typer.Option(help="Cameras per episode; default: all of the rigs (five).")] = None,
    modalities: Annotated[str | None, typer.Option(help="Signals, comma-separated; default: all.")] = None,
    spec: Annotated[Path | None, typer.Option(help="JSON file of resolved specs, instead of sampling.")] = None,
    ranges: Annotated[list[str] | None, RANGES] = None,
    split: Annotated[str, SHARES] = "90/5/5",
    hold_out: Annotated[list[str] | None, HOLD_OUT] = None,
    siblings: Annotated[list[str] | None, SIBLINGS] = None,
    broken: Annotated[str | None, BROKEN] = None,
    backend: Annotated[str, typer.Option(help="Simulator: newton or mock.")] = "newton",
    preset: Annotated[str, typer.Option(help="Render preset.")] = "draft",
    profile: Annotated[str, typer.Option(help="Precision: portable or archive.")] = "portable",
    device: Annotated[str, typer.Option(help="cpu or a CUDA device, e.g. cuda:0.")] = "cpu",
    deterministic: Annotated[bool, typer.Option(help="Same bytes from a GPU each time; a CPU's always are.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core.")] = None,
    environments: Annotated[int, typer.Option(help="Episodes that each process simulates at a time.")] = 2,
    with_benchmark: Annotated[bool, typer.Option(help="Allow benchmark and evaluation scenes beside others.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Sample scenes, simulate, render, annotate and check them, and commit the clips to a dataset."""
    from scenes.cli.running import fill
    from scenes.request import file_request, sampled_request, split_rules
    from simfactory.parameters import parse_ranges
    from simfactory.siblings import parse_siblings
    from simfactory.violations import parse_violations

    rules, asked = split_rules(split, hold_out or []), parse_ranges(ranges or [])
    options = {
        "category": category,
        "scene": scene,
        "tier": tier,
        "seed": seed,
        "frame_count": frames,
        "fps": fps,
        "size": image_size(size),
        "rigs": listed(cameras),
        "views": views,
        "modalities": listed(modalities),
        **({"until_rest": True} if until_rest else {}),
    }
    changes = parse_siblings(siblings or [])
    violations = parse_violations(broken, category=category) if broken is not None else ()
    if spec is None:
        request = sampled_request(clips, options, rules, asked, changes, violations=violations)
    else:
        request = file_request(
            spec, rules, [*asked, *changes, *(["until_rest"] if until_rest else []), *(["broken"] if broken else [])]
        )
    fill(
        out,
        request,
        backend=backend,
        preset=preset,
        profile=profile,
        device=device,
        deterministic=deterministic,
        workers=workers,
        environments=environments,
        with_benchmark=with_benchmark,
        as_json=as_json,
    )


def scenes(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """List the base scenes."""
    from rich.table import Table

    from scenes.listing import benchmark_catalogue, catalogue

    entries = (*catalogue(), *benchmark_catalogue())
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in entries], indent=1))
        return
    table = Table("scene", "category", "tiers", "split", "what happens", box=None)
    for base in entries:
        table.add_row(base.name, base.category, ", ".join(base.tiers), base.split, base.description)
    Console().print(table)


spec = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Scene specs.")


@spec.callback()
def _spec() -> None:
    """Work with scene specs."""


@spec.command("sample")
def sample_specs(
    category: Annotated[str, CATEGORY] = "rigid",
    scene: Annotated[str | None, typer.Option(help="One base scene.")] = None,
    tier: Annotated[str | None, typer.Option(help=", ".join(TIERS))] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same specs.")] = 0,
    index: Annotated[int, typer.Option(help="First episode.")] = 0,
    count: Annotated[int, typer.Option(help="Number of episodes.")] = 1,
    frames: Annotated[int, typer.Option(help="Frames per clip.")] = 48,
    fps: Annotated[float, typer.Option(help="Frames per second.")] = 24.0,
    size: Annotated[str, typer.Option(help="Width x height in pixels.")] = "256x256",
    cameras: Annotated[str, typer.Option(help="Camera rigs, comma-separated.")] = "ring,orbit",
    views: Annotated[int | None, typer.Option(help="Cameras per episode.")] = None,
    ranges: Annotated[list[str] | None, RANGES] = None,
    split: Annotated[str, SHARES] = "90/5/5",
    hold_out: Annotated[list[str] | None, HOLD_OUT] = None,
) -> None:
    """Print resolved specs, one JSON object per line."""
    from scenes import sample
    from scenes.request import split_rules
    from simfactory.parameters import parse_ranges

    rules, asked = split_rules(split, hold_out or []), parse_ranges(ranges or [])
    for number in range(index, index + count):
        resolved = sample(
            category,
            scene=scene,
            tier=tier,  # type: ignore[arg-type]  # any text may come from a user: sample() names what is allowed
            seed=seed,
            index=number,
            frame_count=frames,
            fps=fps,
            size=image_size(size),
            rigs=listed(cameras),
            views=views,
            ranges=asked,
            split_rules=rules,
        )
        sys.stdout.write(resolved.model_dump_json() + "\n")


@spec.command("stats")
def spec_statistics(
    clips: Annotated[int, typer.Option(help="Number of clips whose specs are counted.")] = 10000,
    category: Annotated[str, CATEGORY] = "rigid",
    scene: Annotated[str | None, typer.Option(help="One base scene.")] = None,
    tier: Annotated[str | None, typer.Option(help=", ".join(TIERS))] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same specs.")] = 0,
    cameras: Annotated[str, typer.Option(help="Camera rigs, comma-separated.")] = "ring,orbit",
    views: Annotated[int | None, typer.Option(help="Cameras per episode.")] = None,
    ranges: Annotated[list[str] | None, RANGES] = None,
    workers: Annotated[int, typer.Option(help="Processes.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Compare the requested ranges with the values in sampled specs; nothing is simulated."""
    from scenes.statistics import statistics
    from simfactory.parameters import parse_ranges

    options = {
        "category": category,
        "scene": scene,
        "tier": tier,
        "seed": seed,
        "rigs": listed(cameras),
        "views": views,
        "ranges": parse_ranges(ranges or []),
    }
    report = statistics(clips, options, workers=workers)
    if as_json:
        typer.echo(json.dumps(report, indent=1))
    else:
        _print_statistics(report)


def _print_statistics(report: "Mapping[str, Any]") -> None:  # Any: JSON
    from rich.table import Table

    from scenes.statistics import COVERAGE

    console = Console()
    for key in ("episodes", "clips", "distinct_configurations", "distinct_environments", "distinct_turned_maps"):
        console.print(f"{key.replace('_', ' '):<24}{report[key]:,}")
    mix = ", ".join(f"{tier} {count / report['episodes']:.1%}" for tier, count in report["tiers"].items())
    console.print(f"{'tiers':<24}{mix}; chi-square p {report['tier_p_value']:.3g}")
    console.print(f"{'splits':<24}{', '.join(f'{name} {count}' for name, count in report['splits'].items())}")
    table = Table("parameter", "unit", "requested", "count", "outside", "min", "median", "max", "bins", box=None)
    for name, row in report["parameters"].items():
        low, high = row["requested"]
        shown = [f"{row[key]:.4g}" if row[key] is not None else "-" for key in ("min", "max")]
        median = f"{row['quantiles']['0.5']:.4g}" if row["quantiles"] else "-"
        short = row["covered"] is False
        bins = (f"{row['coverage']:.0%}" if row["quantiles"] else "-") + f" (wanted: {COVERAGE:.0%})" * short
        counts = f"{row['count']:,}", f"{row['outside']:,}"
        table.add_row(name, row["unit"], f"{low:g} - {high:g}", *counts, shown[0], median, shown[1], bins)
    console.print(table)
    console.print(f"{report['cpu_seconds']:.1f} CPU-seconds")
