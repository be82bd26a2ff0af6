"""What is measured of a body's way through an episode: one figure per body."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from simfactory.arms import success
from simfactory.episode import FIRST_BODY, Trajectory
from simfactory.meshes import body_mesh
from simfactory.spec import SceneSpec
from simfactory.transforms import quat_to_matrix

__all__ = ["MEASURES", "MeasureName"]

MeasureName = Literal[
    "shift", "travel", "fall", "lift", "rebound", "swings", "turn", "drift", "jolt", "fall_on", "slowing", "spin_loss",
    "parting", "touched", "deformation", "spread", "warming", "cooling", "success",
    "dent", "end_height", "top", "touch",
]  # fmt: skip

BLOW = 0.25  # [1]
SLOW = 0.3  # [m/s]

Float64 = npt.NDArray[np.float64]


def _points(path: Trajectory, body: int) -> Float64 | None:
    """Return the vertices or particles `(time, point, 3)` of a body that deforms [m]."""
    found = path.vertices.get(body, path.particles.get(body))
    return None if found is None else found.astype(np.float64)


def _center(path: Trajectory, body: int) -> Float64:
    """Return a body's centre `(time, 3)` [m]: the mean of its points, or its origin."""
    points = _points(path, body)
    return path.position[:, body].astype(np.float64) if points is None else points.mean(axis=1)


def shift(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """Largest distance of the centre from where it was at first [m]."""
    center = _center(path, body)
    return float(np.linalg.norm(center - center[0], axis=-1).max())


def travel(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """The same, level [m]."""
    center = _center(path, body)[:, :2]
    return float(np.linalg.norm(center - center[0], axis=-1).max())


def fall(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """How far the centre comes below where it was at first [m]."""
    height = _center(path, body)[:, 2]
    return float(height[0] - height.min())


def lift(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """How far the centre comes above where it was at first [m]."""
    height = _center(path, body)[:, 2]
    return float(height.max() - height[0])


def rebound(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """How far the centre rises after it was low [m]."""
    height = _center(path, body)[:, 2]
    return float((height - np.minimum.accumulate(height)).max())


def swings(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """How often the centre turns back on its level course: by more than a tenth of that, and 1 cm [1]."""
    level = _center(path, body)[:, :2]
    level = level - level.mean(axis=0)
    along = level @ np.linalg.svd(level, full_matrices=False)[2][0]  # the direction in which it moves most
    least = max(0.1 * float(np.ptp(along)), 0.01)
    turns, way, extreme = 0, 0.0, along[0]
    for place in along:
        if way * (place - extreme) >= 0.0 and way != 0.0:
            extreme = place
        elif abs(place - extreme) > least:
            turns += way != 0.0
            way, extreme = float(np.sign(place - extreme)), place
    return float(turns)


def turn(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """Largest angle by which it is turned from how it lay at first [deg], 0–180."""
    quat = path.quat_xyzw[:, body].astype(np.float64)
    share = np.abs(quat @ quat[0]) / (np.linalg.norm(quat, axis=-1) * np.linalg.norm(quat[0]))
    return float(np.degrees(2.0 * np.arccos(np.clip(share, 0.0, 1.0))).max())


def drift(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """How far even that point of its surface goes which stays nearest to where it was [m]: little where it is held."""
    points = _points(path, body)
    if points is None:
        corners = body_mesh(spec.bodies[body]).vertices
        turned = np.einsum("tij,nj->tni", quat_to_matrix(path.quat_xyzw[:, body].astype(np.float64)), corners)
        points = _center(path, body)[:, None] + turned
    return float(np.linalg.norm(points - points[0], axis=-1).max(axis=0).min())


def jolt(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """Largest change of the centre's velocity from one frame to the next [m/s]; gravity alone gives g / fps."""
    velocity = np.diff(_center(path, body), axis=0) / np.diff(path.time)[:, None]
    return float(np.linalg.norm(np.diff(velocity, axis=0), axis=-1).max())


def fall_on(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """How far the centre comes below where something first broke its fall [m]; 0 where nothing does.

    A fall is broken where, from one frame to the next, it loses `BLOW` of its speed.
    """
    height = _center(path, body)[:, 2]
    velocity = np.diff(height) / np.diff(path.time)
    falling = velocity[:-1] < -SLOW
    blows = np.flatnonzero(falling & (np.diff(velocity) > BLOW * np.abs(velocity[:-1])))
    if not blows.size:
        return 0.0
    return float(height[blows[0] : blows[0] + 3].min() - height.min())


def slowing(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """Share of its largest speed that it has lost at the end [1]; 0 for a body that never moves."""
    return _lost(np.linalg.norm(np.gradient(_center(path, body), path.time, axis=0), axis=-1))


def spin_loss(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """Share of its largest angular speed that it has lost at the end [1]; 0 for a body that never turns."""
    return _lost(np.linalg.norm(path.angular_velocity[:, body].astype(np.float64), axis=-1))


def _lost(speed: Float64) -> float:
    return 0.0 if speed.max() < 1e-3 else float(1.0 - speed[-1] / speed.max())


def parting(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """Growth of its level distance from the moving body that was nearest at first [m]; 0 where it is alone."""
    level = np.stack([_center(path, other)[:, :2] for other in range(len(spec.bodies))])
    own = _center(path, body)
    apart = {
        other: float(np.linalg.norm(_center(path, other)[0] - own[0]))
        for other, one in enumerate(spec.bodies)
        if other != body and getattr(one, "mobility", "dynamic") == "dynamic"
    }
    if not apart:
        return 0.0
    distance = np.linalg.norm(level[min(apart, key=apart.__getitem__)] - level[body], axis=-1)
    return float((distance - distance[0]).max())


def touched(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """How many other bodies it touches, counted over the whole episode [1]."""
    own, met = FIRST_BODY + body, set[int]()
    for one in path.contacts:
        met |= set(one.b[one.a == own].tolist()) | set(one.a[one.b == own].tolist())
    return float(sum(other >= FIRST_BODY and other != own for other in met))


def deformation(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """Largest root mean square distance of its points from its rigid motion, over that from its centre [1]."""
    points = _points(path, body)
    if points is None:
        return 0.0
    local = points - points.mean(axis=1, keepdims=True)
    size = np.sqrt((local[0] ** 2).sum(axis=-1).mean())
    # Kabsch: the rotation R that maximises tr(Rᵀ B Aᵀ); its residual is |A|² + |B|² − 2 Σ σ
    covariance = np.einsum("ni,tnj->tij", local[0], local)
    scales = np.linalg.svd(covariance, compute_uv=False)
    scales[:, 2] *= np.sign(np.linalg.det(covariance))
    squares = (local[0] ** 2).sum() + (local**2).sum(axis=(1, 2)) - 2.0 * scales.sum(axis=1)
    return float(np.sqrt(np.maximum(squares, 0.0).max() / local.shape[1]) / size)


def spread(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """Growth of the level root mean square distance of its points from their centre [m]."""
    points = _points(path, body)
    if points is None:
        return 0.0
    level = points[..., :2] - points[..., :2].mean(axis=1, keepdims=True)
    radius = np.sqrt((level**2).sum(axis=-1).mean(axis=1))
    return float((radius - radius[0]).max())


def warming(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """How much warmer it is at the end than at first, mean over its surface [K]."""
    values = path.temperatures.get(body)
    return 0.0 if values is None else float(values[-1].mean() - values[0].mean())


def cooling(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """How much cooler it is at the end than at first, mean over its surface [K]."""
    return -warming(spec, path, body)


def succeeded(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """Whether the robot's task is done at the end: 1 or 0, whatever the body."""
    return 0.0 if spec.robot is None else float(success(spec, spec.robot, path)[-1])


def dent(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """How much further than the median point of its upper fifth the point that sinks most of them does [m]."""
    points = _points(path, body)
    if points is None:
        return 0.0
    height = points[:, :, 2]
    low, high = height[0].min(), height[0].max()
    upper = height[:, height[0] >= high - 0.2 * (high - low)]
    sunk = upper[0] - upper
    return float((sunk.max(axis=1) - np.median(sunk, axis=1)).max())


def end_height(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """Height of its centre at the end [m]."""
    return float(_center(path, body)[-1, 2])


def top(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """Height above which a fiftieth of its points are at the end [m]; of a rigid body, that of its centre."""
    points = _points(path, body)
    return end_height(spec, path, body) if points is None else float(np.quantile(points[-1, :, 2], 0.98))


def touch(spec: SceneSpec, path: Trajectory, body: int) -> float:
    """Time for which it touches another body, neither ground nor room, whole frames [s]."""
    own, seen = FIRST_BODY + body, 0
    for contacts in path.contacts:
        other = np.where(contacts.a == own, contacts.b, np.where(contacts.b == own, contacts.a, 0))
        seen += bool((other >= FIRST_BODY).any())
    return seen / spec.fps


MEASURES: Mapping[MeasureName, Callable[[SceneSpec, Trajectory, int], float]] = MappingProxyType(
    {
        "shift": shift,
        "travel": travel,
        "fall": fall,
        "lift": lift,
        "rebound": rebound,
        "swings": swings,
        "turn": turn,
        "drift": drift,
        "jolt": jolt,
        "fall_on": fall_on,
        "slowing": slowing,
        "spin_loss": spin_loss,
        "parting": parting,
        "touched": touched,
        "deformation": deformation,
        "spread": spread,
        "warming": warming,
        "cooling": cooling,
        "success": succeeded,
        "dent": dent,
        "end_height": end_height,
        "top": top,
        "touch": touch,
    }
)
