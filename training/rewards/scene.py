"""Clips as 4D scenes: what a model says of them, and what the simulator knows of the clips that they imitate."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Protocol, Self, final

import torch
from torch import Tensor

from training.data import Batch
from training.model import Geometry
from training.points4d import moving_mask, scene_flow_from_motion

__all__ = ["NEEDED_OUTPUTS", "Reward", "Scene4D", "Truth4D", "swap_clips", "truth_of"]

NEEDED_OUTPUTS = ("rgb", "depth", "motion", "scene_flow", "instance", "camera", "tracks", "contacts")
NEAREST, FARTHEST = 0.05, 200.0  # [m]: depths beyond count as these, so that no reward is infinite
LARGEST_MOTION = 1e4  # [px] and [m]: likewise


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Scene4D:
    """What is said of a batch of clips; all numbers are finite.

    Attributes:
        depth: z `(batch, frame, height, width)` [m].
        motion: (du, dv, dz) to the next frame `(batch, frame, 3, height, width)` [px, px, m]; that of the last frame
            means nothing.
    """

    depth: Tensor
    motion: Tensor

    @classmethod
    def of(cls, depth: Tensor, motion: Tensor) -> Self:
        """Return a scene; depths are kept within 0.05 … 200 m, and motion that is not a number is none."""
        z = torch.nan_to_num(depth.detach().float(), nan=FARTHEST, posinf=FARTHEST, neginf=NEAREST)
        shift = torch.nan_to_num(motion.detach().float(), nan=0.0, posinf=LARGEST_MOTION, neginf=-LARGEST_MOTION)
        return cls(depth=z.clamp(NEAREST, FARTHEST), motion=shift.clamp(-LARGEST_MOTION, LARGEST_MOTION))

    @classmethod
    def read(cls, geometry: Geometry) -> Self:
        """Return what heads say."""
        return cls.of(geometry.depth, torch.cat([geometry.flow, geometry.depth_change[:, :, None]], dim=2))

    def scene_flow(self, truth: "Truth4D") -> Tensor:
        """Return how far each pixel's point moves in the world, `(batch, frame − 1, 3, height, width)` [m].

        The motion of the camera is taken off: it is the true one, which the clip's first frame was seen with.
        """
        found = scene_flow_from_motion(self.depth, self.motion, truth.intrinsics, truth.camera_to_world)
        return torch.nan_to_num(found[:, :-1], nan=0.0, posinf=0.0, neginf=0.0)


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Truth4D:
    """What the simulator knows of a batch of clips.

    Attributes:
        depth: z `(batch, frame, height, width)` [m], inf where nothing is hit.
        motion: (du, dv, dz) `(batch, frame, 3, height, width)` [px, px, m], NaN where it is not known.
        scene_flow: Of the world `(batch, frame − 1, 3, height, width)` [m], NaN where it is not known.
        instance: Ids `(batch, frame, height, width)`.
        intrinsics: `(batch, frame, 3, 3)` [px].
        camera_to_world: `(batch, frame, 4, 4)`.
        fps: `(batch,)` [1/s].
        tracks_image: `(batch, point, frame, 2)` raster coordinates [px].
        tracks_visible: `(batch, point, frame)` bool; False of points that are padded.
        tracks_instance: `(batch, point)` ids.
        contacts_frame: `(batch, contact)`.
        contacts: `(batch, contact, 2)` ids of who touch; 0 where a batch is padded.
    """

    depth: Tensor
    motion: Tensor
    scene_flow: Tensor
    instance: Tensor
    intrinsics: Tensor
    camera_to_world: Tensor
    fps: Tensor
    tracks_image: Tensor
    tracks_visible: Tensor
    tracks_instance: Tensor
    contacts_frame: Tensor
    contacts: Tensor

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.depth)

    @property
    def moving(self) -> Tensor:
        """Which pixels see something that moves in the world, `(batch, frame − 1, height, width)` bool."""
        speeds = [moving_mask(flow, fps=float(fps)) for flow, fps in zip(self.scene_flow, self.fps, strict=True)]
        return torch.stack(speeds)

    @property
    def resting(self) -> Tensor:
        """Which pixels see something that is known not to move, `(batch, frame − 1, height, width)` bool."""
        return torch.isfinite(self.scene_flow).all(dim=2) & ~self.moving

    def as_scene(self) -> Scene4D:
        """Return it as if it had been predicted."""
        return Scene4D.of(self.depth, self.motion)

    def repeated(self, count: int) -> Self:
        """Return each clip `count` times, one after another."""
        return self._each(lambda values: values.repeat_interleave(count, dim=0))

    def taken(self, places: Tensor) -> Self:
        """Return some of the clips."""
        return self._each(lambda values: values[places.to(values.device)])

    def _each(self, change: Callable[[Tensor], Tensor]) -> Self:
        return type(self)(**{field.name: change(getattr(self, field.name)) for field in fields(self)})


class Reward(Protocol):
    """Says how good a predicted scene is; higher is better, 0 is perfect.

    Attributes:
        name: A short word.
    """

    @property
    def name(self) -> str:
        """Its name."""

    def __call__(self, predicted: Scene4D, truth: Truth4D) -> Tensor:
        """Return `(batch,)`, finite whatever is predicted."""


def truth_of(batch: Batch) -> Truth4D:
    """Return what a batch with `NEEDED_OUTPUTS` knows."""
    tensors = batch.tensors
    contacts = torch.stack([tensors["contacts_a"], tensors["contacts_b"]], dim=-1)
    return Truth4D(
        depth=tensors["depth"],
        motion=tensors["motion"],
        scene_flow=tensors["scene_flow"][:, :-1],
        instance=tensors["instance"].long(),
        intrinsics=tensors["intrinsics"],
        camera_to_world=tensors["camera_to_world"],
        fps=torch.tensor(batch.fps, device=tensors["depth"].device),
        tracks_image=tensors["tracks_image"],
        tracks_visible=tensors["tracks_visible"] & tensors["tracks_valid"][..., None],
        tracks_instance=tensors["tracks_instance"].long(),
        contacts_frame=tensors["contacts_frame"],
        contacts=torch.where(tensors["contacts_valid"][..., None], contacts, 0).long(),
    )


def swap_clips(scene: Scene4D) -> Scene4D:
    """Return what is said of each clip as if it had been said of the one before: predictions of the wrong clips."""
    return Scene4D(depth=scene.depth.roll(1, dims=0), motion=scene.motion.roll(1, dims=0))
