"""Kernels of liquids: transfer between particles and grid, solids, pressure, viscosity."""

__all__: list[str] = []
