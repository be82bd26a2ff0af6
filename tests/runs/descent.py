"""A training that is one: logistic regression by gradient descent, which tells what it does."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Descent:
    """Gradient descent on the logistic loss of two clouds of points.

    Attributes:
        weights: What it has found.
    """

    points: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    rate: float = 0.5

    def loss(self):
        logits = self.points @ self.weights
        return float(np.mean(np.logaddexp(0.0, -self.labels * logits)))

    def step(self) -> dict[str, float]:
        logits = self.points @ self.weights
        slope = -(self.labels / (1.0 + np.exp(self.labels * logits)))[:, None] * self.points
        gradient = slope.mean(axis=0)
        self.weights = self.weights - self.rate * gradient
        accuracy = float(np.mean(np.sign(self.points @ self.weights) == self.labels))
        return {"loss": self.loss(), "accuracy": accuracy, "gradient/norm": float(np.linalg.norm(gradient))}


def new_descent(rate: float = 0.5) -> Descent:
    """Return the same training anew."""
    random = np.random.default_rng(7)
    labels = np.where(random.random(200) < 0.5, -1.0, 1.0)
    points = random.normal(size=(200, 3)) + labels[:, None] * [1.0, 0.5, 0.0]
    return Descent(points, labels, np.zeros(3), rate)
