"""Rotations, poses and pinhole projection in the project's conventions.

World: right-handed, z up, metres. Camera: x right, y down, z forward (OpenCV). Quaternions are xyzw.
Pixels: the centre of pixel (column u, row v) is (u + 0.5, v + 0.5). Everything computes in float64.
"""

import numpy as np
import numpy.typing as npt

__all__ = [
    "invert_pose",
    "look_at",
    "pixel_centers",
    "pose_matrix",
    "project",
    "quat_between",
    "quat_from_axis_angle",
    "quat_from_matrix",
    "quat_multiply",
    "quat_rotate",
    "quat_slerp",
    "quat_to_matrix",
    "transform_points",
    "unproject",
]

Array = npt.NDArray[np.float64]


def quat_from_axis_angle(axis: npt.ArrayLike, angle: npt.ArrayLike) -> Array:
    """Return quaternions `(..., 4)` xyzw for rotations by `angle` [rad] about `axis` `(..., 3)`.

    A zero axis gives the identity.
    """
    axis = np.asarray(axis, np.float64)
    half = 0.5 * np.asarray(angle, np.float64)[..., None]
    length = np.linalg.norm(axis, axis=-1, keepdims=True)
    unit = axis / np.where(length > 0.0, length, 1.0)
    shape = np.broadcast_shapes(unit.shape[:-1], half.shape[:-1])
    vector = np.broadcast_to(unit * np.sin(half), (*shape, 3))
    return np.concatenate([vector, np.broadcast_to(np.cos(half), (*shape, 1))], axis=-1)


def quat_between(start: npt.ArrayLike, end: npt.ArrayLike) -> Array:
    """Return the rotation `(4,)` xyzw that takes one unit vector `(3,)` to another the shortest way."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    cosine = float(a @ b)
    if cosine < -1.0 + 1e-12:  # any axis across will do
        across = np.cross(a, np.eye(3)[int(np.argmin(np.abs(a)))])
        return np.append(across / np.linalg.norm(across), 0.0)
    quat = np.append(np.cross(a, b), 1.0 + cosine)
    return np.asarray(quat / np.linalg.norm(quat))


def quat_multiply(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Return the product `a ⊗ b` `(..., 4)` xyzw: first rotate by b, then by a."""
    ax, ay, az, aw = np.moveaxis(np.asarray(a, np.float64), -1, 0)
    bx, by, bz, bw = np.moveaxis(np.asarray(b, np.float64), -1, 0)
    return np.stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ],
        axis=-1,
    )


def quat_slerp(a: npt.ArrayLike, b: npt.ArrayLike, share: float) -> Array:
    """Return unit quaternions `(..., 4)` xyzw at a share of the shorter turn from a (0) to b (1), or beyond it.

    Source: K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH (1985).
    """
    start, end = np.asarray(a, np.float64), np.asarray(b, np.float64)
    cosine = np.sum(start * end, axis=-1, keepdims=True)
    end = np.where(cosine < 0.0, -end, end)
    angle = np.arccos(np.clip(np.abs(cosine), 0.0, 1.0))
    sine = np.sin(angle)
    small = sine < 1e-6
    safe = np.where(small, 1.0, sine)
    first = np.where(small, 1.0 - share, np.sin((1.0 - share) * angle) / safe)
    second = np.where(small, share, np.sin(share * angle) / safe)
    mixed = first * start + second * end
    return np.asarray(mixed / np.linalg.norm(mixed, axis=-1, keepdims=True))


def quat_to_matrix(quat_xyzw: npt.ArrayLike) -> Array:
    """Return rotation matrices `(..., 3, 3)` of quaternions `(..., 4)`, normalised first."""
    q = np.asarray(quat_xyzw, np.float64)
    x, y, z, w = np.moveaxis(q / np.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def quat_from_matrix(matrix: npt.ArrayLike) -> Array:
    """Return the quaternions `(..., 4)` xyzw of rotation matrices `(..., 3, 3)`, w ≥ 0.

    Source: I. Y. Bar-Itzhack, "New method for extracting the quaternion from a rotation matrix" (2000).
    """
    m = np.asarray(matrix, np.float64)
    key = np.zeros((*m.shape[:-2], 4, 4))
    key[..., :3, :3] = m + np.swapaxes(m, -1, -2) - np.trace(m, axis1=-2, axis2=-1)[..., None, None] * np.eye(3)
    key[..., :3, 3] = np.stack(
        [m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]], axis=-1
    )
    key[..., 3, :3] = key[..., :3, 3]
    key[..., 3, 3] = np.trace(m, axis1=-2, axis2=-1)
    quat = np.linalg.eigh(key)[1][..., -1]
    return np.asarray(np.where(quat[..., 3:] < 0.0, -quat, quat))


def quat_rotate(quat_xyzw: npt.ArrayLike, vectors: npt.ArrayLike) -> Array:
    """Rotate vectors `(..., 3)` by quaternions `(..., 4)`."""
    rotated: Array = np.einsum("...ij,...j->...i", quat_to_matrix(quat_xyzw), np.asarray(vectors, np.float64))
    return rotated


def pose_matrix(position: npt.ArrayLike, quat_xyzw: npt.ArrayLike) -> Array:
    """Return 4×4 matrices `(..., 4, 4)` from positions `(..., 3)` [m] and quaternions `(..., 4)`."""
    position = np.asarray(position, np.float64)
    matrix = np.zeros((*position.shape[:-1], 4, 4))
    matrix[..., :3, :3] = quat_to_matrix(quat_xyzw)
    matrix[..., :3, 3] = position
    matrix[..., 3, 3] = 1.0
    return matrix


def invert_pose(matrix: npt.ArrayLike) -> Array:
    """Return the inverse of rigid 4×4 matrices `(..., 4, 4)`."""
    matrix = np.asarray(matrix, np.float64)
    inverse = np.zeros_like(matrix)
    rotation = np.swapaxes(matrix[..., :3, :3], -1, -2)
    inverse[..., :3, :3] = rotation
    inverse[..., :3, 3] = -np.einsum("...ij,...j->...i", rotation, matrix[..., :3, 3])
    inverse[..., 3, 3] = 1.0
    return inverse


def transform_points(matrix: npt.ArrayLike, points: npt.ArrayLike) -> Array:
    """Apply one 4×4 matrix `(4, 4)` to points `(..., 3)`."""
    matrix = np.asarray(matrix, np.float64)
    moved: Array = np.asarray(points, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    return moved


def look_at(position: npt.ArrayLike, target: npt.ArrayLike, up: npt.ArrayLike = (0.0, 0.0, 1.0)) -> Array:
    """Return camera_to_world `(..., 4, 4)` of cameras at `position` that look at `target` (both `(..., 3)` [m]).

    When the view direction is parallel to `up`, the world's y axis serves as up.
    """
    position, target = np.broadcast_arrays(np.asarray(position, np.float64), np.asarray(target, np.float64))
    forward = target - position
    forward = forward / np.linalg.norm(forward, axis=-1, keepdims=True)
    right = np.cross(forward, np.asarray(up, np.float64))
    length = np.linalg.norm(right, axis=-1, keepdims=True)
    right = np.where(length > 1e-9, right, np.cross(forward, (0.0, 1.0, 0.0)))
    right = right / np.linalg.norm(right, axis=-1, keepdims=True)
    matrix = np.zeros((*position.shape[:-1], 4, 4))
    matrix[..., :3, 0] = right
    matrix[..., :3, 1] = np.cross(forward, right)
    matrix[..., :3, 2] = forward
    matrix[..., :3, 3] = position
    matrix[..., 3, 3] = 1.0
    return matrix


def project(points_camera: npt.ArrayLike, intrinsics: npt.ArrayLike) -> Array:
    """Project camera-frame points `(..., 3)` [m] to raster coordinates `(..., 2)` [px].

    Points with z ≤ 0 have no image; the caller masks them.
    """
    points = np.asarray(points_camera, np.float64)
    k = np.asarray(intrinsics, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels: Array = points[..., :2] / points[..., 2:] * np.stack([k[0, 0], k[1, 1]]) + k[:2, 2]
    return pixels


def unproject(pixels: npt.ArrayLike, depth: npt.ArrayLike, intrinsics: npt.ArrayLike) -> Array:
    """Return camera-frame points `(..., 3)` [m] at raster coordinates `(..., 2)` [px] and depth `(...)` [m]."""
    pixels, depth = np.asarray(pixels, np.float64), np.asarray(depth, np.float64)
    k = np.asarray(intrinsics, np.float64)
    rays = (pixels - k[:2, 2]) / np.stack([k[0, 0], k[1, 1]])
    return np.concatenate([rays * depth[..., None], depth[..., None]], axis=-1)


def pixel_centers(height: int, width: int) -> Array:
    """Return the raster coordinates `(height, width, 2)` [px] of all pixel centres."""
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([u, v], axis=-1)
