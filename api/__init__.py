"""The control plane: takes jobs, plans their episodes, hands them to workers, and knows what exists."""

__all__: list[str] = []
