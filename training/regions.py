"""Physics-informative regions: which tracked points and tokens an alignment loss looks at."""

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.precision import at_least_single

__all__ = ["physics_informative_mask", "token_mask", "tracks_in_view"]


def physics_informative_mask(
    position: Tensor, visible: Tensor, depth: Tensor, *, epsilon: float = 1e-3, noise: float = 1e-4
) -> Tensor:
    """Return M = [q > mean q], q_i = a_i r_i: the points that move much, and near the camera.

    a_i = Σ_t ‖p^{t+1} − p^t‖ over the steps at both ends of which the point is seen, r_i = 1/(D⁰(p⁰_i) + ε). Given the
    simulator's world positions, a is the length of the scene flow, and a moving camera lights up nothing that stands
    still; given image coordinates, such as a point tracker's, it is the paper's form, which such a camera does light
    up. The mean runs over the points that frame 0 sees, the only ones that have a D⁰(p⁰) and can be in M.

    **Source**: PhysisForcing, physics-informative region extraction; scene flow and visibility are ours.

    Args:
        position: p `(…, point, time, axis)`: world [m] with three axes, or the image's with two.
        visible: `(…, point, time)` bool, whether the camera sees the point.
        depth: D⁰(p⁰) `(…, point)` [m], as `tracks_in_view` gives it.
        epsilon: ε [m].
        noise: Shorter steps are none [the unit of `position`]; the store keeps float32 positions, whose last digits are
            no motion.

    Returns:
        `(…, point)` bool; empty where nothing moves.

    Raises:
        SpecError: The shapes do not fit.
    """
    if position.shape[:-1] != visible.shape or depth.shape != visible.shape[:-1]:
        raise SpecError(
            f"positions {tuple(position.shape)} came with visibility {tuple(visible.shape)} and depth "
            f"{tuple(depth.shape)}; allowed are (…, point, time, axis), (…, point, time) and (…, point)"
        )
    steps = torch.linalg.vector_norm(at_least_single(position).diff(dim=-2), dim=-1)
    counted = visible[..., 1:] & visible[..., :-1] & (steps > noise)
    motion = torch.where(counted, steps, 0.0).sum(dim=-1)
    seen = visible[..., 0] & torch.isfinite(depth) & (depth > 0.0)
    score = torch.where(seen, motion / (torch.where(seen, at_least_single(depth), 1.0) + epsilon), 0.0)
    mean = score.sum(dim=-1, keepdim=True) / seen.sum(dim=-1, keepdim=True).clamp(min=1)
    return seen & (score > mean)


def tracks_in_view(
    position: Tensor, intrinsics: Tensor, camera_to_world: Tensor, *, height: int, width: int
) -> tuple[Tensor, Tensor]:
    """Return where in the image, and how deep, world points are.

    Args:
        position: `(…, point, time, 3)` [m], world frame; the store's `tracks/position` is `(xyz, point, time)`.
        intrinsics: `(3, 3)` or `(…, time, 3, 3)` [px].
        camera_to_world: `(4, 4)` or `(…, time, 4, 4)`.
        height: Of the image [px].
        width: Of the image [px].

    Returns:
        (u, v) `(…, point, time, 2)` as shares of the image, in [0, 1] inside it, NaN behind the camera; and z
        `(…, point, time)` [m] in the camera's frame. Both in the dtype of `position`, at least float32.

    Raises:
        SpecError: The shapes do not fit.
    """
    if position.ndim < 3 or position.shape[-1] != 3 or intrinsics.shape[-1] != 3 or camera_to_world.shape[-1] != 4:
        raise SpecError(
            f"positions {tuple(position.shape)} came with intrinsics {tuple(intrinsics.shape)} and poses "
            f"{tuple(camera_to_world.shape)}; allowed are (…, point, time, 3), (3, 3) or (…, time, 3, 3), and (4, 4) "
            "or (…, time, 4, 4)"
        )
    world = at_least_single(position)
    pose = _per_track(camera_to_world).to(world)
    k = _per_track(intrinsics).to(world)
    camera = ((world - pose[..., :3, 3]).unsqueeze(-2) @ pose[..., :3, :3]).squeeze(-2)
    z = camera[..., 2]
    in_front = torch.where(z > 0.0, z, torch.nan)
    u = (camera[..., 0] / in_front * k[..., 0, 0] + k[..., 0, 2]) / width
    v = (camera[..., 1] / in_front * k[..., 1, 1] + k[..., 1, 2]) / height
    return torch.stack([u, v], dim=-1), z


def token_mask(points: Tensor, selected: Tensor, *, height: int, width: int) -> Tensor:
    """Return which cells of a grid over the image hold a selected point.

    Args:
        points: `(…, point, 2)` (u, v), shares of the image; those outside [0, 1] or not finite lie in no cell.
        selected: `(…, point)` bool.
        height: Rows of the grid.
        width: Columns of the grid.

    Returns:
        `(…, height, width)` bool.

    Raises:
        SpecError: The shapes do not fit.
    """
    if points.shape != (*selected.shape, 2):
        raise SpecError(
            f"points {tuple(points.shape)} came with a selection {tuple(selected.shape)}; allowed are (…, point, 2) "
            "and (…, point)"
        )
    inside = ((points >= 0.0) & (points <= 1.0)).all(dim=-1) & selected
    safe = torch.where(inside.unsqueeze(-1), points, 0.0)
    column = (safe[..., 0] * width).long().clamp(max=width - 1)
    row = (safe[..., 1] * height).long().clamp(max=height - 1)
    batch = selected.shape[:-1]
    counts = torch.zeros(*batch, height * width, dtype=torch.long, device=points.device)
    return (counts.scatter_add(-1, row * width + column, inside.long()) > 0).reshape(*batch, height, width)


def _per_track(matrix: Tensor) -> Tensor:
    """Return matrices of frames `(…, time, ·, ·)` with an axis for points; a single one as it is."""
    return matrix if matrix.ndim == 2 else matrix.unsqueeze(-4)
