"""Sinusoidal embeddings of time and place."""

import math

import torch
from torch import Tensor, nn

from simfactory.errors import SpecError

__all__ = ["TimeEmbedding", "grid_positions", "sinusoids"]

# Flow times 0 … 1 become as spread out as the steps 0 … 1000 that these frequencies were made for.
TIME_SCALE = 1000.0


def sinusoids(positions: Tensor, width: int) -> Tensor:
    """Return sines and cosines of positions at `width / 2` frequencies from 1 to 1/10000.

    Args:
        positions: `(…,)`.
        width: Even.

    Returns:
        `(…, width)` float32.

    Raises:
        SpecError: The width is odd.

    **Source**: A. Vaswani et al., "Attention Is All You Need" (2017), §3.5.
    """
    if width % 2:
        raise SpecError(f"an embedding of width {width}; allowed are even widths")
    half = width // 2
    exponents = torch.arange(half, device=positions.device, dtype=torch.float32) / max(half - 1, 1)
    angles = positions.float().unsqueeze(-1) * torch.exp(-math.log(10_000.0) * exponents)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def grid_positions(shape: tuple[int, ...], width: int) -> Tensor:
    """Return embeddings of the places of a grid: each axis has an equal, even share of the channels, the rest is 0.

    Args:
        shape: The grid, e.g. `(time, height, width)`.
        width: Channels.

    Returns:
        `(*shape, width)` float32.
    """
    share = width // len(shape) // 2 * 2
    places = torch.zeros(*shape, width)
    for axis, size in enumerate(shape):
        along = sinusoids(torch.arange(size), share)
        view = [size if other == axis else 1 for other in range(len(shape))]
        places[..., axis * share : (axis + 1) * share] = along.reshape(*view, share)
    return places


class TimeEmbedding(nn.Module):
    """Embeds flow times: sinusoids through two layers.

    Args:
        width: Channels of the result.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(256, width)
        self.activation = nn.SiLU()
        self.second = nn.Linear(width, width)

    def forward(self, t: Tensor) -> Tensor:
        """Return `(batch, width)` of `(batch,)`."""
        waves = sinusoids(t * TIME_SCALE, 256).to(self.first.weight.dtype)
        embedded: Tensor = self.second(self.activation(self.first(waves)))
        return embedded
