"""Pages, one file each; found, not listed."""

__all__: list[str] = []
