"""Checks a stored clip against itself: depth, poses, flow, scene flow, ids, masks and tracks tell one story."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from simfactory.quality.agreement import Agreement, Frame, check_motion, check_points, check_single, check_tracks
from simfactory.signals import Signal
from simfactory.store import Finding

__all__ = ["StoredClip", "verify_clip"]

WINDOW = 8  # frames: the store's chunk

Array = npt.NDArray[np.generic]


class _Stored(Protocol):
    """How an array is stored: its step (None = not quantised) and its type."""

    @property
    def scale(self) -> float | None: ...

    @property
    def stored(self) -> np.dtype[np.generic]: ...


class StoredClip(Protocol):
    """What is read of a stored clip; `simfactory.dataset.Clip` is one."""

    id: str

    @property
    def frame_count(self) -> int:
        """Number of frames."""

    @property
    def fps(self) -> float:
        """Frames per second [1/s]."""

    @property
    def signals(self) -> Mapping[str, Signal]:
        """Meaning of every array, by name."""

    @property
    def encodings(self) -> Mapping[str, _Stored]:
        """How every array is stored, by name."""

    def window(self, start: int, length: int, *, modalities: Sequence[str] | None = None) -> Mapping[str, Array]:
        """Return consecutive frames of modalities, by array name, in physical units."""


def verify_clip(clip: StoredClip) -> list[Finding]:
    """Return what contradicts itself in a stored clip; an empty list means all is well.

    Only stored arrays are used: unprojected depth plus scene flow, projected into the next frame, must be the flow
    within what quantisation allows; forward and backward flow must undo each other; mask bits must agree with what
    is missing; tracks and 4D points must lie where depth says. Modalities that were not recorded are skipped.

    Args:
        clip: The clip.

    Raises:
        CorruptClip: Stored bytes are damaged.
    """
    agreement = Agreement(
        flow_step=_step(clip, "flow_forward"),
        scene_flow_step=_step(clip, "scene_flow"),
        depth_step=_depth_step(clip),
        normal_step=_step(clip, "normal"),
        estimated="camera/camera_to_world" not in clip.signals,
    )
    static = clip.window(0, clip.frame_count, modalities=_present(clip, ["time", "camera", "tracks"]))
    _check_clock(agreement, clip, static)
    placed = "camera/camera_to_world" in static
    if placed:
        _check_poses(agreement, static)
    for frame in _frames(clip, static):
        check_single(agreement, frame)
        if placed:
            check_motion(agreement, frame)
            check_points(agreement, frame)
            check_tracks(agreement, frame, static)
    return [Finding(clip_id=clip.id, path=path, problem=problem) for path, problem in agreement.problems()]


def _step(clip: StoredClip, name: str) -> float:
    return (clip.encodings[name].scale or 0.0) if name in clip.encodings else 0.0


def _depth_step(clip: StoredClip) -> float:
    """Return the largest relative rounding error of stored depth."""
    if "depth" not in clip.encodings:
        return 0.0
    return float(np.finfo(clip.encodings["depth"].stored.name).eps) / 2.0


def _present(clip: StoredClip, modalities: Sequence[str]) -> list[str]:
    groups = {name.split("/")[0] for name in clip.signals}
    return [name for name in modalities if name in groups]


def _check_clock(agreement: Agreement, clip: StoredClip, static: Mapping[str, Array]) -> None:
    time = static["time"].astype(np.float64)
    agreement.note("time", "frame k is not at k / fps", np.abs(time - np.arange(len(time)) / clip.fps) > 1e-6)


def _check_poses(agreement: Agreement, static: Mapping[str, Array]) -> None:
    rotation = static["camera/camera_to_world"].astype(np.float64)[:, :3, :3]
    skew = np.abs(rotation @ rotation.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2)) > 1e-6
    agreement.note("camera/camera_to_world", "is not a rotation", skew | (np.linalg.det(rotation) < 0.0))


def _frames(clip: StoredClip, static: Mapping[str, Array]) -> Iterator[Frame]:
    """Yield all frames, each with the next one where there is one; cameras are NaN where none is known."""
    fields = ["depth", "normal", "instance", "mask", "flow_forward", "flow_backward", "scene_flow", "points"]
    wanted = _present(clip, fields)
    unknown = np.full((clip.frame_count, 4, 4), np.nan)
    intrinsics = static.get("camera/K", unknown[:, :3, :3]).astype(np.float64)
    poses = static.get("camera/camera_to_world", unknown).astype(np.float64)
    for start in range(0, clip.frame_count, WINDOW):
        length = min(WINDOW + 1, clip.frame_count - start)
        window = clip.window(start, length, modalities=wanted)
        for row in range(min(WINDOW, length)):
            yield Frame(
                index=start + row,
                last=start + row == clip.frame_count - 1,
                time=float(static["time"].astype(np.float64)[start + row]),
                intrinsics=intrinsics[start + row],
                poses=poses[start + row : start + row + 2],
                arrays=_slices(clip, window, row),
                following=_slices(clip, window, row + 1) if row + 1 < length else None,
            )


def _slices(clip: StoredClip, window: Mapping[str, Array], row: int) -> dict[str, Array]:
    """Return one frame of a window: slices, and the rows of ragged signals."""
    slices: dict[str, Array] = {}
    for name, values in window.items():
        if name not in clip.signals or name.endswith("/offsets"):
            continue
        if clip.signals[name].ragged:
            edges = window[f"{name.rpartition('/')[0]}/offsets"].astype(np.int64)
            slices[name] = values[edges[row] : edges[row + 1]]
        else:
            slices[name] = values[row]
    return slices
