"""A window's tensors as they are stored: read, cropped, not yet in physical units."""

from collections.abc import Collection, Mapping
from typing import cast

import numpy as np
import torch
from torch import Tensor

from simfactory.dataset import Clip
from simfactory.errors import StoreError
from simfactory.signals import HIT
from simfactory.store.precision import Array
from training.data.framing import Framing
from training.data.outputs import OUTPUTS
from training.data.windows import WindowKey

__all__ = ["STEP", "read_stored"]

STEP = "/step"  # `<array>/step`: what its stored integers count [the array's unit]
_IMAGES = ("rgb", "depth", "flow_forward", "flow_backward", "scene_flow", "instance", "mask", "normal")
_FLOWS = {"flow_forward", "flow_backward"}
_GAP = np.iinfo(np.int16).min
# What clips that lack an array are given, in its stored form: shape of a pixel before and after (y, x), type, value.
_ABSENT: Mapping[str, tuple[tuple[int, ...], tuple[int, ...], str, float]] = {
    "rgb": ((), (3,), "uint8", 0),
    "depth": ((), (), "float16", np.inf),
    "flow_forward": ((2,), (), "int16", _GAP),
    "flow_backward": ((2,), (), "int16", _GAP),
    "scene_flow": ((3,), (), "int16", _GAP),
    "instance": ((), (), "int32", 0),
    "mask": ((), (), "uint8", HIT),
    "normal": ((), (3,), "int8", 0),
}
_BODY_ROWS = ("position", "quat_xyzw", "linear_velocity", "angular_velocity")
_BODY_CONSTANTS = ("mass", "friction", "restitution")
_ITEMS: Mapping[str, tuple[str, ...]] = {
    "contacts": ("a", "b", "point", "normal", "impulse"),
    "points": ("position", "velocity", "instance"),
}
_WIDTHS = {"point": 3, "normal": 3, "velocity": 3, "position": 4, "quat_xyzw": 4}


def read_stored(
    clip: Clip,
    key: WindowKey,
    *,
    length: int,
    outputs: Collection[str],
    framing: Framing,
    may_lack: Collection[str] = (),
    track_limit: int | None = None,
    alike: bool = False,
) -> dict[str, Tensor]:
    """Return what `decoded` makes the outputs of a window from.

    Image arrays come cropped and as stored, quantised ones with their step; cameras with the crop, and with the poses
    one frame later; items (tracks, bodies, contacts, points) in physical units, one row an item.

    Args:
        clip: The clip.
        key: The window.
        length: Frames of the window.
        outputs: Names of `OUTPUTS`.
        framing: Which part of the picture.
        may_lack: Modalities that the clip may be without.
        track_limit: Largest number of tracks, evenly picked from all; None = all.
        alike: Whether all clips give the same tensors, to be stacked: otherwise flow comes without a mask where
            nothing was saturated.

    Raises:
        StoreError: The clip lacks a modality that it may not lack.
        IndexError: The window does not lie inside the clip.
    """
    wanted = _arrays(outputs, framing, saturated=not clip.saturated.keys().isdisjoint(_FLOWS))
    present = set(clip.modalities)
    needed = {need for name in outputs for need in OUTPUTS[name].needs}
    if lacking := sorted(needed - present - set(may_lack)):
        raise StoreError(
            f"clip {clip.id} has no {', '.join(lacking)}; present: {', '.join(clip.modalities)}; "
            "generate it with these modalities, or name them in the source's may_lack"
        )
    images = [name for name in _IMAGES if name in wanted]
    names = [name for name in images if name in present]
    names += [
        f"{group}/{name}"
        for group, fields in _group_fields().items()
        if group in wanted and group in present
        for name in fields
    ]
    if "tracks" in wanted and "tracks" not in present and "tracks_image" in present:
        names += ["tracks_image/position", "tracks_image/visible"]
    window = clip.window(key.start, length, modalities=names, physical=False) if names else {}
    part = framing.part(clip.height, clip.width)
    stored: dict[str, Tensor] = {}
    for name in images:
        if name in window:
            stored[name] = _cropped(clip, name, window[name], key, part)
            step = clip.encodings[name].scale
        else:
            stored[name], step = _absent(name, length, part), 1.0
        if name in ("flow_forward", "flow_backward", "scene_flow", "normal"):
            stored[name + STEP] = torch.tensor(1.0 if step is None else step, dtype=torch.float32)
    if alike and "mask" not in stored and wanted & _FLOWS:
        stored["mask"] = _absent("mask", length, part)
    if "camera" in wanted:
        stored |= _camera(clip, key, length, known="camera" in present)
    for group in ("tracks", "bodies", "contacts", "points"):
        if group in wanted:
            stored |= _items(group, window, length, track_limit, key)
    return stored


def _arrays(outputs: Collection[str], framing: Framing, *, saturated: bool) -> set[str]:
    """Return the modalities that are read: those that are needed, and those that say more where they are there."""
    wanted = {need for name in outputs for need in OUTPUTS[name].needs}
    if "motion" in outputs or (saturated and wanted & _FLOWS):
        wanted.add("mask")  # what is hidden or outside at t + 1, and which flow is saturated
    if "mask" in outputs and framing.crop is not None:
        wanted |= {"flow_forward", "flow_backward"}  # what leaves the part
    if framing.size is not None:
        wanted |= {"depth", "instance"}  # which pixels show one surface
    return wanted


def _group_fields() -> dict[str, tuple[str, ...]]:
    return {
        "tracks": ("position", "visible", "instance"),
        "bodies": (*_BODY_ROWS, *_BODY_CONSTANTS, "instance"),
        **{group: (*names, "offsets") for group, names in _ITEMS.items()},
    }


def _cropped(clip: Clip, name: str, values: Array, key: WindowKey, part: tuple[int, int]) -> Tensor:
    dims = clip.signals[name].dims
    cut = {"y": slice(key.top, key.top + part[0]), "x": slice(key.left, key.left + part[1])}
    values = values[tuple(cut.get(axis, slice(None)) for axis in dims)]
    return _tensor(values)


def _tensor(values: Array) -> Tensor:
    """Return an array as a tensor of its own; 16-bit ids become int32, for torch computes little in uint16."""
    if values.dtype == np.uint16:
        values = values.astype(np.int32)
    values = np.ascontiguousarray(values)
    return torch.from_numpy(values if values.flags.writeable else values.copy())


def _absent(name: str, length: int, part: tuple[int, int]) -> Tensor:
    before, after, dtype, value = _ABSENT[name]
    return torch.from_numpy(np.full((length, *before, *part, *after), value, dtype))


def _camera(clip: Clip, key: WindowKey, length: int, *, known: bool) -> dict[str, Tensor]:
    """Return float64 matrices of the window's frames, and poses one frame later, NaN after the clip's last frame."""
    intrinsics = np.full((length, 3, 3), np.nan)
    poses = np.full((length + 1, 4, 4), np.nan)
    if known:
        there = min(length + 1, clip.frame_count - key.start)
        window = clip.window(key.start, there, modalities=["camera/K", "camera/camera_to_world"])
        intrinsics[:] = window["camera/K"][:length]
        poses[:there] = window["camera/camera_to_world"]
    intrinsics[:, 0, 2] -= key.left
    intrinsics[:, 1, 2] -= key.top
    return {
        "camera/K": torch.from_numpy(intrinsics),
        "camera/camera_to_world": torch.from_numpy(poses[:length].copy()),
        "camera/camera_to_world_next": torch.from_numpy(poses[1:].copy()),
    }


def _items(
    group: str, window: Mapping[str, Array], length: int, limit: int | None, key: WindowKey
) -> dict[str, Tensor]:
    if group == "tracks":
        items = _tracks(window, length, limit, key)
    elif group == "bodies":
        items = _bodies(window, length)
    else:
        items = _rows(group, window)
    count = len(next(iter(items.values())))
    return {**items, f"{group}_valid": torch.ones(count, dtype=torch.bool)}


def _tracks(window: Mapping[str, Array], length: int, limit: int | None, key: WindowKey) -> dict[str, Tensor]:
    """Return the simulator's tracks in the world, or those of a tracker on the picture; the other ones are NaN."""
    visible = window.get("tracks/visible", window.get("tracks_image/visible", np.zeros((0, length), bool)))
    count = len(visible)
    nowhere = np.full((3, count, length), np.nan, np.float32)
    position = window.get("tracks/position", nowhere)
    corner = np.array([key.left, key.top], np.float32)[:, None, None]
    raster = window.get("tracks_image/position", nowhere[:2]).astype(np.float32) - corner
    instance = window.get("tracks/instance", np.zeros(count, np.uint16))
    chosen = np.arange(count) if limit is None or count <= limit else np.arange(limit) * count // limit
    return {
        "tracks_world": _tensor(position[:, chosen].transpose(1, 2, 0)),
        "tracks_raster": _tensor(raster[:, chosen].transpose(1, 2, 0)),
        "tracks_visible": _tensor(visible[chosen]),
        "tracks_instance": _tensor(instance[chosen]),
    }


def _bodies(window: Mapping[str, Array], length: int) -> dict[str, Tensor]:
    items = {}
    for name in _BODY_ROWS:
        empty = np.zeros((length, 0, _WIDTHS["quat_xyzw"] if name == "quat_xyzw" else 3), np.float32)
        items[f"bodies_{name}"] = _tensor(window.get(f"bodies/{name}", empty).swapaxes(0, 1))
    for name in _BODY_CONSTANTS:
        constants = window.get(f"bodies/{name}", np.zeros(0))
        items[f"bodies_{name}"] = _tensor(constants.astype(np.float32))
    return {**items, "bodies_instance": _tensor(window.get("bodies/instance", np.zeros(0, np.uint16)))}


def _rows(group: str, window: Mapping[str, Array]) -> dict[str, Tensor]:
    """Return ragged rows, with the frame of the window that each belongs to."""
    edges = cast(
        "np.ndarray[tuple[int, ...], np.dtype[np.int64]]", window.get(f"{group}/offsets", np.zeros(1, np.int64))
    )
    items = {f"{group}_frame": _tensor(np.repeat(np.arange(len(edges) - 1), np.diff(edges)))}
    for name in _ITEMS[group]:
        ids = name in ("a", "b", "instance")
        empty = np.zeros((0, _WIDTHS[name]) if name in _WIDTHS else 0, np.uint16 if ids else np.float32)
        items[f"{group}_{name}"] = _tensor(window.get(f"{group}/{name}", empty))
    return items
