"""What a trained model says of a clip: the video that it makes of a first frame, and the geometry its heads read."""

from dataclasses import dataclass, replace
from typing import Any, Self, final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.model import ClipFormat, TrainedModel
from training.model.heads import Geometry, velocity_and_geometry
from training.model.sampling import sample_latents
from training.noising import noised
from training.points4d import moving_mask, scene_flow_from_motion, unproject

__all__ = [
    "ASSUMED_FIELD_OF_VIEW",
    "GEOMETRY_TIME",
    "Cloud",
    "Prediction",
    "Sampling",
    "assumed_intrinsics",
    "fit_frame",
    "predict_clip",
    "read_geometry",
]

Array = npt.NDArray[np.generic]
UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

GEOMETRY_TIME = 0.1  # t at which heads read a clip: little of it is hidden, and the network has seen such times
ASSUMED_FIELD_OF_VIEW = 50.0  # [°], vertical, of pictures whose camera nobody knows: that of a usual lens


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """How videos are sampled.

    Attributes:
        step_count: Euler steps.
        guidance: 1 = as the model was trained; above, the prompt counts more.
        shift: Above 1, more of the steps are spent at high noise.
        geometry_time: t at which the heads read a clip, one of those that they were trained at.
    """

    step_count: int = 30
    guidance: float = 1.0
    shift: float = 5.0
    geometry_time: float = GEOMETRY_TIME

    def __post_init__(self) -> None:
        if self.step_count < 1 or not self.shift > 0.0 or not 0.0 < self.geometry_time <= 1.0:
            raise SpecError(
                f"{self.step_count} steps, shift {self.shift}, geometry at t = {self.geometry_time}; allowed are 1 or "
                "more steps, a positive shift, and 0 < t ≤ 1"
            )


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Cloud:
    """4D points of a clip, frame by frame, row by row.

    Attributes:
        position: `(point, 4)` (x, y, z [m], t [s]), world frame.
        velocity: `(point, 3)` until the next frame [m/s], world frame; NaN where it is not known.
        offsets: `(frame + 1,)`: frame k has the rows `offsets[k]` to `offsets[k + 1]`.
    """

    position: Float32
    velocity: Float32
    offsets: npt.NDArray[np.int64]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """Frames of a clip, and what is said of them; None = nothing is.

    Attributes:
        frames: `(time, height, width, 3)` uint8, sRGB.
        depth: z `(time, height, width)` [m].
        flow: (du, dv) to the next frame `(time, 2, height, width)` [px]; NaN in the last frame.
        depth_change: dz of the surface point to the next frame `(time, height, width)` [m]; NaN in the last frame.
        visible: `(time, height, width)` bool: the surface point is seen in the next frame; False in the last frame.
    """

    frames: UInt8
    depth: Float32 | None = None
    flow: Float32 | None = None
    depth_change: Float32 | None = None
    visible: Bool | None = None

    def with_geometry(self, geometry: Geometry) -> Self:
        """Return it with what heads say of its frames; the geometry is that of a batch of one."""
        visible = (geometry.visibility[0] > 0.0).cpu().numpy()
        visible[-1] = False
        return replace(
            self,
            depth=_array(geometry.depth),
            flow=_without_last(_array(geometry.flow)),
            depth_change=_without_last(_array(geometry.depth_change)),
            visible=visible,
        )

    def scene_flow(self, intrinsics: Float64, camera_to_world: Float64) -> Float32 | None:
        """Return the displacement of each pixel's point to the next frame `(time, 3, height, width)` [m], world frame.

        It is NaN in the last frame; None where depth, flow or its third component is not known.

        Args:
            intrinsics: `(time, 3, 3)` [px].
            camera_to_world: `(time, 4, 4)` [m].
        """
        if self.depth is None or self.flow is None or self.depth_change is None:
            return None
        motion = np.concatenate([self.flow, self.depth_change[:, None]], axis=1)
        return np.asarray(scene_flow_from_motion(self.depth, motion, intrinsics, camera_to_world), np.float32)

    def cloud(
        self, intrinsics: Float64, camera_to_world: Float64, *, fps: float, stride: int = 1, moving: bool = True
    ) -> Cloud | None:
        """Return its 4D points; None where what they follow from is not known.

        Args:
            intrinsics: `(time, 3, 3)` [px].
            camera_to_world: `(time, 4, 4)` [m].
            fps: Frames per second [1/s].
            stride: Every n-th row and column, from n // 2 on.
            moving: Only points that move in the world, as in the store's `points`; none of the last frame, whose motion
                is not predicted.
        """
        flow = self.scene_flow(intrinsics, camera_to_world)
        if self.depth is None or (moving and flow is None):
            return None
        grid = np.s_[:, stride // 2 :: stride, stride // 2 :: stride]
        seen = np.isfinite(self.depth) & (self.depth > 0.0)
        if moving and flow is not None:
            seen &= moving_mask(flow, fps=fps)
        seen = seen[grid]
        frame = np.nonzero(seen)[0]
        places = _unprojected(self.depth, intrinsics)[grid][seen]
        pose = camera_to_world.astype(np.float64)[frame]
        world = (pose[:, :3, :3] @ places[..., None])[..., 0] + pose[:, :3, 3]
        velocity = np.full(world.shape, np.nan) if flow is None else flow.transpose(0, 2, 3, 1)[grid][seen] * fps
        position = np.concatenate([world, frame[:, None] / fps], axis=1).astype(np.float32)
        offsets = np.concatenate([[0], np.cumsum(seen.sum(axis=(1, 2)))]).astype(np.int64)
        return Cloud(position=position, velocity=velocity.astype(np.float32), offsets=offsets)


def fit_frame(image: UInt8, height: int, width: int) -> UInt8:
    """Return a picture at a model's size: scaled until it covers it, then its middle is cut out.

    Args:
        image: `(height, width, 3)` uint8, sRGB.
        height: Rows wanted [px].
        width: Columns wanted [px].

    Raises:
        SpecError: It is no picture.
    """
    if image.ndim != 3 or image.shape[-1] != 3 or image.dtype != np.uint8 or not image.size:
        raise SpecError(f"a picture of shape {image.shape} and type {image.dtype}; give (height, width, 3) uint8")
    scale = max(height / image.shape[0], width / image.shape[1])
    rows, columns = max(height, round(image.shape[0] * scale)), max(width, round(image.shape[1] * scale))
    if (rows, columns) != image.shape[:2]:
        smaller = rows < image.shape[0]
        image = np.asarray(
            cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), np.uint8
        )
    top, left = (rows - height) // 2, (columns - width) // 2
    return np.ascontiguousarray(image[top : top + height, left : left + width])


def assumed_intrinsics(height: int, width: int) -> Float64:
    """Return K `(3, 3)` [px] of a camera with `ASSUMED_FIELD_OF_VIEW`, its axis in the middle."""
    focal = 0.5 * height / np.tan(0.5 * np.radians(ASSUMED_FIELD_OF_VIEW))
    return np.array([[focal, 0.0, 0.5 * width], [0.0, focal, 0.5 * height], [0.0, 0.0, 1.0]])


@torch.no_grad()
def predict_clip(
    model: TrainedModel,
    first_frame: UInt8,
    *,
    prompt: str,
    clip: ClipFormat,
    seed: int = 0,
    sampling: Sampling | None = None,
    geometry: bool = True,
) -> Prediction:
    """Return the video that a model makes of a first frame, and what its heads say of it.

    The heads read the sampled latents in one more pass, see `read_geometry`.

    Args:
        model: The model.
        first_frame: `(height, width, 3)` uint8, sRGB, brought to the clip's size by `fit_frame`.
        prompt: One sentence on what happens; "" = none.
        clip: Frames and size of the video.
        seed: Of the noise, which is drawn on the CPU: the same on every device.
        sampling: How.
        geometry: Whether the heads are asked; a model without heads gives no geometry.

    Raises:
        SpecError: The model cannot make clips of this size.
    """
    chosen, backbone = sampling or Sampling(), model.backbone
    shape = backbone.shape.grid.latent_shape(clip.frame_count, clip.height, clip.width)
    reference = next(backbone.parameters())
    picture = _video(fit_frame(first_frame, clip.height, clip.width)[None]).to(reference)[:, :, 0]
    condition = backbone.encode_first_frame(picture, frame_count=clip.frame_count)
    noise = torch.randn(1, backbone.shape.latent_channels, *shape, generator=torch.Generator().manual_seed(seed))
    latents = sample_latents(
        backbone,
        noise.to(reference),
        first_frame=condition,
        text=backbone.encode_text([prompt]),
        guidance=chosen.guidance,
        step_count=chosen.step_count,
        shift=chosen.shift,
    )
    pixels = backbone.decode(latents)[0].float().clamp(-1, 1).permute(1, 2, 3, 0)
    found = Prediction(frames=((pixels + 1.0) * 127.5).round().to(torch.uint8).cpu().numpy())
    if not geometry or model.heads is None:
        return found
    return found.with_geometry(_read(model, latents, condition, time=chosen.geometry_time, seed=seed))


@torch.no_grad()
def read_geometry(model: TrainedModel, frames: UInt8, *, time: float = GEOMETRY_TIME, seed: int = 0) -> Prediction:
    """Return a video with what a model's heads read from it.

    One pass at x_t = (1 − t) x₀ + t ε with a small t, the video's own first frame and no prompt: what is said of the
    geometry comes from the video, not from its description.

    Args:
        model: The model.
        frames: `(time, height, width, 3)` uint8, sRGB, of a size that the model takes.
        time: t, one of those that the heads were trained at.
        seed: Of ε.

    Raises:
        SpecError: The model has no heads, or does not take videos of this size.
    """
    if model.heads is None:
        raise SpecError("the model has no heads, so it reads no geometry: train them by pretrain, or take estimators")
    backbone = model.backbone
    backbone.shape.grid.latent_shape(*frames.shape[:3])
    video = _video(frames).to(next(backbone.parameters()))
    condition = backbone.encode_first_frame(video[:, :, 0], frame_count=len(frames))
    geometry = _read(model, backbone.encode(video), condition, time=time, seed=seed)
    return Prediction(frames=frames).with_geometry(geometry)


def _read(model: TrainedModel, latents: Tensor, condition: Tensor, *, time: float, seed: int) -> Geometry:
    assert model.heads is not None  # its callers ask
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(seed + 1)).to(latents)
    _, geometry = velocity_and_geometry(
        model.backbone,
        model.heads,
        noised(latents, noise, time),
        torch.full((len(latents),), time, device=latents.device),
        first_frame=condition,
        text=model.backbone.encode_text([""] * len(latents)),
    )
    return geometry


def _unprojected(depth: npt.NDArray[Any], intrinsics: npt.NDArray[Any]) -> npt.NDArray[Any]:  # Any: of two precisions
    return unproject(depth, intrinsics)


def _video(frames: UInt8) -> Tensor:
    """Return `(1, 3, time, height, width)` in −1 … 1."""
    return torch.from_numpy(frames.copy()).permute(3, 0, 1, 2).unsqueeze(0).float() / 127.5 - 1.0


def _array(values: Tensor) -> Float32:
    return np.array(values[0].float().cpu().numpy())


def _without_last(values: Float32) -> Float32:
    values[-1] = np.nan
    return values
