"""The Fréchet distance between two sets of videos, by their features."""

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from training.evaluation._inputs import Float64, need_finite, numbers

__all__ = ["frechet_distance"]

Array = npt.NDArray[np.generic]


def frechet_distance(features: Array, others: Array) -> float:
    """Return ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½): 0 between sets of the same mean and covariance.

    With fewer videos than features covariances are singular, and the distance is biased upwards: compare only sets of
    one size.

    Args:
        features: `(video, feature)`, two videos or more.
        others: The same, of the other set.

    Raises:
        SpecError: Shapes do not fit, a number is not finite, or a set has one video.

    **Source**: Dowson and Landau 1982; Unterthiner et al. 2018 for videos (FVD).
    """
    ours, theirs = numbers("features", features, "video feature"), numbers("others", others, "video feature")
    if ours.shape[1] != theirs.shape[1] or min(len(ours), len(theirs)) < 2:
        raise SpecError(
            f"features have shapes {ours.shape} and {theirs.shape}; give two videos or more, and as many features"
        )
    for name, values in (("features", ours), ("others", theirs)):
        need_finite(name, values, "leave such videos out of both")
    # With Σ = AᵀA of centred rows A, tr (Σ₁ Σ₂)^½ is the sum of the singular values of A₁ A₂ᵀ: no root of a singular
    # matrix is needed. Triangles of A have the same, and are small for many videos.
    first, second = _triangle(ours), _triangle(theirs)
    shared = float(np.linalg.norm(first @ second.T, "nuc"))
    spread = float((first**2).sum() + (second**2).sum()) - 2.0 * shared
    return max(0.0, float(((ours.mean(axis=0) - theirs.mean(axis=0)) ** 2).sum()) + spread)


def _triangle(values: Float64) -> Float64:
    """Return R with RᵀR the covariance."""
    centred = (values - values.mean(axis=0)) / np.sqrt(len(values) - 1.0)
    return np.asarray(np.linalg.qr(centred, mode="r"), np.float64)
