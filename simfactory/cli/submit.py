"""`simfactory submit`: a job for the service."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simfactory.cli.assets import Unit
from simfactory.cli.service import JsonLines, State, Url, connect, document, line, pairs, sized, span, table
from simfactory.errors import SpecError

if TYPE_CHECKING:
    from simfactory.client import Client
    from simfactory.protocol import Estimate

__all__ = ["submit"]


class Tier(StrEnum):
    """Curriculum tiers."""

    single = "single"
    two_body = "two_body"
    multi_object = "multi_object"


class Order(StrEnum):
    """Which jobs come first."""

    high = "high"
    default = "default"
    low = "low"


class Precision(StrEnum):
    """Precision profiles."""

    portable = "portable"
    archive = "archive"


Text = str | None
Whole = int | None
Many = list[str] | None
HELD = "NAME=LOW:HIGH that only test episodes show; default: gravity=3.2:4.2. May be repeated."
SIBLINGS = "NAME=VALUE,VALUE: episodes that differ in it alone, e.g. gravity=1.6,9.8; repeatable."
SWEEP = "NAME=VALUE,VALUE: everything is made for each value, e.g. friction=0.1,0.5; repeatable."
ASSETS = "Id of an asset set, or mesh files (repeat it for each) that are uploaded as one."
SEED = "Same seed, same clips; repeated: everything for each. Default: 0."


def submit(  # an option each, all None unless given, so that a template or request file can say the rest
    dataset: Annotated[Text, typer.Option(help="Dataset; made if missing. Default: the category's name.")] = None,
    category: Annotated[Text, typer.Option(help="Physics category; see `simfactory scenes`. Default: rigid.")] = None,
    scene: Annotated[Text, typer.Option(help="One base scene; default: all of the category.")] = None,
    tier: Annotated[Tier | None, typer.Option(help="Default: drawn 30/35/35 %.")] = None,
    clips: Annotated[Whole, typer.Option(help="One camera's recording of one episode each; default: 5.")] = None,
    seeds: Annotated[list[int] | None, typer.Option("--seed", help=SEED)] = None,
    frames: Annotated[Whole, typer.Option(help="Frames per clip; default: 48.")] = None,
    fps: Annotated[float | None, typer.Option(help="Frames per second; default: 24.")] = None,
    until_rest: Annotated[bool | None, typer.Option(help="End an episode once nothing moves any more.")] = None,
    size: Annotated[Text, typer.Option(help="Width x height in pixels; default: 256x256.")] = None,
    cameras: Annotated[Text, typer.Option(help="Camera rigs, comma-separated; default: ring,orbit.")] = None,
    views: Annotated[Whole, typer.Option(help="Cameras per episode; default: all of the rigs.")] = None,
    modalities: Annotated[Text, typer.Option(help="Signals, comma-separated; default: all.")] = None,
    spec: Annotated[Path | None, typer.Option(help="JSON file of resolved specs, instead of sampling.")] = None,
    ranges: Annotated[Many, typer.Option("--range", help="NAME=LOW:HIGH of a parameter; may be repeated.")] = None,
    sweeps: Annotated[Many, typer.Option("--sweep", help=SWEEP)] = None,
    siblings: Annotated[Many, typer.Option(help=SIBLINGS)] = None,
    split: Annotated[Text, typer.Option(help="Percentages of train, val and test; default: 90/5/5.")] = None,
    hold_out: Annotated[Many, typer.Option(help=HELD)] = None,
    assets: Annotated[Many, typer.Option(help=ASSETS)] = None,
    unit: Annotated[Unit | None, typer.Option(help="What one unit of the mesh files is.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the mesh files, e.g. CC0-1.0.")] = "",
    backend: Annotated[Text, typer.Option(help="Simulator; default: newton.")] = None,
    preset: Annotated[Text, typer.Option(help="Render preset; default: draft.")] = None,
    profile: Annotated[Precision | None, typer.Option(help="Precision of a new dataset; default: portable.")] = None,
    template: Annotated[Text, typer.Option(help="Named request that says what is not given here.")] = None,
    request: Annotated[Text, typer.Option(help="JSON file of a request, - for stdin; options win over it.")] = None,
    name: Annotated[Text, typer.Option(help="What you call the job.")] = None,
    tags: Annotated[Many, typer.Option("--tag", help="Label to find it by; may be repeated.")] = None,
    priority: Annotated[Order | None, typer.Option(help="Which jobs come first; default: default.")] = None,
    max_workers: Annotated[Whole, typer.Option(help="Workers at a time, at most; default: all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take.")] = False,
    follow: Annotated[bool, typer.Option("--watch", help="Show how it goes; Ctrl-C leaves it running.")] = False,
    url: Url = None,
    state: State = None,
    as_json: JsonLines = False,
) -> None:
    """Submit a job; print its id, or with --watch show how it goes until it has ended.

    Exit code with --watch: 0 = completed; 1 = failed, cancelled, or with episodes that were given up; 130 = Ctrl-C.
    With --json: the job, with --watch each time it has changed, one document a line; with --dry-run the estimate.
    """
    given = {option: value for option, value in locals().items() if value is not None}  # what each option says
    if dry_run:
        _estimate(given, as_json=as_json)
    else:
        _send(given, follow=follow, as_json=as_json)


def _estimate(given: dict[str, Any], *, as_json: bool) -> None:  # Any: texts, numbers, paths and lists of these
    from simfactory.cli.request import build_request, read_request

    files = _mesh_files(given.pop("assets", []))
    if isinstance(files, str):
        given["assets"] = files
    wanted = build_request(given, read_request(given["request"]) if "request" in given else {})
    with connect(given.get("url"), given.get("state")) as client:
        found = client.estimate(wanted)
    if as_json:
        document(found.model_dump(mode="json"))
    else:
        _show(found)
    if files and not isinstance(files, str):
        typer.echo("the mesh files were not uploaded: a dry run leaves nothing behind", err=True)


def _send(given: dict[str, Any], *, follow: bool, as_json: bool) -> None:  # Any: as above
    from simfactory.cli import watch
    from simfactory.cli.request import build_request, read_request

    files = _mesh_files(given.pop("assets", []))
    fields = read_request(given["request"]) if "request" in given else {}
    build_request(given, fields)  # what is wrong is said before meshes are uploaded
    with connect(given.get("url"), given.get("state")) as client:
        try:
            if files:
                given["assets"] = files if isinstance(files, str) else _uploaded(client, files, given)
            job = client.submit(build_request(given, fields))
        except KeyboardInterrupt:
            typer.echo("\nstopped while the job was being sent: `simfactory ls` shows whether it got through", err=True)
            raise typer.Exit(watch.INTERRUPTED) from None
        if follow:
            typer.echo(f"job {job.id}: {job.progress.clips_wanted:,} clips for dataset {job.request.dataset}", err=True)
            raise typer.Exit(watch.follow(client, job.id, as_json=as_json))
    if as_json:
        line(job)
        return
    typer.echo(job.id)
    count, goal = job.progress.clips_wanted, job.request.dataset
    typer.echo(f"{count:,} clips for dataset {goal}; `simfactory watch {job.id}` shows how it goes", err=True)


def _mesh_files(assets: list[str]) -> list[Path] | str:
    """Return the mesh files that are meant, or the id of an asset set."""
    paths = [Path(text) for text in assets]
    missing = [str(path) for path in paths if not path.is_file()]
    if len(assets) == 1 and missing and assets[0].replace("_", "").isalnum():
        return assets[0]
    if missing:
        raise SpecError(f"--assets {missing[0]}: no such file; name mesh files, or the id of one asset set")
    return paths


def _uploaded(client: "Client", files: list[Path], given: dict[str, Any]) -> str:  # Any: as above
    unit = None if "unit" not in given else given["unit"].value
    found = client.add_assets(files, name=given.get("name") or files[0].stem, unit=unit, licence=given["licence"])
    typer.echo(f"asset set {found.id}: {len(found.meshes)} meshes", err=True)
    return found.id


def _show(found: "Estimate") -> None:
    workers = f"{span(found.eta_seconds)} with {found.workers} workers" if found.workers else "no worker is there"
    pairs(
        {
            "clips": found.clips,
            "episodes": found.episodes,
            "frames": found.frames,
            "size": sized(found.bytes),
            "CPU hours": f"{found.cpu_hours:,.1f}",
            "GPU hours": f"{found.gpu_hours:,.1f}",
            "time": workers,
            "within a week": f"{found.gpus_for_a_week:,} GPUs",
            "rates": "measured here" if found.basis == "measured" else "those that come with the package",
        }
    )
    typer.echo()
    columns = ("category", "episodes", "clips", "frames", "size", "one worker")
    rows = [
        (part.category, part.episodes, part.clips, part.frames, sized(part.bytes), span(part.seconds))
        for part in found.parts
    ]
    table(columns, rows)
