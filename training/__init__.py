"""Trains models on the factory's clips, and measures what they have learned."""

__all__: list[str] = []
