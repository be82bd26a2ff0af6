"""Which part of the picture is taken and at which size, and what that does to cameras, flow and masks."""

from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from simfactory.errors import SpecError
from simfactory.signals import OUTSIDE_AFTER, OUTSIDE_BEFORE

__all__ = ["Framing", "framed_intrinsics", "framed_mask"]

Size = tuple[int, int]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Framing:
    """A crop, then a resize.

    Attributes:
        crop: Height and width of the part that is taken [px]; None = the whole picture.
        place: `center`, or `random`: anywhere, drawn for every window, the same for all its frames.
        size: Height and width that the part is brought to [px]; None = its own. Only smaller ones: enlarging a
            picture invents truth.

    Raises:
        SpecError: A size is below 1, or larger than what it is made from.
    """

    crop: Size | None = None
    place: Literal["center", "random"] = "center"
    size: Size | None = None

    def __post_init__(self) -> None:
        for name in ("crop", "size"):
            if (given := getattr(self, name)) is not None and min(given) < 1:
                raise SpecError(f"{name}={given}; height and width are at least 1")
        if self.place not in ("center", "random"):
            raise SpecError(f"place={self.place!r}; choose center or random")
        if self.crop and self.size:
            self.output(*self.crop)

    def part(self, height: int, width: int) -> Size:
        """Return height and width of the part that is taken of a picture [px].

        Raises:
            SpecError: The crop is larger than the picture.
        """
        if self.crop is None:
            return height, width
        if self.crop[0] > height or self.crop[1] > width:
            raise SpecError(
                f"a crop of {self.crop} px does not fit into clips of {(height, width)}; choose a smaller one"
            )
        return self.crop

    def output(self, height: int, width: int) -> Size:
        """Return height and width of the tensors that a picture gives [px].

        Raises:
            SpecError: The crop is larger than the picture, or the size larger than the part.
        """
        part = self.part(height, width)
        if self.size is None:
            return part
        if self.size[0] > part[0] or self.size[1] > part[1]:
            raise SpecError(f"size={self.size} enlarges {part} px, which invents truth; choose a smaller size")
        return self.size

    def corner(self, height: int, width: int, *, down: float, across: float) -> Size:
        """Return first row and column of the part that is taken [px].

        Args:
            height: Of the picture [px].
            width: Of the picture [px].
            down: Uniform in [0, 1), where among the possible rows; used if the place is random.
            across: The same for columns.
        """
        free = [whole - part for whole, part in zip((height, width), self.part(height, width), strict=True)]
        if self.place == "center":
            return free[0] // 2, free[1] // 2
        top, left = (min(int(draw * (room + 1)), room) for draw, room in zip((down, across), free, strict=True))
        return top, left


def framed_intrinsics(intrinsics: Tensor, *, top: int, left: int, part: Size, output: Size) -> Tensor:
    """Return the pinhole matrices of a cropped and resized picture.

    With (u, v) → ((u − left) s_x, (v − top) s_y), s = output/part, K becomes S K. Raster coordinates, so that the
    centre of pixel (column, row) stays (column + 0.5, row + 0.5).

    Args:
        intrinsics: `(…, 3, 3)` [px] of the whole picture.
        top: First row of the part.
        left: First column of the part.
        part: Height and width of the part [px].
        output: Height and width after resizing [px].
    """
    across, down = output[1] / part[1], output[0] / part[0]
    frame = intrinsics.new_tensor([[across, 0.0, -left * across], [0.0, down, -top * down], [0.0, 0.0, 1.0]])
    return frame @ intrinsics


def framed_mask(mask: Tensor, *, forward: Tensor | None, backward: Tensor | None) -> Tensor:
    """Return mask bits of a cropped picture: a point that leaves the part is outside, too.

    Args:
        mask: `(…, height, width)` uint8 of the part (see `simfactory.signals`).
        forward: `(…, 2, height, width)` [px] flow of the part, t → t+1; None leaves its bit.
        backward: The same, t → t−1.
    """
    for flow, bit in ((forward, OUTSIDE_AFTER), (backward, OUTSIDE_BEFORE)):
        if flow is not None:
            height, width = flow.shape[-2:]
            column = torch.arange(width, device=flow.device) + 0.5 + flow[..., 0, :, :]
            row = torch.arange(height, device=flow.device)[:, None] + 0.5 + flow[..., 1, :, :]
            # False where the flow is NaN: what the store says of such pixels stays.
            outside = (column < 0) | (column >= width) | (row < 0) | (row >= height)
            mask = mask | outside.to(torch.uint8) * bit
    return mask
