"""Laws of motion in predicted trajectories of bodies: momentum, energy, and bodies inside each other."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from simfactory.errors import SpecError
from training.evaluation._inputs import Array, Bool, Float64, flags, need_finite, numbers

__all__ = ["GRAVITY", "DynamicsMetrics", "PenetrationMetrics", "dynamics_metrics", "penetration_metrics"]

GRAVITY = (0.0, 0.0, -9.81)  # [m/s²]


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicsMetrics:
    """How far trajectories are from the laws of motion; all per unit of the system's mass.

    Attributes:
        momentum_residual: Mean |Σ m (a − g)| / Σ m over the free frames: acceleration of the common centre of mass that
            nothing explains [m/s²]. NaN where no frame is free.
        energy_residual: Mean |E(t+1) − E(t)| / Σ m between free neighbours [J/kg]; bodies of the system may lose energy
            to each other's impacts, so it is small but not zero in truth with collisions. NaN where there are none.
        energy_gain: Σ max(0, E(t+1) − E(t)) / Σ m over all frames, free or not: energy from nowhere, in a scene without
            actuators [J/kg].
        free_count: Frames at which the momentum is judged.
    """

    momentum_residual: float
    energy_residual: float
    energy_gain: float
    free_count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PenetrationMetrics:
    """How often and how far bodies are inside each other or the ground.

    Attributes:
        rate: Share of frames in which any overlap is deeper than the tolerance [1].
        mean_depth: Mean over frames of the deepest overlap, 0 where there is none [m].
        max_depth: Deepest overlap of the clip [m].
    """

    rate: float
    mean_depth: float
    max_depth: float


def dynamics_metrics(
    positions: Array,
    *,
    masses: Array,
    fps: float,
    gravity: tuple[float, float, float] = GRAVITY,
    free: Array | None = None,
) -> DynamicsMetrics:
    """Measure trajectories against the balances of momentum and of energy.

    With Δ = 1/fps: v = (x(t+1) − x(t−1)) / 2Δ and a = (x(t+1) − 2 x(t) + x(t−1)) / Δ², both exact on a parabola;
    E = Σ m (½ v² − g·x), of centres of mass only: rotation is not in it.

    Args:
        positions: `(time, body, 3)` centres of mass, world frame [m].
        masses: `(body,)` [kg].
        fps: Frames per second [1/s].
        gravity: World frame [m/s²].
        free: `(time,)` booleans: nothing outside the system touches any of its bodies (they may touch each other). A
            frame is judged when it and both neighbours are free. None: always.

    Raises:
        SpecError: Shapes do not fit, fewer than three frames, or numbers are out of range.

    **Source**: Newton's second law; central differences. Ours: the papers have no such figure.
    """
    places = numbers("positions", positions, "time body xyz", last=3)
    mass = numbers("masses", masses, "body")
    if mass.shape != places.shape[1:2] or not mass.size:
        raise SpecError(f"masses has shape {mass.shape}, but positions has {places.shape}; give a mass for each body")
    if len(places) < 3 or not 0.0 < fps < np.inf or not (mass > 0.0).all() or not np.isfinite(mass).all():
        raise SpecError(
            f"there are {len(places)} frames at {fps} fps and masses from {mass.min()} to {mass.max()} kg; "
            "give three frames or more, and a rate and masses above zero"
        )
    need_finite("positions", places, "a trajectory must be whole")
    judged = _judged(flags("free", free, "positions", places.shape[:1]))
    pull = np.asarray(gravity, np.float64)
    velocity = (places[2:] - places[:-2]) * (0.5 * fps)
    acceleration = (places[2:] - 2.0 * places[1:-1] + places[:-2]) * fps**2
    share = mass / mass.sum()
    unexplained = np.linalg.norm(np.einsum("b,tbx->tx", share, acceleration - pull), axis=-1)
    energy = (0.5 * (velocity**2).sum(axis=-1) - places[1:-1] @ pull) @ share
    change = np.diff(energy)
    neighbours = judged[1:] & judged[:-1]
    return DynamicsMetrics(
        momentum_residual=float(unexplained[judged].mean()) if judged.any() else float("nan"),
        energy_residual=float(np.abs(change)[neighbours].mean()) if neighbours.any() else float("nan"),
        energy_gain=float(change.clip(min=0.0).sum()),
        free_count=int(judged.sum()),
    )


def penetration_metrics(
    positions: Array, *, radii: Array, planes: Array | None = None, tolerance: float = 1e-3
) -> PenetrationMetrics:
    """Measure how far balls are inside each other and below planes.

    For other shapes give the radius of the largest ball inside each: the depth is then a lower bound.

    Args:
        positions: `(time, body, 3)` centres, world frame [m].
        radii: `(body,)` [m].
        planes: `(plane, 4)` rows (n, d): the free side is n·x > d, n of length one; None: the ground z > 0.
        tolerance: Overlap from which a frame counts [m].

    Raises:
        SpecError: Shapes do not fit, or numbers are out of range.
    """
    places = numbers("positions", positions, "time body xyz", last=3)
    sizes = numbers("radii", radii, "body")
    if sizes.shape != places.shape[1:2] or not sizes.size or not len(places):
        raise SpecError(f"radii has shape {sizes.shape}, but positions has {places.shape}; give a radius for each body")
    ground = np.array([[0.0, 0.0, 1.0, 0.0]])
    walls = ground if planes is None else numbers("planes", planes, "plane nd", last=4)
    need_finite("positions", places, "a trajectory must be whole")
    if not (sizes > 0.0).all() or not np.allclose(np.linalg.norm(walls[:, :3], axis=1), 1.0, rtol=1e-6):
        raise SpecError(f"radii begin at {sizes.min()} m, planes are {walls.tolist()}; give radii > 0 and unit normals")
    depths = np.zeros(len(places))
    if len(walls):
        below = walls[:, 3] - places @ walls[:, :3].T + sizes[:, None]
        depths = np.maximum(depths, below.max(axis=(1, 2)))
    for first, second in combinations(range(sizes.size), 2):
        gap = np.linalg.norm(places[:, first] - places[:, second], axis=-1)
        depths = np.maximum(depths, sizes[first] + sizes[second] - gap)
    return _penetration(depths, tolerance)


def _judged(free: Bool) -> Bool:
    """Return which inner frames are free together with both of their neighbours."""
    return np.asarray(free[2:] & free[1:-1] & free[:-2])


def _penetration(depths: Float64, tolerance: float) -> PenetrationMetrics:
    return PenetrationMetrics(
        rate=float((depths > tolerance).mean()), mean_depth=float(depths.mean()), max_depth=float(depths.max())
    )
