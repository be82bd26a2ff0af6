"""Liquids: particles that carry them, a grid that keeps their volume, and what they do to rigid bodies."""

from simfactory.simulators.newton.liquid.pool import Pool

__all__ = ["Pool"]
