"""Warp kernels of the renderer: one file a concern, compiled for CPU and CUDA from the same source."""

__all__: list[str] = []
