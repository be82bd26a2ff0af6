"""Perturbation: small differences between things that are nominally the same."""

from simfactory.rng import Stream

__all__ = ["RATIO", "perturbed"]

RATIO = 0.10  # on either side of the base value [1]


def perturbed(base: float, draw: Stream, *, bounds: tuple[float, float], ratio: float = RATIO) -> float:
    """Draw a value around a base value, within bounds.

    Args:
        base: The nominal value.
        draw: Randomness.
        bounds: Smallest and largest value allowed.
        ratio: Largest relative difference from the base.
    """
    low, high = bounds
    return min(max(base * draw.uniform(1.0 - ratio, 1.0 + ratio), low), high)
