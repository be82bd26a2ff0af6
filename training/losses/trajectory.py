"""The trajectory alignment loss: whether a feature finds the points it belongs to in every frame."""

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.losses.averaging import average
from training.precision import at_least_single

__all__ = ["predicted_tracks", "trajectory_alignment_loss"]


def trajectory_alignment_loss(
    features: Tensor, tracks: Tensor, visible: Tensor, *, selected: Tensor | None = None
) -> Tensor:
    """Return L_pix = Σ_M ‖p̂ − p‖² / |M| between predicted and exact tracks.

    M are the selected points that are seen in frame 0, where their feature is read, in the frames that see them.

    **Source**: PhysisForcing, pixel-level physics alignment; hidden frames are left out since the simulator knows them.

    Args:
        features: `(…, time, channel, height, width)` of one block, projected by a small network.
        tracks: p `(…, point, time, 2)` (u, v) in [0, 1] of the image, at the times of the features.
        visible: `(…, point, time)` bool, whether the camera sees the point.
        selected: `(…, point)` bool, e.g. `training.regions.physics_informative_mask`; None = all points.

    Returns:
        A scalar [squared share of the image] in at least float32; 0, with a graph behind it, if M is empty.

    Raises:
        SpecError: The shapes do not fit.
    """
    if tracks.shape[:-1] != visible.shape or tracks.shape[-2] != features.shape[-4]:
        raise SpecError(
            f"features of shape {tuple(features.shape)} came with tracks {tuple(tracks.shape)} and visibility "
            f"{tuple(visible.shape)}; allowed are (…, time, channel, height, width), (…, point, time, 2) and "
            "(…, point, time)"
        )
    if not tracks.shape[-3]:
        return at_least_single(features).sum() * 0.0
    counted = visible & visible[..., :1] & torch.isfinite(tracks).all(dim=-1)
    if selected is not None:
        counted = counted & selected.unsqueeze(-1)
    known = torch.where(counted.unsqueeze(-1), at_least_single(tracks), 0.5)
    difference = predicted_tracks(features, known[..., 0, :]) - known
    return average(difference.square().sum(dim=-1), weight=counted)


def predicted_tracks(features: Tensor, points: Tensor) -> Tensor:
    """Return p̂^t = Σ_x softmax_x(Q(p⁰)ᵀ K^t(x) / √C) x: where each frame's features resemble that of a point.

    Q is the feature of frame 0 at p⁰, bilinear between cells; x runs over the centres of the cells.

    **Source**: PhysisForcing, pixel-level physics alignment.

    Args:
        features: `(…, time, channel, height, width)`.
        points: p⁰ `(…, point, 2)` (u, v) in [0, 1] of the image.

    Returns:
        `(…, point, time, 2)` (u, v) in [0, 1], in at least float32.

    Raises:
        SpecError: The shapes do not fit.
    """
    if features.ndim < 4 or points.shape[-1] != 2 or points.shape[:-2] != features.shape[:-4]:
        raise SpecError(
            f"features of shape {tuple(features.shape)} came with points of shape {tuple(points.shape)}; allowed are "
            "(…, time, channel, height, width) and (…, point, 2) with the same batch"
        )
    with torch.autocast(features.device.type, enabled=False):  # it would halve the precision of the products
        return _expected_places(at_least_single(features), points)


def _expected_places(keys: Tensor, points: Tensor) -> Tensor:
    channel_count, height, width = keys.shape[-3:]
    query = _sampled(keys[..., 0, :, :, :], points.to(keys.dtype))
    scores = torch.einsum("...nc,...tcx->...ntx", query, keys.flatten(-2)) / channel_count**0.5
    row, column = torch.meshgrid(
        (torch.arange(height, device=keys.device, dtype=keys.dtype) + 0.5) / height,
        (torch.arange(width, device=keys.device, dtype=keys.dtype) + 0.5) / width,
        indexing="ij",
    )
    places = torch.stack([column, row], dim=-1).flatten(0, 1)
    return torch.matmul(scores.softmax(dim=-1), places)


def _sampled(values: Tensor, points: Tensor) -> Tensor:
    """Return `(…, point, channel)` values `(…, channel, height, width)` at points in [0, 1], constant at the edges."""
    batch = points.shape[:-2]
    grid = (2.0 * points - 1.0).reshape(-1, 1, *points.shape[-2:])
    images = values.reshape(-1, *values.shape[-3:])
    sampled = torch.nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return sampled[:, :, 0].transpose(1, 2).reshape(*batch, points.shape[-2], values.shape[-3])
