"""A plane before a camera, moving: depth, flow and change of depth in closed form."""

from typing import NamedTuple

import pytest
import torch

from training.losses import warp_loss

FOCAL = 40.0  # [px]


class MovingPlane(NamedTuple):
    """What a camera sees of it at t and at t + 1."""

    depth: torch.Tensor
    depth_next: torch.Tensor
    flow: torch.Tensor
    depth_change: torch.Tensor

    def loss(self, **options):
        return warp_loss(self.depth, self.depth_next, self.flow, depth_change=self.depth_change, **options)


def moving_plane(normal, distance, shift, *, size=(24, 32), dtype=torch.float64):
    """The plane n · X = d in the camera's frame, moved by `shift` [m]: n · X = d + n · s a frame later."""
    height, width = size
    normal, shift = torch.tensor(normal, dtype=dtype), torch.tensor(shift, dtype=dtype)
    row, column = torch.meshgrid(
        torch.arange(height, dtype=dtype) + 0.5, torch.arange(width, dtype=dtype) + 0.5, indexing="ij"
    )
    rays = torch.stack([(column - width / 2) / FOCAL, (row - height / 2) / FOCAL, torch.ones_like(row)], dim=-1)
    facing = rays @ normal
    depth = distance / facing
    moved = rays * depth[..., None] + shift
    u = moved[..., 0] / moved[..., 2] * FOCAL + width / 2
    v = moved[..., 1] / moved[..., 2] * FOCAL + height / 2
    return MovingPlane(
        depth=depth,
        depth_next=(distance + normal @ shift) / facing,
        flow=torch.stack([u - column, v - row]),
        depth_change=torch.full_like(depth, float(shift[2])),
    )


@pytest.fixture(scope="session")
def plane():
    return moving_plane
