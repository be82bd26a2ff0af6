"""Heads that read motion and depth from the features of a video model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from simfactory.errors import SpecError
from training.model.backbone import Backbone
from training.model.depth_head import DepthHead
from training.model.embedding import TimeEmbedding
from training.model.modulation import Modulation, ZeroLinear
from training.model.shape import BackboneShape, TokenGrid

__all__ = ["Geometry", "GeometryHeads", "HeadsConfig", "MotionHead", "evenly_spaced_blocks", "velocity_and_geometry"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Geometry:
    """What the heads say of a clip, at the rate of frames and pixels.

    Attributes:
        depth: z `(batch, frame, height, width)` [m], positive.
        flow: (du, dv) to the next frame `(batch, frame, 2, height, width)` [px]; what it says of the last frame means
            nothing.
        depth_change: dz of the surface point to the next frame, `(batch, frame, height, width)` [m].
        visibility: Logit that the surface point is seen in the next frame, `(batch, frame, height, width)`.
    """

    depth: Tensor
    flow: Tensor
    depth_change: Tensor
    visibility: Tensor


class MotionHead(nn.Module):
    """A layer norm, a linear layer modulated by the time of the noise, and patches of four channels.

    A token yields (du, dv, dz, visibility) for each of its frames and pixels; of the frames of token 0, those that do
    not exist are dropped.

    **Source**: Phys4D, §4.1 and App. B.1, which name the layers and the four channels; what the last two are is ours.

    Args:
        width: Channels of the features.
        grid: From frames and pixels to tokens.
        reduction: Side of the squares of pixels [px] that share a value; 1 = every pixel has its own. The rest is
            interpolated.
    """

    def __init__(self, width: int, grid: TokenGrid, *, reduction: int = 1) -> None:
        super().__init__()
        rows, columns = grid.pixels_per_token
        if reduction < 1 or rows % reduction or columns % reduction:
            raise SpecError(f"a reduction of {reduction} px with tokens of {rows}×{columns} px; it must divide them")
        self.grid = grid
        self.patch = (grid.frames_per_token, rows // reduction, columns // reduction)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.embed_time = TimeEmbedding(width)
        self.modulate = Modulation(width, 2)
        # At first nothing moves, whatever the features are.
        self.project = ZeroLinear(width, 4 * self.patch[0] * self.patch[1] * self.patch[2])

    def forward(self, features: Tensor, t: Tensor, *, frame_count: int, size: tuple[int, int]) -> Tensor:
        """Return `(batch, frame, 4, height, width)`.

        Args:
            features: Of the last block, `(batch, time, channel, height, width)`.
            t: `(batch,)` time of the noise, 0 … 1.
            frame_count: Frames of the clip.
            size: Its rows and columns [px].
        """
        tokens = features.permute(0, 1, 3, 4, 2)
        batch, *grid, _ = tokens.shape
        shift, scale = self.modulate(self.embed_time(t))
        values = self.project(self.norm(tokens) * (1 + scale) + shift)
        values = values.reshape(batch, *grid, 4, *self.patch).permute(0, 1, 5, 4, 2, 6, 3, 7)
        frames = values.reshape(batch, grid[0] * self.patch[0], 4, grid[1] * self.patch[1], grid[2] * self.patch[2])
        return fit_frames(frames, self.grid, token_shape=(grid[1], grid[2]), frame_count=frame_count, size=size)


def fit_frames(
    frames: Tensor, grid: TokenGrid, *, token_shape: tuple[int, int], frame_count: int, size: tuple[int, int]
) -> Tensor:
    """Return the frames and pixels of a clip from those of its tokens.

    The frames of token 0 that do not exist are dropped, the rest is scaled to pixels, and what tokens hold beyond the
    clip's end and edges is cut off.

    Args:
        frames: `(batch, token frame, channel, row, column)`.
        grid: From frames and pixels to tokens.
        token_shape: Rows and columns of tokens.
        frame_count: Frames of the clip.
        size: Its rows and columns [px].
    """
    latent_count = (frame_count - 1) // grid.temporal_stride + 1
    frames = frames[:, grid.lead_frame_count(latent_count) :][:, :frame_count]
    full = tuple(count * pixels for count, pixels in zip(token_shape, grid.pixels_per_token, strict=True))
    if tuple(frames.shape[-2:]) != full:
        flat = functional.interpolate(frames.flatten(0, 1), size=full, mode="bilinear", align_corners=False)
        frames = flat.reshape(*frames.shape[:3], *full)
    return frames[..., : size[0], : size[1]]


def evenly_spaced_blocks(block_count: int, *, count: int = 4) -> tuple[int, ...]:
    """Return so many blocks, the last one among them: of 12 and 4, blocks 2, 5, 8 and 11.

    Where there are fewer blocks, some come more than once.
    """
    return tuple(max(-(-block_count * (index + 1) // count) - 1, 0) for index in range(count))


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class HeadsConfig:
    """What heads are like.

    Attributes:
        reduction: See `MotionHead`.
        depth_width: Channels of the depth head's pyramid.
        initial_depth: What the depth head says at first [m].
        seed: Of the first weights.
    """

    reduction: int = 1
    depth_width: int = 64
    initial_depth: float = 3.0
    seed: int = 0


class GeometryHeads(nn.Module):
    """Both heads on one backbone.

    Args:
        shape: The backbone's sizes.
        config: What they are like.
    """

    def __init__(self, shape: BackboneShape, config: HeadsConfig | None = None) -> None:
        super().__init__()
        self.config = config or HeadsConfig()
        self.depth_blocks = evenly_spaced_blocks(shape.block_count)
        self.motion_block = shape.block_count - 1
        with torch.random.fork_rng():
            torch.manual_seed(self.config.seed)
            self.motion = MotionHead(shape.inner_width, shape.grid, reduction=self.config.reduction)
            self.depth = DepthHead(
                shape.inner_width,
                frames_per_token=shape.grid.frames_per_token,
                width=self.config.depth_width,
                initial_depth=self.config.initial_depth,
            )
        self.grid = shape.grid

    @property
    def block_indices(self) -> Sequence[int]:
        """The blocks whose features are read: give them to `Backbone.capture`."""
        return sorted({*self.depth_blocks, self.motion_block})

    def forward(self, features: dict[int, Tensor], t: Tensor, *, frame_count: int, size: tuple[int, int]) -> Geometry:
        """Return depth and motion.

        Args:
            features: What `Backbone.capture` collected.
            t: `(batch,)` time of the noise, 0 … 1.
            frame_count: Frames of the clip.
            size: Its rows and columns [px].
        """
        last = features[self.motion_block]
        motion = self.motion(last, t, frame_count=frame_count, size=size)
        depth = self.depth([features[index] for index in self.depth_blocks])
        depth = fit_frames(
            depth, self.grid, token_shape=(last.shape[-2], last.shape[-1]), frame_count=frame_count, size=size
        )
        return Geometry(
            depth=depth[:, :, 0], flow=motion[:, :, :2], depth_change=motion[:, :, 2], visibility=motion[:, :, 3]
        )


def velocity_and_geometry(
    backbone: Backbone,
    heads: GeometryHeads,
    x_t: Tensor,
    t: Tensor,
    *,
    first_frame: Tensor | None,
    text: Tensor,
) -> tuple[Tensor, Geometry]:
    """Return the velocity and what the heads say, from one pass of the model.

    The heads compute in single precision whatever the model does, for half of it has no millimetres at 3 m.

    Args:
        backbone: The model; gradients reach it where its parameters ask for them.
        heads: On its features.
        x_t: Noisy latents `(batch, channel, time, height, width)`.
        t: `(batch,)` in 0 … 1.
        first_frame: What `Backbone.encode_first_frame` returned, or None.
        text: Embeddings of the prompts.
    """
    grid = backbone.shape.grid
    size = (x_t.shape[-2] * grid.spatial_stride, x_t.shape[-1] * grid.spatial_stride)
    with backbone.capture(heads.block_indices) as features:
        velocity: Tensor = backbone(x_t, t, first_frame=first_frame, text=text)
    with torch.autocast(x_t.device.type, enabled=False):
        single = {index: values.float() for index, values in features.items()}
        geometry: Geometry = heads(single, t, frame_count=grid.frame_count(x_t.shape[2]), size=size)
    return velocity, geometry
