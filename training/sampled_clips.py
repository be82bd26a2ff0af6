"""Clips that a model samples, on their way into the store."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast, final

import numpy as np
import numpy.typing as npt
import torch

from simfactory.dataset import Clip
from simfactory.footage import Footage, is_recorded, record_footage
from simfactory.store import JSON, open_folder
from simfactory.transforms import look_at
from training.data.framing import Framing, framed_intrinsics
from training.model import ClipFormat, TrainedModel
from training.predicting import ASSUMED_FIELD_OF_VIEW, Prediction, Sampling, assumed_intrinsics, fit_frame, predict_clip

__all__ = ["Prompt", "clip_format", "model_digest", "prompt_of_clip", "prompt_of_picture", "record_sample"]

Array = npt.NDArray[np.generic]
UInt8 = npt.NDArray[np.uint8]
Float64 = npt.NDArray[np.float64]

_STRIDE = 2  # every n-th row and column gives a 4D point, as in simulated clips unless told otherwise
_HEIGHT = 1.0  # [m] above the ground, of a camera that nobody knows


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """What a clip is to begin with, and who sees it.

    Attributes:
        first_frame: `(height, width, 3)` uint8, sRGB, at the model's size.
        text: One sentence on what happens; "" = none.
        intrinsics: `(time, 3, 3)` [px].
        camera_to_world: `(time, 4, 4)` [m].
        camera_origin: Where the camera comes from.
        row: Columns of the catalogue.
    """

    first_frame: UInt8
    text: str
    intrinsics: Float64
    camera_to_world: Float64
    camera_origin: str
    row: Mapping[str, JSON]


def clip_format(model: TrainedModel, *, frame_count: int, height: int, width: int, fps: float) -> ClipFormat:
    """Return the clips that a model makes: those that it was trained on, else what is given, if it can.

    Raises:
        SpecError: It was trained on none that is known, and cannot make what is given.
    """
    if model.clip is not None:
        return model.clip
    model.backbone.shape.grid.latent_shape(frame_count, height, width)
    return ClipFormat(frame_count=frame_count, height=height, width=width, fps=fps)


def prompt_of_picture(image: UInt8, text: str, *, clip: ClipFormat) -> Prompt:
    """Return a picture as the begin of a clip; it is fitted to the size, see `fit_frame`.

    Nobody knows its camera: one at rest is assumed, level, with `ASSUMED_FIELD_OF_VIEW`, a metre above the origin.

    Raises:
        SpecError: It is no picture.
    """
    pose = look_at((0.0, 0.0, _HEIGHT), (0.0, 1.0, _HEIGHT))
    return Prompt(
        first_frame=fit_frame(image, clip.height, clip.width),
        text=text,
        intrinsics=np.tile(assumed_intrinsics(clip.height, clip.width), (clip.frame_count, 1, 1)),
        camera_to_world=np.tile(pose, (clip.frame_count, 1, 1)),
        camera_origin=f"assumed, {ASSUMED_FIELD_OF_VIEW:g} degrees",
        row={},
    )


def prompt_of_clip(source: Clip, *, clip: ClipFormat, text: str | None = None) -> Prompt:
    """Return the begin of a stored clip, with its caption unless told otherwise, and its camera where it has one.

    The picture is the middle of the clip's, at the model's size, and the camera is changed alike. A camera that moves
    is taken to go where the clip's went; after the clip's end it stays.

    Raises:
        CorruptClip: Stored bytes are damaged.
        StoreError: The clip has no rgb.
    """
    image = source.window(0, 1, modalities=["rgb"])["rgb"][0].astype(np.uint8)
    chosen = source.caption if text is None else text
    found = prompt_of_picture(image, chosen, clip=clip)
    origin, intrinsics, poses = found.camera_origin, found.intrinsics, found.camera_to_world
    if "camera" in source.modalities:
        count = min(source.frame_count, clip.frame_count)
        window = source.window(0, count, modalities=["camera"])
        frames = np.minimum(np.arange(clip.frame_count), count - 1)
        poses = window["camera/camera_to_world"].astype(np.float64)[frames]
        intrinsics = _fitted_intrinsics(window["camera/K"].astype(np.float64)[frames], source, clip)
        origin = f"clip {source.id}"
    row = cast(Mapping[str, JSON], source.record["row"])
    kept = {name: row.get(name) for name in ("scene", "category", "tier", "split", "seed", "index", "camera")}
    return Prompt(
        first_frame=found.first_frame,
        text=chosen,
        intrinsics=intrinsics,
        camera_to_world=poses,
        camera_origin=origin,
        row=kept,
    )


def model_digest(model: TrainedModel) -> str:
    """Return a digest of all weights of a model."""
    found = hashlib.sha256()
    for module in (model.backbone, model.heads):
        for name, value in sorted(module.state_dict().items()) if module is not None else ():
            found.update(name.encode())
            found.update(value.detach().float().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def record_sample(
    dataset: str | os.PathLike[str],
    model: TrainedModel,
    prompt: Prompt,
    *,
    digest: str,
    clip: ClipFormat,
    seed: int,
    sampling: Sampling,
) -> str | None:
    """Sample a clip and write it into a dataset: colours and, if the model has heads, depth, flow and 4D points.

    Args:
        dataset: Folder or address of a dataset.
        model: The model.
        prompt: What the clip begins with.
        digest: Of the model, see `model_digest`; it enters the clip's id.
        clip: Frames and size.
        seed: Of the noise.
        sampling: How it is sampled.

    Returns:
        The clip's id; None if the dataset holds it already.

    Raises:
        StoreError: The dataset is missing or cannot be written.
        ResourceError: The disk is full.
    """
    geometry = model.heads is not None
    footage = Footage(
        source="model",
        origin={
            "model": digest,
            "first_frame": hashlib.sha256(prompt.first_frame.tobytes()).hexdigest(),
            "prompt": prompt.text,
            "seed": seed,
            "sampling": cast(JSON, asdict(sampling)),
            "camera": prompt.camera_origin,
        },
        fps=clip.fps,
        frame_count=clip.frame_count,
        height=clip.height,
        width=clip.width,
        modalities=("rgb", "camera", *(("depth", "flow_forward", "points") if geometry else ())),
        caption=prompt.text,
        row=prompt.row,
    )
    if is_recorded(dataset, footage):
        return None
    found = predict_clip(model, prompt.first_frame, prompt=prompt.text, clip=clip, seed=seed, sampling=sampling)
    written = record_footage(dataset, footage, _arrays(found, prompt, fps=clip.fps))
    return footage.clip_id(open_folder(dataset).profile) if written else None


def _arrays(found: Prediction, prompt: Prompt, *, fps: float) -> dict[str, Array]:
    arrays: dict[str, Array] = {
        "rgb": found.frames,
        "camera/K": prompt.intrinsics,
        "camera/camera_to_world": prompt.camera_to_world,
    }
    cloud = found.cloud(prompt.intrinsics, prompt.camera_to_world, fps=fps, stride=_STRIDE)
    if cloud is None or found.depth is None or found.flow is None:
        return arrays
    return {
        **arrays,
        "depth": found.depth,
        "flow_forward": found.flow,
        "points/position": cloud.position,
        "points/velocity": cloud.velocity,
        "points/instance": np.zeros(len(cloud.position), np.uint16),  # heads do not tell bodies apart
        "points/offsets": cloud.offsets,
    }


def _fitted_intrinsics(intrinsics: Float64, source: Clip, clip: ClipFormat) -> Float64:
    """Return K of the part that `fit_frame` keeps, at the model's size."""
    scale = max(clip.height / source.height, clip.width / source.width)
    size = max(clip.height, round(source.height * scale)), max(clip.width, round(source.width * scale))
    whole = framed_intrinsics(
        torch.from_numpy(intrinsics), top=0, left=0, part=(source.height, source.width), output=size
    )
    top, left = Framing(crop=(clip.height, clip.width)).corner(*size, down=0.0, across=0.0)
    cut = framed_intrinsics(whole, top=top, left=left, part=(clip.height, clip.width), output=(clip.height, clip.width))
    return cut.numpy()
