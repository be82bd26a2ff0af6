"""`simfactory inspect`: what a dataset or a clip holds."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simfactory.dataset import Clip

__all__ = ["inspect"]


def inspect(
    path: Annotated[Path, typer.Argument(help="Folder or address of a dataset, or of a clip (….zarr).")],
    split: Annotated[str | None, typer.Option(help="Only clips of one split, e.g. train.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show what a dataset or a clip holds."""
    from simfactory.cli.locate import locate

    dataset, clips = locate(path, split=split)
    if path.suffix == ".zarr":
        record = _clip_record(clips[0])
        typer.echo(json.dumps(record, indent=1) if as_json else _clip_text(record))
    else:
        record = _dataset_record(dataset, clips, split)
        typer.echo(json.dumps(record, indent=1) if as_json else _dataset_text(record))


def _dataset_record(dataset: Path, clips: list["Clip"], split: str | None) -> dict[str, object]:
    from simfactory.dataset import open_dataset
    from simfactory.siblings import read_groups
    from simfactory.store import open_folder, read_rejections

    folder = open_folder(dataset)
    rows = open_dataset(folder, split=split, violation=None).rows()
    keys = ("source", "category", "tier", "split", "scene", "backend")
    counts = {key: dict(Counter(str(row[key]) for row in rows)) for key in keys}
    counts["violation"] = dict(Counter(str(row["violation"]) or "none" for row in rows))
    return {
        "dataset": str(folder.path),
        "profile": folder.profile,
        "clips": len(clips),
        "frames": sum(clip.frame_count for clip in clips),
        "bytes": sum(sum(clip.stored_bytes().values()) for clip in clips),
        "refused_episodes": len(read_rejections(folder)),
        **counts,
        "sibling_groups": [_group_line(group) for group in read_groups(folder).values()],
        "clip_paths": [str(clip.path) for clip in clips],
    }


def _group_line(group: "Mapping[str, Any]") -> str:  # Any: JSON
    values = ", ".join(f"{value:g}" for value in group["values"])
    return f"{group['group']} {group['parameter']} {values}: {'visible' if group['visible'] else 'not visible'}"


def _dataset_text(record: dict[str, object]) -> str:
    lines = []
    for key, value in record.items():
        if isinstance(value, dict):
            lines.append(f"{key:<17}{', '.join(f'{name} {count}' for name, count in value.items())}")
        elif isinstance(value, list):
            lines += [f"{key}:", *(f"  {item}" for item in value)]
        else:
            lines.append(f"{key:<17}{value:,}" if isinstance(value, int) else f"{key:<17}{value}")
    return "\n".join(lines)


def _clip_record(clip: "Clip") -> dict[str, object]:
    arrays = {
        name: {
            "dims": list(signal.dims),
            "dtype": signal.dtype,
            "unit": signal.unit,
            "description": signal.description,
        }
        for name, signal in clip.signals.items()
    }
    return {
        "clip": clip.id,
        "source": clip.source,
        "caption": clip.caption,
        "frames": clip.frame_count,
        "fps": clip.fps,
        "size": f"{clip.width}x{clip.height}",
        "bytes": clip.stored_bytes(),
        "quality": clip.quality,
        "arrays": arrays,
        "spec": clip.spec,
    }


def _clip_text(record: dict[str, object]) -> str:
    lines = [f"{key:<9}{record[key]}" for key in ("clip", "source", "caption", "frames", "fps", "size")]
    sizes, arrays = record["bytes"], record["arrays"]
    if isinstance(sizes, dict):
        lines.append("bytes    " + ", ".join(f"{name} {size:,}" for name, size in sizes.items()))
    if isinstance(arrays, dict):
        lines += [
            f"  {name:<26}{' × '.join(entry['dims']):<28}{entry['dtype']:<9}{entry['unit']}"
            for name, entry in arrays.items()
        ]
    return "\n".join(lines)
