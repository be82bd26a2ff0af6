"""Surfaces about particles: what is seen of a liquid, anew at every instant."""

from simfactory.surfacing.surface import LiquidSurface, body_surface, liquid_surface

__all__ = ["LiquidSurface", "body_surface", "liquid_surface"]
