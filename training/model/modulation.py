"""Layers that begin at zero, and the shifts, scales and gates that a condition makes with them."""

from torch import Tensor, nn

__all__ = ["Modulation", "ZeroLinear"]


class ZeroLinear(nn.Linear):
    """A linear layer whose weights are zero at first."""

    def reset_parameters(self) -> None:
        """Set weights and bias to zero."""
        nn.init.zeros_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class Modulation(nn.Module):
    """Makes shifts, scales and gates of a condition; all zero at first.

    **Source**: W. Peebles, S. Xie, "Scalable Diffusion Models with Transformers" (2023), §3.2 (adaLN-Zero).

    Args:
        width: Channels of the condition and of each part.
        part_count: Parts.
    """

    def __init__(self, width: int, part_count: int) -> None:
        super().__init__()
        self.part_count = part_count
        self.activation = nn.SiLU()
        self.project = ZeroLinear(width, part_count * width)

    def forward(self, condition: Tensor) -> tuple[Tensor, ...]:
        """Return the parts `(batch, 1, 1, 1, channel)` of a condition `(batch, channel)`."""
        parts: Tensor = self.project(self.activation(condition))
        return parts[:, None, None, None].chunk(self.part_count, dim=-1)
