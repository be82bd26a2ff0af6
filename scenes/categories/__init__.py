"""Categories of physics: each file exports `CATEGORY`, its base scenes are rows of data in it."""

__all__: list[str] = []
