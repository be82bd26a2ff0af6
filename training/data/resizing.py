"""Smaller pictures: colour averaged over each pixel, truth sampled at each pixel's centre."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Resampling", "resized_color"]

_SAME_SURFACE = 1.05  # largest ratio of depths of neighbours that are mixed


def resized_color(color: Tensor, size: tuple[int, int]) -> Tensor:
    """Return pictures `(…, channel, height, width)` averaged over the pixels of a smaller size."""
    flat = functional.interpolate(color.flatten(0, -4), size=size, mode="area")
    return flat.view(*color.shape[:-2], *size)


class Resampling:
    """Samples truth at the pixel centres of a smaller picture.

    The centre of output pixel (i, j) lies at ((i + ½) s_x, (j + ½) s_y) of the source, in general between four pixel
    centres. Values there are bilinear, depth by its inverse, which is linear on planes, wherever the four show one
    surface: equal ids, depths within 5 % of each other. Elsewhere, and for ids and bits, the value is that of the
    source pixel that holds the point, at most half a source pixel away.

    Args:
        depth: `(…, height, width)` [m] of the source, inf where nothing is hit.
        instance: `(…, height, width)` ids of the source, or None.
        size: Height and width of the output [px].
    """

    def __init__(self, depth: Tensor, instance: Tensor | None, *, size: tuple[int, int]) -> None:
        self._rows = _places(depth.shape[-2], size[0], depth.device)
        self._columns = _places(depth.shape[-1], size[1], depth.device)
        corners = self._corners(depth)
        nearest, farthest = _least(corners), -_least([-corner for corner in corners])
        same = torch.isfinite(farthest) & (farthest <= nearest * _SAME_SURFACE)
        if instance is not None:
            ids = self._corners(instance)
            for other in ids[1:]:
                same = same & (other == ids[0])
        self._same = same

    def depth(self, depth: Tensor) -> Tensor:
        """Return depths `(…, row, column)` [m]."""
        mixed = self._mixed([1.0 / corner for corner in self._corners(depth)])
        return torch.where(self._same, 1.0 / mixed, self.nearest(depth))

    def field(self, values: Tensor) -> Tensor:
        """Return displacements or other fields `(…, channel, row, column)`, in their own unit."""
        mixed = self._mixed(self._corners(values))
        return torch.where(self._same.unsqueeze(-3) & torch.isfinite(mixed), mixed, self.nearest(values))

    def nearest(self, values: Tensor) -> Tensor:
        """Return the values `(…, row, column)` of the source pixels that hold the centres."""
        return values.index_select(-2, self._rows[2]).index_select(-1, self._columns[2])

    def _corners(self, values: Tensor) -> list[Tensor]:
        return [
            values.index_select(-2, row).index_select(-1, column)
            for row in self._rows[:2]
            for column in self._columns[:2]
        ]

    def _mixed(self, corners: Sequence[Tensor]) -> Tensor:
        down, across = self._rows[3][:, None], self._columns[3]
        shares = [(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across]
        # A share of 0 must not let a NaN or inf in.
        parts = [torch.where(share > 0, share * corner, 0.0) for share, corner in zip(shares, corners, strict=True)]
        return torch.stack(parts).sum(dim=0)


def _places(source: int, output: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return for each output pixel: the source pixels before and after its centre, the one that holds it, the share."""
    center = (torch.arange(output, dtype=torch.float64, device=device) + 0.5) * (source / output)
    before = (center - 0.5).floor().clamp(min=0)
    share = (center - 0.5 - before).float()
    after = torch.where(share > 0, before + 1, before).clamp(max=source - 1)
    return before.long(), after.long(), center.floor().clamp(max=source - 1).long(), share


def _least(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).amin(dim=0)
