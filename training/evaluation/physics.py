"""Laws of motion in what predicted depth says of the bodies of a clip."""

import numpy as np
import numpy.typing as npt

from training.evaluation.dynamics import dynamics_metrics, penetration_metrics
from training.evaluation.tracking import counted, lifted_positions
from training.evaluation.truth import ClipTruth

__all__ = ["body_positions", "physics_scores"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


def physics_scores(truth: ClipTruth, depth: Float32) -> dict[str, float]:
    """Return residuals of momentum and energy, and how far bodies are inside each other or the ground.

    Bodies of which a frame shows no point are left out, and so is what needs them.

    Args:
        truth: Of the clip.
        depth: `(time, height, width)` predicted [m].
    """
    positions, followed = body_positions(truth, depth)
    bodies = truth.bodies
    scores: dict[str, float] = {}
    if followed.any() and len(positions) > 2:
        found = dynamics_metrics(
            positions[:, followed],
            masses=bodies.mass[followed],
            fps=truth.fps,
            gravity=bodies.gravity,
            free=_free(truth, followed),
        )
        scores |= {"momentum": found.momentum_residual, "energy": found.energy_residual}
        scores["energy_gain"] = found.energy_gain
    balls = followed & np.isfinite(bodies.radius)
    if balls.any():
        inside = penetration_metrics(positions[:, balls], radii=bodies.radius[balls])
        scores |= {"penetration_rate": inside.rate, "penetration_depth": inside.mean_depth}
    return scores


def body_positions(truth: ClipTruth, depth: Float32) -> tuple[Float64, Bool]:
    """Return where predicted depth puts bodies `(time, body, 3)` [m], world, and which have a place in every frame.

    A body is moved by the mean deviation of the points that are seen of it, so that true depth gives its true place.

    Args:
        truth: Its tracks and bodies.
        depth: `(time, height, width)` predicted [m].
    """
    tracks, bodies = truth.tracks, truth.bodies
    deviation = lifted_positions(truth, depth, tracks.image) - tracks.world
    counts = counted(truth)
    positions = bodies.position.copy()
    followed = np.zeros(len(bodies.instance), np.bool_)
    for number, instance in enumerate(bodies.instance):
        own = counts & (tracks.instance == instance)[:, None]
        shown = own.sum(axis=0)
        if len(shown) and shown.min() > 0:
            followed[number] = True
            positions[:, number] += np.where(own[..., None], deviation, 0.0).sum(axis=0) / shown[:, None]
    return positions, followed


def _free(truth: ClipTruth, followed: Bool) -> Bool:
    """Return the frames in which nothing outside of the followed bodies touches any of them."""
    inside = {int(each) for each in truth.bodies.instance[followed]}
    return np.array(
        [not any((a in inside) != (b in inside) for a, b in pairs) for pairs in truth.bodies.contacts], np.bool_
    )
