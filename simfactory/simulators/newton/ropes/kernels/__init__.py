"""Kernels of ropes: where they touch, and how they move."""

__all__: list[str] = []
