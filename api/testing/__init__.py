"""A service of real processes that can be broken on purpose: for tests and benchmarks."""

__all__: list[str] = []
