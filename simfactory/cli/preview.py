"""`simfactory preview`: a contact sheet and a video of a clip."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simfactory.dataset import Clip

__all__ = ["preview", "preview_folder", "write_preview"]


def preview_folder(dataset: Path) -> Path:
    """Return where previews go by default: into a local dataset, or here for one that has an address."""
    from simfactory.store.location import Url, location_of

    return Path("previews") if isinstance(location_of(dataset), Url) else dataset / "previews"


def write_preview(clip: "Clip", folder: Path) -> tuple[Path, Path]:
    """Write a clip's contact sheet (PNG) and video (MP4) into a folder and return their paths."""
    from simfactory.exporters import find_exporter

    stem = folder / clip.id
    sheet = find_exporter("contact_sheet").export(clip, stem.with_suffix(".png"))
    return sheet, find_exporter("mp4").export(clip, stem.with_suffix(".mp4"))


def preview(
    clip: Annotated[Path, typer.Argument(help="Folder or address of a clip (….zarr) or dataset (its first clip).")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write into; default: previews/ in the dataset or here.")
    ] = None,
) -> None:
    """Write a contact sheet (PNG) and a video (MP4) of a clip."""
    from simfactory.cli.locate import locate

    dataset, clips = locate(clip)
    for path in write_preview(clips[0], out or preview_folder(dataset)):
        typer.echo(str(path))
