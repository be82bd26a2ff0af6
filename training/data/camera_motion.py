"""How depth changes from one frame to the next along the optical axis, cameras that move included."""

import torch
from torch import Tensor

__all__ = ["camera_rays", "depth_change"]


def camera_rays(intrinsics: Tensor, *, height: int, width: int) -> Tensor:
    """Return K⁻¹ (u, v, 1)ᵀ at the pixel centres: points at depth 1, camera frame.

    Args:
        intrinsics: `(…, 3, 3)` [px].
        height: Of the picture [px].
        width: Of the picture [px].

    Returns:
        `(…, 3, height, width)` [1] in the type of the intrinsics.
    """
    column = torch.arange(width, dtype=intrinsics.dtype, device=intrinsics.device) + 0.5
    row = torch.arange(height, dtype=intrinsics.dtype, device=intrinsics.device)[:, None] + 0.5

    def entry(i: int, j: int) -> Tensor:
        return intrinsics[..., i, j, None, None]

    # K is upper triangular: solved from below, which lets a camera that is not known (NaN) pass.
    y = ((row - entry(1, 2)) / entry(1, 1)).expand(*intrinsics.shape[:-2], height, width)
    x = (column - entry(0, 2) - entry(0, 1) * y) / entry(0, 0)
    return torch.stack([x, y, torch.ones_like(x)], dim=-3)


def depth_change(
    depth: Tensor, scene_flow: Tensor, *, intrinsics: Tensor, camera_to_world: Tensor, camera_to_world_next: Tensor
) -> Tensor:
    """Return dz = Z_{t+1}(X + s) − Z_t(X): the depth of each surface point in the next camera less that in this one.

    With X = depth · K⁻¹(u, v, 1)ᵀ, M = (camera_to_world_{t+1})⁻¹ camera_to_world_t and R_{t+1} the next camera's
    rotation, dz = [(M₃₃ − I) X + m + R_{t+1}ᵀ s]_z. A camera that stands still has M = I, and depth does not
    matter: its rounding cannot get into dz.

    Args:
        depth: `(…, height, width)` [m] float32, inf where nothing is hit.
        scene_flow: s `(…, 3, height, width)` [m], displacement t → t+1 in the world, NaN where undefined, sky included.
        intrinsics: `(…, 3, 3)` [px] of frame t.
        camera_to_world: `(…, 4, 4)` [m] of frame t.
        camera_to_world_next: `(…, 4, 4)` [m] of frame t+1; NaN where there is none.

    Returns:
        `(…, height, width)` [m] float32, NaN where undefined.

    **Source**: the project's conventions; Phys4D names no formula.
    """
    # Poses in float64: the difference of two nearly equal ones is what is wanted.
    now, then = camera_to_world.double(), camera_to_world_next.double()
    turn = then[..., :3, :3].mT
    relative = turn @ now[..., :3, :3]
    shift = (turn @ (now[..., :3, 3] - then[..., :3, 3]).unsqueeze(-1)).squeeze(-1)
    row = (relative[..., 2, :] - relative.new_tensor([0.0, 0.0, 1.0])).float()
    rays = camera_rays(intrinsics.float(), height=depth.shape[-2], width=depth.shape[-1])
    by_camera = torch.einsum("...i,...ihw->...hw", row, rays) * depth + shift[..., 2, None, None].float()
    return by_camera + torch.einsum("...i,...ihw->...hw", turn[..., 2, :].float(), scene_flow)
