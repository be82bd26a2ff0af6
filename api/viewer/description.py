"""What the viewer has to know of a clip before it shows anything, in a bounded size whatever the clip holds."""

import json
import shlex
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from api.viewer.strips import painted_names, ranges_of
from simfactory.dataset import Clip
from simfactory.errors import CorruptClip
from simfactory.exporters.painting import instance_colour

__all__ = ["SPEC_MAX", "TEXT_MAX", "cut", "description", "own_spec", "reproduction"]

TEXT_MAX = 2000  # characters
SPEC_MAX = 400_000  # bytes of a spec that is shown
POSES_MAX = 2000
BODIES_MAX = 1000
LISTED_MAX = 100
Json = dict[str, Any]  # Any: JSON


def description(clip: Clip, *, with_ranges: bool = True) -> Json:
    """Return the description.

    Args:
        clip: The clip.
        with_ranges: Whether the ranges of the colour scales are wanted, for which many frames are read.

    Raises:
        CorruptClip: Its bytes are damaged.
    """
    about = clip.attributes
    return {
        "clip": clip.id,
        "frame_count": clip.frame_count,
        "fps": clip.fps,
        "width": clip.width,
        "height": clip.height,
        "modalities": list(clip.modalities),
        "pictures": painted_names(clip),
        "ranges": _ranges(clip) if with_ranges else None,
        "units": {name: signal.unit for name, signal in clip.signals.items() if "/" not in name},
        "camera": _camera(clip),
        "bodies": _bodies(clip),
        "instances": _instances(clip),
        "quality": _quality(clip),
        "caption": cut(clip.caption),
        "phenomena": [cut(str(each)) for each in _list(about.get("phenomena"))][:LISTED_MAX],
        "backend": cut(str(about.get("backend", ""))),
        "preset": cut(str(about.get("preset", ""))),
        "simulator": cut(str(about.get("simulator", ""))),
        "spec": _shown_spec(clip),
        "reproduce": reproduction(clip),
        "bytes": clip.stored_bytes(),
    }


def reproduction(clip: Clip) -> Json:
    """Return the command that makes this very clip again, from a file with its spec."""
    name = f"clip-{clip.id[:12]}.json"
    about, record = clip.attributes, clip.record
    if not clip.spec:
        return {"file": None, "command": None, "note": "The clip holds no spec, so it cannot be made again."}
    words = ["simfactory", "generate", "--spec", name, "--out", f"clip-{clip.id[:12]}"]
    for option, value in (
        ("--backend", about.get("backend")),
        ("--preset", about.get("preset")),
        ("--profile", record.get("profile")),
    ):
        words += [option, str(value)] if value else []
    if clip.spec.get("split") in ("benchmark", "evaluation"):
        words.append("--with-benchmark")
    versions = record.get("versions")
    note = "Same id and arrays with the same version of simfactory and its packages, on the same kind of device"
    made_by = [str(about.get("simulator") or "")]
    made_by += [f"{each} {version}" for each, version in versions.items()] if isinstance(versions, dict) else []
    return {
        "file": name,
        "command": shlex.join(words),
        "note": f"{note}: {', '.join(each for each in made_by if each)}.",
    }


def own_spec(clip: Clip) -> Json:
    """Return the spec with this clip's camera alone: ids do not depend on the others."""
    spec: Json = dict(clip.spec)
    cameras = [each for each in _list(spec.get("cameras")) if isinstance(each, dict)]
    own = [each for each in cameras if each.get("name") == clip.attributes.get("camera_name")]
    return {**spec, "cameras": own} if own else spec


def cut(text: str, length: int = TEXT_MAX) -> str:
    """Return a text of at most `length` characters, and how many there are if that is not all."""
    return text if len(text) <= length else f"{text[:length]}… ({len(text):,} characters, {length:,} of them shown)"


def _ranges(clip: Clip) -> Json:
    """Return what the ends of the colour scales stand for; of damaged signals nothing, their pictures tell of it."""
    found: Json = {"near": None, "far": None, "longest": {}}
    for name in painted_names(clip):
        with suppress(CorruptClip):
            ranges = ranges_of(clip, name)
            found["longest"] |= ranges.longest
            if ranges.near is not None:
                found |= {"near": ranges.near, "far": ranges.far}
    return found


def _camera(clip: Clip) -> Json | None:
    if not {"camera/K", "camera/camera_to_world"} <= clip.signals.keys():
        return None
    step = -(-clip.frame_count // POSES_MAX)
    poses = clip.read("camera/camera_to_world")[::step].astype(np.float64)
    return {
        "name": cut(str(clip.attributes.get("camera_name", ""))),
        "K": clip.window(0, 1, modalities=["camera/K"])["camera/K"][0].astype(np.float64).tolist(),
        "step": step,
        "camera_to_world": [[round(value, 6) for value in pose] for pose in poses.reshape(len(poses), 16).tolist()],
        "moves": bool(np.abs(poses - poses[0]).max() > 1e-6),
    }


def _quality(clip: Clip) -> Json:
    found = clip.quality
    if not found:
        return {}
    figures = {cut(str(name), 100): value for name, value in _map(found.get("figures")).items()}
    return {
        "passed": found.get("passed") is True,
        "reasons": [cut(str(each), 100) for each in _list(found.get("reasons"))][:LISTED_MAX],
        "figures": {name: value for name, value in [*figures.items()][:LISTED_MAX] if isinstance(value, int | float)},
    }


def _bodies(clip: Clip) -> list[Json]:
    ids = _named_ids(clip)
    bodies = [each for each in _list(clip.spec.get("bodies")) if isinstance(each, dict)][:BODIES_MAX]
    return [
        {
            "name": cut(str(body.get("name", "")), 100),
            "kind": cut(str(body.get("kind", "")), 100),
            "mobility": cut(str(body.get("mobility", "")), 100),
            "material": cut(str(_map(body.get("physical")).get("name", "")), 100),
            "instance": ids.get(str(body.get("name"))),
        }
        for body in bodies
    ]


def _instances(clip: Clip) -> list[Json]:
    """Return what the colours of ids stand for."""
    named = sorted(_named_ids(clip).items(), key=lambda each: each[1])[:BODIES_MAX]
    return [{"name": cut(name, 100), "id": each, "colour": list(instance_colour(each))} for name, each in named]


def _named_ids(clip: Clip) -> dict[str, int]:
    return {str(name): each for name, each in _map(clip.attributes.get("instances")).items() if isinstance(each, int)}


def _shown_spec(clip: Clip) -> Json:
    """Return the spec with long texts cut, or nothing but its size if it is too large to be looked at."""
    size = len(json.dumps(clip.spec))
    shown = _shortened(clip.spec)
    if len(json.dumps(shown)) > SPEC_MAX:
        return {"bytes": size, "shown": None}
    return {"bytes": size, "shown": shown}


def _shortened(value: Any) -> Any:  # Any: JSON
    if isinstance(value, str):
        return cut(value)
    if isinstance(value, dict):
        return {str(name): _shortened(each) for name, each in value.items()}
    return [_shortened(each) for each in value] if isinstance(value, list) else value


def _list(value: Any) -> list[Any]:  # Any: JSON
    return value if isinstance(value, list) else []


def _map(value: Any) -> Mapping[str, Any]:  # Any: JSON
    return value if isinstance(value, dict) else {}
