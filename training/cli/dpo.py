"""`simfactory-train dpo`."""

from simfactory.errors import RunError

__all__ = ["COMMAND"]


def dpo() -> None:
    """Preferences between right and broken physics (not there yet)."""
    raise RunError("`simfactory-train dpo` is not there yet: it arrives with reinforcement learning; use sft")


COMMAND = dpo
