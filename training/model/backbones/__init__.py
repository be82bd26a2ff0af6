"""Backbones: one file each, discovered; a file's `BACKBONE` is its class."""

__all__: list[str] = []
