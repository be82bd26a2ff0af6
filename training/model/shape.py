"""The sizes that a video model works with: frames and pixels, latents, tokens, features."""

import math
from dataclasses import dataclass

from simfactory.errors import SpecError

__all__ = ["BackboneShape", "TokenGrid"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenGrid:
    """How frames and pixels become latents, and latents become tokens.

    Latent 0 is frame 0 alone and latent k holds frames `(k − 1) s + 1 … k s`, s the temporal stride, as in the causal
    autoencoders of video models; in pixel space s = 1. A token is a patch of latents. What patches reach beyond the
    latents is filled up: in space after the last row and column, in time after the last latent or before the first.

    Attributes:
        patch: Latents in a token: time, height, width.
        temporal_stride: Frames in a latent, s.
        spatial_stride: Pixels in a latent, in each direction.
        latent_step: Clips have 1 + a multiple of so many latents.
        fills_front: Time is filled before the first latent.
    """

    patch: tuple[int, int, int]
    temporal_stride: int = 1
    spatial_stride: int = 1
    latent_step: int = 1
    fills_front: bool = False

    def latent_shape(self, frame_count: int, height: int, width: int) -> tuple[int, int, int]:
        """Return the latents `(time, height, width)` of a clip.

        Args:
            frame_count: Frames.
            height: Rows [px].
            width: Columns [px].

        Raises:
            SpecError: The clip cannot be cut into latents.
        """
        step, pixels = self.temporal_stride * self.latent_step, self.spatial_stride
        if frame_count < 1 or (frame_count - 1) % step:
            below = max(frame_count - 1, 0) // step * step + 1
            raise SpecError(
                f"a clip of {frame_count} frames; this model takes 1 + a multiple of {step}, e.g. {below} or "
                f"{below + step}"
            )
        if height % pixels or width % pixels or min(height, width) < 1:
            raise SpecError(f"frames of {height}×{width} px; this model takes multiples of {pixels} px")
        return (frame_count - 1) // self.temporal_stride + 1, height // pixels, width // pixels

    def frame_count(self, latent_count: int) -> int:
        """Return the frames that so many latents hold."""
        return (latent_count - 1) * self.temporal_stride + 1

    def token_shape(self, latent_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return the tokens `(time, height, width)` of latents `(time, height, width)`."""
        time, height, width = (-(-size // patch) for size, patch in zip(latent_shape, self.patch, strict=True))
        return time, height, width

    @property
    def frames_per_token(self) -> int:
        """Frames that a token stands for."""
        return self.patch[0] * self.temporal_stride

    def lead_frame_count(self, latent_count: int) -> int:
        """Return how many of the frames of token 0 do not exist: `temporal_stride − 1`, and those of filled latents."""
        filled = -latent_count % self.patch[0] if self.fills_front else 0
        return self.temporal_stride - 1 + filled * self.temporal_stride

    @property
    def pixels_per_token(self) -> tuple[int, int]:
        """Rows and columns [px] that a token stands for."""
        return self.patch[1] * self.spatial_stride, self.patch[2] * self.spatial_stride


@dataclass(frozen=True, kw_only=True, slots=True)
class BackboneShape:
    """The sizes of a backbone.

    Attributes:
        grid: From clips to tokens.
        latent_channels: Channels of a latent.
        inner_width: Channels of a token inside the network, D.
        block_count: Transformer blocks.
        text_width: Channels of a text embedding.
        attention_count: Attentions in a block.
        expansion: Width of a block's feed-forward layer in D.

    Raises:
        SpecError: D is too small for a patch.
    """

    grid: TokenGrid
    latent_channels: int
    inner_width: int
    block_count: int
    text_width: int
    attention_count: int
    expansion: float

    def __post_init__(self) -> None:
        # A velocity holds white noise, whose patches fill all their dimensions: what has fewer cannot carry it through.
        # D = 128 for patches of 192 values gave pure noise after 3,683 steps [measured].
        patch_values = self.latent_channels * math.prod(self.grid.patch)
        if self.inner_width < 2 * patch_values:
            raise SpecError(
                f"an inner width of {self.inner_width} with patches of {self.grid.patch} latents of "
                f"{self.latent_channels} channels, {patch_values} values: noise does not pass through fewer than twice "
                f"as many; make the width at least {2 * patch_values}, or the patch smaller"
            )
