"""Kernels of the descent: of nodes, and of soft bodies that meet."""

__all__: list[str] = []
