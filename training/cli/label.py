"""`simfactory-train label`: ordinary videos, or clips of a model, as labelled clips of a dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from training.videos import Range
    from training.videos.ledger import VideoRecord

__all__ = ["COMMAND"]

RANGES = typer.Option("--range", help="FIGURE=LOW:HIGH of a filter, e.g. motion=0.002:1; may be repeated.")
WITHOUT = typer.Option(help="Filters that are not to run, comma-separated.")
ALSO = typer.Option(help="Optional filters that are to run, comma-separated, e.g. aesthetic.")
FPS = typer.Option(help="Frames per second of the clips; videos that do not come near are dropped. Default: their own.")
TRACKER = typer.Option(help="What follows points: chained_dis, cotracker3 or none.")
REPORT = typer.Option(help="Where the funnel goes as JSON; default: funnel.json beside the clips.")


def label(
    videos: Annotated[str, typer.Argument(help="Folder of video files, one such file, or a dataset of clips.")],
    out: Annotated[str, typer.Option(help="Folder of the dataset; made if missing, continued if not.")],
    size: Annotated[str | None, typer.Option(help="Width x height of the clips; default: their own.")] = None,
    fps: Annotated[float | None, FPS] = None,
    frames: Annotated[int, typer.Option(help="Frames of a clip, at most.")] = 81,
    least_frames: Annotated[int, typer.Option(help="Frames of a clip, at least.")] = 17,
    flow: Annotated[str, typer.Option(help="What estimates flow: dis_flow or raft.")] = "dis_flow",
    depth: Annotated[str | None, typer.Option(help="What estimates depth; default: depth is not labelled.")] = None,
    tracker: Annotated[str, TRACKER] = "chained_dis",
    track_spacing: Annotated[int, typer.Option(help="Distance of the points that are followed [px].")] = 16,
    device: Annotated[str, typer.Option(help="What learned estimators compute on: cpu, cuda:0, …")] = "cpu",
    ranges: Annotated[list[str] | None, RANGES] = None,
    without: Annotated[str | None, WITHOUT] = None,
    also: Annotated[str | None, ALSO] = None,
    split: Annotated[str, typer.Option(help="Percentages of train, val and test videos.")] = "90/5/5",
    profile: Annotated[str, typer.Option(help="Precision of a new dataset: portable or archive.")] = "portable",
    report: Annotated[Path | None, REPORT] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the funnel as JSON.")] = False,
) -> None:
    """Find the shots of videos, drop what is not worth training on, and label the rest: flow, masks, tracks, depth."""
    import json

    from simfactory.cli.values import image_size, listed
    from simfactory.errors import SpecError
    from simfactory.exporters.painting import save_bytes
    from simfactory.splits import parse_shares
    from simfactory.store import PROFILES
    from training.videos import Labeller, Labelling, Wanted, choose_filters, funnel_table, label_videos

    if profile not in PROFILES:
        raise SpecError(f"profile {profile!r} is unknown; choose one of {', '.join(PROFILES)}")
    follows = None if tracker == "none" else tracker
    labelling = Labelling(
        labeller=Labeller.load(flow=flow, depth=depth, tracker=follows, spacing=track_spacing, device=device),
        wanted=Wanted(longest=frames, size=image_size(size)[::-1] if size else None, fps=fps),
        filters=choose_filters(
            without=listed(without), also=listed(also), ranges=_ranges(ranges or [], least_frames=least_frames)
        ),
        shares=parse_shares(split),
    )
    told = None if as_json else _tell
    funnel = label_videos(videos, out, labelling, profile=profile, told=told)
    where = report or (None if "://" in out else Path(out) / "funnel.json")
    text = json.dumps(funnel, indent=1, allow_nan=False)
    if where is not None:
        save_bytes(where, f"{text}\n".encode())
    typer.echo(text if as_json else funnel_table(funnel))
    if not as_json:
        typer.echo(f"{funnel['added']} new clips in {out}" + (f"; funnel in {where}" if where else ""))


COMMAND = label


def _ranges(texts: list[str], *, least_frames: int) -> "dict[str, Range]":
    from simfactory.errors import SpecError

    found = {"frames": (float(least_frames), float("inf"))}
    for text in texts:
        name, _, rest = text.partition("=")
        low, colon, high = rest.partition(":")
        try:
            found[name] = (float(low or "-inf"), float(high or "inf"))
        except ValueError:
            colon = ""
        if not colon:
            raise SpecError(f"range {text!r}: give FIGURE=LOW:HIGH, e.g. motion=0.002:1; either end may be left out")
    return found


def _tell(done: int, count: int, record: "VideoRecord") -> None:
    """Say on the terminal what became of a video."""
    kept = sum(verdict.kept for verdict in record.verdicts)
    what = record.problem or f"{kept} of {len(record.verdicts)} shots kept"
    typer.echo(f"[{done}/{count}] {record.name}: {what}", err=True)
