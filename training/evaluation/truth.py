"""The truth of one held-out clip, at the size and length of a model's clips."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, final

import numpy as np
import numpy.typing as npt
from torch import Tensor

from simfactory.dataset import Clip
from simfactory.errors import SpecError
from training.data import Framing, Source, WindowDataset, WindowKey, Windows
from training.model import ClipFormat
from training.predicting import Prediction

__all__ = ["Bodies", "ClipTruth", "Tracks", "read_truth"]

Array = npt.NDArray[np.generic]
Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

OUTPUTS = ("rgb", "depth", "motion", "instance", "camera", "tracks", "bodies", "contacts")
TRACK_LIMIT = 512
STILL = 1e-6  # by which entries of the poses of a camera at rest may differ


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Tracks:
    """Material points followed through a clip.

    Attributes:
        world: `(point, time, 3)` [m], also while hidden.
        image: `(point, time, 2)` raster positions [px], NaN behind the camera.
        visible: `(point, time)` bool.
        instance: `(point,)` ids.
    """

    world: Float64
    image: Float64
    visible: Bool
    instance: Int64


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Bodies:
    """The bodies of a clip that obey forces.

    Attributes:
        instance: `(body,)` ids.
        position: `(time, body, 3)` [m], world.
        mass: `(body,)` [kg].
        radius: `(body,)` of balls [m]; NaN for other shapes.
        gravity: World frame [m/s²].
        contacts: For each frame, the pairs of ids that touch.
    """

    instance: Int64
    position: Float64
    mass: Float64
    radius: Float64
    gravity: tuple[float, float, float]
    contacts: tuple[frozenset[tuple[int, int]], ...]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class ClipTruth:
    """What is true of a clip.

    Attributes:
        clip_id: The clip.
        caption: One sentence on what happens.
        fps: Frames per second [1/s].
        exact: The truth in the form of a prediction; depth is inf where nothing is hit, motion NaN where undefined.
        flow_valid: `(time, height, width)` bool: flow is defined and was not saturated; nowhere in the last frame.
        instance: `(time, height, width)` ids.
        object_ids: Ids of the bodies that can move.
        intrinsics: `(time, 3, 3)` [px].
        camera_to_world: `(time, 4, 4)` [m].
        tracks: Exact tracks.
        bodies: Bodies that obey forces.
    """

    clip_id: str
    caption: str
    fps: float
    exact: Prediction
    flow_valid: Bool
    instance: Int64
    object_ids: tuple[int, ...]
    intrinsics: Float64
    camera_to_world: Float64
    tracks: Tracks
    bodies: Bodies

    @property
    def camera_moves(self) -> bool:
        """Whether the camera moves."""
        return bool(np.abs(self.camera_to_world - self.camera_to_world[0]).max() > STILL)


def read_truth(source: Source, clip: Clip, wanted: ClipFormat) -> ClipTruth:
    """Return the truth of a clip's first frames: of the middle of its pictures, brought to the model's size.

    Args:
        source: Where the clip is.
        clip: A simulated clip.
        wanted: Frames and size.

    Raises:
        SpecError: The clip is shorter or smaller than what is wanted.
        StoreError: The clip lacks an annotation.
        CorruptClip: Stored bytes are damaged.
    """
    if clip.frame_count < wanted.frame_count:
        raise SpecError(
            f"clip {clip.id} has {clip.frame_count} frames, the model makes {wanted.frame_count}: simulate longer clips"
        )
    framing = _framing(clip, wanted)
    top, left = framing.corner(clip.height, clip.width, down=0.0, across=0.0)
    windows = WindowDataset(
        [source],
        windows=Windows(length=wanted.frame_count),
        outputs=OUTPUTS,
        framing=framing,
        track_limit=TRACK_LIMIT,
    )
    tensors = windows[WindowKey(source=0, clip_id=clip.id, start=0, top=top, left=left)].tensors
    motion = _array(tensors["motion"])
    visible, flow_valid = (_array(tensors[name]).astype(np.bool_) for name in ("motion_visible", "motion_valid"))
    visible[-1] = flow_valid[-1] = False  # of the last frame of a window, the motion leads out of it
    motion[-1] = np.nan
    colors = ((_array(tensors["rgb"]) + 1.0) * 127.5).round().clip(0, 255).astype(np.uint8)
    return ClipTruth(
        clip_id=clip.id,
        caption=clip.caption,
        fps=clip.fps,
        exact=Prediction(
            frames=np.ascontiguousarray(colors.transpose(0, 2, 3, 1)),
            depth=_array(tensors["depth"]).astype(np.float32),
            flow=motion[:, :2].astype(np.float32),
            depth_change=motion[:, 2].astype(np.float32),
            visible=visible,
        ),
        flow_valid=flow_valid,
        instance=_array(tensors["instance"]).astype(np.int64),
        object_ids=tuple(sorted(_ids(clip, {"dynamic", "kinematic"}))),
        intrinsics=_array(tensors["intrinsics"]).astype(np.float64),
        camera_to_world=_array(tensors["camera_to_world"]).astype(np.float64),
        tracks=Tracks(
            world=_array(tensors["tracks_world"]).astype(np.float64),
            image=_array(tensors["tracks_image"]).astype(np.float64),
            visible=_array(tensors["tracks_visible"]).astype(np.bool_),
            instance=_array(tensors["tracks_instance"]).astype(np.int64),
        ),
        bodies=_bodies(clip, tensors, wanted.frame_count),
    )


def _framing(clip: Clip, wanted: ClipFormat) -> Framing:
    """Return the largest part in the middle that has the model's proportions, brought to its size."""
    scale = min(clip.height / wanted.height, clip.width / wanted.width)
    if scale < 1.0:
        raise SpecError(
            f"clip {clip.id} has {clip.width}x{clip.height} px, the model makes {wanted.width}x{wanted.height}: "
            "enlarging invents truth; render larger clips"
        )
    crop = min(clip.height, round(wanted.height * scale)), min(clip.width, round(wanted.width * scale))
    return Framing(crop=crop, size=None if crop == (wanted.height, wanted.width) else (wanted.height, wanted.width))


def _bodies(clip: Clip, tensors: Mapping[str, Tensor], frame_count: int) -> Bodies:
    free = _ids(clip, {"dynamic"})
    instance = _array(tensors["bodies_instance"]).astype(np.int64)
    mass = _array(tensors["bodies_mass"]).astype(np.float64)
    kept = np.array([int(each) in free for each in instance], np.bool_) & np.isfinite(mass) & (mass > 0.0)
    frame, a, b = (_array(tensors[f"contacts_{name}"]).astype(np.int64) for name in ("frame", "a", "b"))
    return Bodies(
        instance=instance[kept],
        position=_array(tensors["bodies_position"]).astype(np.float64).transpose(1, 0, 2)[:, kept],
        mass=mass[kept],
        radius=np.array([free[int(each)] for each in instance[kept]], np.float64),
        gravity=_gravity(clip),
        contacts=tuple(
            frozenset(zip(a[frame == index].tolist(), b[frame == index].tolist(), strict=True))
            for index in range(frame_count)
        ),
    )


def _ids(clip: Clip, mobilities: set[str]) -> dict[int, float]:
    """Return the ids of bodies that move in one of these ways, with their radius if they are balls."""
    spec = cast(dict[str, Any], clip.spec)  # Any: JSON
    named = cast(dict[str, int], clip.attributes.get("instances") or {})
    found = {}
    for body in spec.get("bodies", []):
        shape = body.get("geometry") or {}
        if body.get("mobility", "dynamic") in mobilities and body["name"] in named:
            ball = shape.get("shape") == "sphere" and len(set(body.get("aspect", [1.0]))) == 1
            size = float(body.get("scale", 1.0)) * float(body.get("aspect", [1.0])[0])
            found[named[body["name"]]] = float(shape["radius"]) * size if ball else float("nan")
    return found


def _gravity(clip: Clip) -> tuple[float, float, float]:
    environment = cast(dict[str, Any], clip.spec).get("environment") or {}  # Any: JSON
    x, y, z = environment.get("gravity", (0.0, 0.0, -9.81))
    return float(x), float(y), float(z)


def _array(values: Tensor) -> npt.NDArray[Any]:  # Any: of the tensor's dtype
    return np.array(values.numpy())
