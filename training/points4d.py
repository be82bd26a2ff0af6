"""4D points: depth and motion as points in space and time, and back, in the conventions of the store.

Every function takes torch tensors or numpy arrays, and returns what it got. Depth is z along the optical axis [m], inf
where nothing is hit; pixel (column u, row v) has its centre at (u + 0.5, v + 0.5); cameras have OpenCV's axes.
"""

from typing import Any, TypeAlias, TypeVar, overload

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.precision import at_least_single

__all__ = [
    "MOVING_SPEED",
    "depth_change",
    "motion_from_scene_flow",
    "moving_mask",
    "moving_points",
    "scene_flow_from_motion",
    "unproject",
]

MOVING_SPEED = 0.01  # [m/s], in the world: faster pixels are moving (as the store's `points`)

Array: TypeAlias = npt.NDArray[Any]  # Any: results have the dtype of what they are computed from
Values = TypeVar("Values", Tensor, Array)


def unproject(depth: Values, intrinsics: Values) -> Values:
    """Return the points X = D(u, v) K⁻¹ (u, v, 1)ᵀ that pixel centres see, in the camera's frame.

    **Source**: Phys4D, eq. (13), at pixel centres: at integer indices every point is off by z/(2 f).

    Args:
        depth: D `(…, height, width)` [m].
        intrinsics: K `(3, 3)` or `(…, 3, 3)` [px], without skew; broadcasts against the depth's batch.

    Returns:
        `(…, height, width, 3)` [m] in the dtype of `depth`. Where the depth is not finite all three are that number.

    Raises:
        SpecError: The shapes do not fit.
    """
    given = _tensor(depth)
    points = _unprojected(at_least_single(given), _tensor(intrinsics))
    return _like(points.to(given.dtype), depth)


def scene_flow_from_motion(depth: Values, motion: Values, intrinsics: Values, camera_to_world: Values) -> Values:
    """Return how far each pixel's point moves in the world until the next frame, from its motion in the image.

    The point at t+1 is on the ray through x + (du, dv), at depth D + dz, of camera t+1.

    Args:
        depth: `(…, time, height, width)` [m].
        motion: (du, dv, dz) `(…, time, 3, height, width)` [px, px, m], t → t+1; dz as in `depth_change`.
        intrinsics: `(3, 3)` or `(…, time, 3, 3)` [px].
        camera_to_world: `(4, 4)` of a fixed camera or `(…, time, 4, 4)`.

    Returns:
        `(…, time, 3, height, width)` [m], world frame, in the dtype of `depth`; NaN at the last frame, where nothing is
        hit, and where the motion is not known.

    Raises:
        SpecError: The shapes do not fit.
    """
    given, shift = _tensor(depth), at_least_single(_tensor(motion))
    _check_field(given, shift)
    k, poses = _cameras(given, _tensor(intrinsics), _tensor(camera_to_world))
    start = _to_world(_unprojected(at_least_single(given), k), poses)[..., :-1, :, :, :]
    column, row, z = (values[..., :-1, :, :] for values in _at_targets(given, shift))
    end = _to_world(_unprojected_at((column, row, z), k[..., 1:, :, :]), poses[..., 1:, :, :])
    return _like(_with_last(_defined(end - start, given).movedim(-1, -3)).to(given.dtype), depth)


def motion_from_scene_flow(depth: Values, scene_flow: Values, intrinsics: Values, camera_to_world: Values) -> Values:
    """Return how each pixel's point moves in the image until the next frame: what the motion head is to predict.

    Args:
        depth: `(…, time, height, width)` [m].
        scene_flow: `(…, time, 3, height, width)` [m], world frame, t → t+1, as in the store.
        intrinsics: `(3, 3)` or `(…, time, 3, 3)` [px].
        camera_to_world: `(4, 4)` of a fixed camera or `(…, time, 4, 4)`.

    Returns:
        (du, dv, dz) `(…, time, 3, height, width)` [px, px, m] in the dtype of `depth`: (du, dv) is `flow_forward`, dz
        the point's z in camera t+1 at t+1 less its z in camera t at t. NaN at the last frame, where nothing is hit,
        and where the point is behind camera t+1.

    Raises:
        SpecError: The shapes do not fit.
    """
    given, shift = _tensor(depth), at_least_single(_tensor(scene_flow))
    _check_field(given, shift)
    k, poses = _cameras(given, _tensor(intrinsics), _tensor(camera_to_world))
    world = _to_world(_unprojected(at_least_single(given), k), poses) + shift.movedim(-3, -1)
    seen = _to_camera(world[..., :-1, :, :, :], poses[..., 1:, :, :])
    z = seen[..., 2]
    in_front = torch.where(z > 0.0, z, torch.nan)
    k_next = k[..., 1:, None, None, :, :]
    u = seen[..., 0] / in_front * k_next[..., 0, 0] + k_next[..., 0, 2]
    v = seen[..., 1] / in_front * k_next[..., 1, 1] + k_next[..., 1, 2]
    column, row = _centers(given)
    field = torch.stack([u - column, v - row, in_front - at_least_single(given)[..., :-1, :, :]], dim=-1)
    return _like(_with_last(_defined(field, given).movedim(-1, -3)).to(given.dtype), depth)


def depth_change(depth: Values, scene_flow: Values, intrinsics: Values, camera_to_world: Values) -> Values:
    """Return dz: the change of depth of each pixel's point until the next frame, as the moving camera sees it.

    Arguments as for `motion_from_scene_flow`, whose last channel it is: `(…, time, height, width)` [m].

    Raises:
        SpecError: The shapes do not fit.
    """
    return motion_from_scene_flow(depth, scene_flow, intrinsics, camera_to_world)[..., 2, :, :]


def moving_mask(scene_flow: Values, *, fps: float, minimum_speed: float = MOVING_SPEED) -> Values:
    """Return which pixels see something that moves in the world: ‖scene flow‖ · fps > v_min.

    **Source**: Phys4D, B.2 (ii), on scene flow instead of image flow, for the camera may move.

    Args:
        scene_flow: `(…, 3, height, width)` [m], t → t+1; where it is not finite nothing moves.
        fps: Frames per second [1/s].
        minimum_speed: v_min [m/s].

    Returns:
        `(…, height, width)` bool.
    """
    displacement = at_least_single(_tensor(scene_flow))
    return _like((displacement * fps).square().sum(dim=-3) > minimum_speed**2, scene_flow)


def moving_points(
    depth: Values,
    intrinsics: Values,
    camera_to_world: Values,
    *,
    fps: float,
    scene_flow: Values | None = None,
    motion: Values | None = None,
    minimum_speed: float = MOVING_SPEED,
    stride: int = 1,
    first_frame: int = 0,
) -> tuple[Values, Values]:
    """Return the moving points of one clip in space and time: the arguments of the 4D Chamfer distance.

    With true depth and scene flow they are the store's `points`, but for the last frame: its motion is not known here,
    and it has none. They come frame by frame, row by row, in the order of `values[moving_mask(…)]`.

    **Source**: Phys4D, B.2 (i) and (ii), in the world's frame.

    Args:
        depth: `(time, height, width)` [m]; points where it is not finite and positive are left out.
        intrinsics: `(3, 3)` or `(time, 3, 3)` [px].
        camera_to_world: `(4, 4)` of a fixed camera or `(time, 4, 4)`.
        fps: Frames per second [1/s].
        scene_flow: `(time, 3, height, width)` [m], world frame, t → t+1; or give `motion`.
        motion: (du, dv, dz) `(time, 3, height, width)` [px, px, m], t → t+1, e.g. of a motion head.
        minimum_speed: Slower points are left out [m/s].
        stride: Take every n-th row and column, from n // 2 on, as the store's `points` do.
        first_frame: Number of the window's first frame in its clip.

    Returns:
        Points `(N, 3)` [m], world frame, in the dtype of `depth`, and their times `(N,)` [s], in at least float32; N
        may be 0.

    Raises:
        SpecError: The shapes do not fit, or not exactly one of `scene_flow` and `motion` is given.
    """
    if (scene_flow is None) == (motion is None) or stride < 1 or depth.ndim != 3:
        raise SpecError(
            f"moving points of depth {tuple(depth.shape)} with stride {stride}; allowed are (time, height, width), a "
            "stride of 1 or more, and exactly one of scene_flow and motion"
        )
    if motion is not None:
        scene_flow = scene_flow_from_motion(depth, motion, intrinsics, camera_to_world)
    assert scene_flow is not None
    given, field = _tensor(depth), _tensor(scene_flow)
    _check_field(given, field)
    moving = moving_mask(field, fps=fps, minimum_speed=minimum_speed) & torch.isfinite(given) & (given > 0.0)
    grid = torch.zeros_like(moving)
    grid[:, stride // 2 :: stride, stride // 2 :: stride] = True
    chosen = moving & grid
    k, poses = _cameras(given, _tensor(intrinsics), _tensor(camera_to_world))
    points = _to_world(_unprojected(at_least_single(given), k), poses)[chosen].to(given.dtype)
    times = (first_frame + chosen.nonzero()[:, 0]).to(at_least_single(given).dtype) / fps
    return _like(points, depth), _like(times, depth)


def _unprojected(depth: Tensor, intrinsics: Tensor) -> Tensor:
    """Return `unproject` of a depth in at least single precision."""
    if depth.ndim < 2 or intrinsics.shape[-2:] != (3, 3) or intrinsics.ndim > depth.ndim:
        raise SpecError(
            f"a depth of shape {tuple(depth.shape)} came with intrinsics of shape {tuple(intrinsics.shape)}; allowed "
            "are (…, height, width), and (3, 3) or (…, 3, 3)"
        )
    column, row = _centers(depth)
    return _unprojected_at((column.expand(depth.shape), row.expand(depth.shape), depth), intrinsics)


def _unprojected_at(at: tuple[Tensor, Tensor, Tensor], intrinsics: Tensor) -> Tensor:
    """Return points `(…, height, width, 3)` [m] at columns, rows [px] and depths [m], each `(…, height, width)`."""
    column, row, depth = at
    k = intrinsics.to(device=depth.device)[..., None, None, :, :]
    # The rays are computed in the precision of K, the store's float64: u − c and f are large beside their quotient.
    x = ((column - k[..., 0, 2]) / k[..., 0, 0]).to(depth.dtype)
    y = ((row - k[..., 1, 2]) / k[..., 1, 1]).to(depth.dtype)
    hit = torch.isfinite(depth)
    z = torch.where(hit, depth, 0.0)
    points = torch.stack([x * z, y * z, z], dim=-1)
    return torch.where(hit.unsqueeze(-1), points, depth.unsqueeze(-1))


def _at_targets(depth: Tensor, motion: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    column, row = _centers(depth)
    du, dv, dz = motion.unbind(dim=-3)
    return column + du, row + dv, at_least_single(depth) + dz


def _centers(depth: Tensor) -> tuple[Tensor, Tensor]:
    """Return the columns `(width,)` and rows `(height, 1)` of the pixel centres [px]."""
    height, width = depth.shape[-2:]
    dtype = at_least_single(depth).dtype
    column = torch.arange(width, device=depth.device, dtype=dtype) + 0.5
    return column, torch.arange(height, device=depth.device, dtype=dtype)[:, None] + 0.5


def _cameras(depth: Tensor, intrinsics: Tensor, camera_to_world: Tensor) -> tuple[Tensor, Tensor]:
    """Return intrinsics and poses `(…, time, ·, ·)` of every frame."""
    frames = depth.shape[:-2]
    try:
        k = intrinsics.to(depth.device).expand(*frames, 3, 3)
        return k, camera_to_world.to(depth.device).expand(*frames, 4, 4)
    except RuntimeError as error:
        raise SpecError(
            f"a depth of shape {tuple(depth.shape)} came with intrinsics {tuple(intrinsics.shape)} and poses "
            f"{tuple(camera_to_world.shape)}; allowed are (…, time, height, width) and one camera, or one a frame"
        ) from error


def _to_world(points: Tensor, camera_to_world: Tensor) -> Tensor:
    """Return camera points `(…, time, height, width, 3)` [m] in the world."""
    pose = camera_to_world.to(points.dtype)
    return points @ pose[..., None, :3, :3].transpose(-2, -1) + pose[..., None, None, :3, 3]


def _to_camera(points: Tensor, camera_to_world: Tensor) -> Tensor:
    """Return world points `(…, time, height, width, 3)` [m] in the camera's frame."""
    pose = camera_to_world.to(points.dtype)
    return (points - pose[..., None, None, :3, 3]) @ pose[..., None, :3, :3]


def _defined(field: Tensor, depth: Tensor) -> Tensor:
    """Return a field `(…, time − 1, height, width, 3)`, NaN wherever it, or the depth it starts from, is not finite."""
    defined = torch.isfinite(field).all(dim=-1) & torch.isfinite(depth[..., :-1, :, :])
    return torch.where(defined.unsqueeze(-1), field, torch.nan)


def _with_last(field: Tensor) -> Tensor:
    """Return a field `(…, time − 1, 3, height, width)` with a last frame of NaN."""
    last = field.new_full((*field.shape[:-4], 1, *field.shape[-3:]), torch.nan)
    return torch.cat([field, last], dim=-4)


def _check_field(depth: Tensor, field: Tensor) -> None:
    if depth.ndim < 3 or field.shape != (*depth.shape[:-2], 3, *depth.shape[-2:]):
        raise SpecError(
            f"a depth of shape {tuple(depth.shape)} came with a motion of shape {tuple(field.shape)}; allowed are "
            "(…, time, height, width) and (…, time, 3, height, width)"
        )


def _tensor(values: Tensor | Array) -> Tensor:
    """Return a tensor of the values: copied from an array, which torch would not take read-only or turned around."""
    return values if isinstance(values, Tensor) else torch.from_numpy(np.array(values, order="C"))


@overload
def _like(values: Tensor, given: Tensor) -> Tensor: ...
@overload
def _like(values: Tensor, given: Array) -> Array: ...
def _like(values: Tensor, given: Tensor | Array) -> Tensor | Array:
    """Return values as what was given: a tensor or an array."""
    return values if isinstance(given, Tensor) else values.numpy()
