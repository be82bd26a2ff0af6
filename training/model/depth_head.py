"""The depth head: a dense prediction transformer (DPT) over four blocks, with attention along time."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.model.embedding import sinusoids

__all__ = ["DepthHead", "TemporalAttention"]

# No depth is less [m]: softplus becomes zero in float32, and depths are divided by.
NEAREST = 1e-3


class DepthHead(nn.Module):
    """Depth from the features of four blocks.

    Reassemble makes a pyramid of them: the first block at 4 times the grid of tokens, then 2, 1 and ½; fusion adds each
    level to the one below it at twice the size. Four layers of attention along time sit at the low resolutions: on the
    two lowest levels, and after the fusions that read them.

    **Source**: R. Ranftl et al., "Vision Transformers for Dense Prediction" (2021), §3, for Reassemble and Fusion;
    S. Chen et al., "Video Depth Anything" (2025), §3.1, for the places of temporal attention; Phys4D, App. B.1.

    Args:
        feature_width: Channels of the features.
        frames_per_token: Depths that a token yields along time.
        width: Channels of the pyramid; a multiple of 8.
        initial_depth: What it says at first [m].
    """

    def __init__(
        self, feature_width: int, *, frames_per_token: int, width: int = 64, initial_depth: float = 3.0
    ) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(feature_width) for _ in range(4))
        self.projections = nn.ModuleList(nn.Conv2d(feature_width, width, 1) for _ in range(4))
        self.resizes = nn.ModuleList(
            [
                nn.ConvTranspose2d(width, width, 4, stride=4),
                nn.ConvTranspose2d(width, width, 2, stride=2),
                nn.Identity(),
                nn.Conv2d(width, width, 3, stride=2, padding=1),
            ]
        )
        self.fusions = nn.ModuleList(Fusion(width) for _ in range(4))
        self.temporal = nn.ModuleList(TemporalAttention(width) for _ in range(4))
        last = nn.Conv2d(width // 2, frames_per_token, 1)
        nn.init.zeros_(last.weight)
        # softplus(b) + d₀ = d.
        nn.init.constant_(last.bias, math.log(math.expm1(initial_depth - NEAREST)))  # type: ignore[arg-type]  # it has a bias
        self.out = nn.Sequential(nn.Conv2d(width, width // 2, 3, padding=1), nn.ReLU(), last)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Return `(batch, frame, 1, 4 height, 4 width)` [m], `frames_per_token` frames for each time of the features.

        Args:
            features: Of four blocks, from the first to the last, each `(batch, time, channel, height, width)`.
        """
        batch, time = features[0].shape[:2]
        levels = [
            resize(projection(norm(feature.flatten(0, 1).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)))
            for feature, norm, projection, resize in zip(
                features, self.norms, self.projections, self.resizes, strict=True
            )
        ]
        levels[2] = self.temporal[0](levels[2], time)
        levels[3] = self.temporal[1](levels[3], time)
        path = self.temporal[2](self.fusions[3](levels[3], None, levels[2].shape[-2:]), time)
        path = self.temporal[3](self.fusions[2](path, levels[2], levels[1].shape[-2:]), time)
        path = self.fusions[1](path, levels[1], levels[0].shape[-2:])
        path = self.fusions[0](path, levels[0], levels[0].shape[-2:])
        depth = NEAREST + functional.softplus(self.out(path))
        return depth.reshape(batch, -1, 1, *depth.shape[-2:])


class Fusion(nn.Module):
    """Adds a level of the pyramid to what comes from below, and changes the size.

    Args:
        width: Channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.skip = ResidualConvolution(width)
        self.joined = ResidualConvolution(width)
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, path: Tensor, level: Tensor | None, size: Sequence[int]) -> Tensor:
        """Return `(n, channel, *size)`.

        Args:
            path: From below, `(n, channel, height, width)`.
            level: To be added, of the same shape; None = nothing, as on the lowest level.
            size: Rows and columns of the result.
        """
        if level is not None:
            path = path + self.skip(level)
        resized = functional.interpolate(self.joined(path), size=tuple(size), mode="bilinear", align_corners=False)
        fused: Tensor = self.out(resized)
        return fused


class ResidualConvolution(nn.Module):
    """Two convolutions beside a short cut.

    Args:
        width: Channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return `(n, channel, height, width)`."""
        changed: Tensor = image + self.layers(image)
        return changed


class TemporalAttention(nn.Module):
    """Self-attention of each place along time, with absolute positions; it changes nothing at first.

    Args:
        width: Channels; a multiple of 8.
        head_count: Heads.
    """

    def __init__(self, width: int, head_count: int = 4) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, head_count, batch_first=True)
        nn.init.zeros_(self.attention.out_proj.weight)

    def forward(self, images: Tensor, time: int) -> Tensor:
        """Return images of the same shape.

        Args:
            images: `(batch · time, channel, height, width)`.
            time: Images of a clip.
        """
        _, channels, height, width = images.shape
        places = images.reshape(-1, time, channels, height, width).permute(0, 3, 4, 1, 2).reshape(-1, time, channels)
        positions = sinusoids(torch.arange(time, device=images.device), channels).to(images.dtype)
        normed = self.norm(places) + positions
        mixed, _ = self.attention(normed, normed, normed, need_weights=False)
        changed: Tensor = places + mixed
        return changed.reshape(-1, height, width, time, channels).permute(0, 3, 4, 1, 2).reshape(images.shape)
