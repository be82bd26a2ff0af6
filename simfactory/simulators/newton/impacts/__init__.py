"""What surrounds a position-based solver step: readied contact points, restitution, and exact flight."""

from simfactory.simulators.newton.impacts.impacts import Impacts

__all__ = ["Impacts"]
