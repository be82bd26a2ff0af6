"""`simfactory-train rl`."""

from simfactory.errors import RunError

__all__ = ["COMMAND"]


def rl() -> None:
    """Reinforcement learning on 4D scenes (not there yet)."""
    raise RunError("`simfactory-train rl` is not there yet: it arrives with reinforcement learning; use sft")


COMMAND = rl
