"""Liquids: particles that carry them, a grid that keeps their volume, and what they and rigid bodies do to each other."""

from simfactory.simulators.newton.liquid.pool import Pool

__all__ = ["Pool"]
