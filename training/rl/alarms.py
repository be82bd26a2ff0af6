"""Alarms: signs that a policy learns to please the reward and not to move things as they move."""

from collections.abc import Mapping
from typing import final

__all__ = ["DIVERGENCE_LIMIT", "KEPT_MOTION", "KEPT_SPREAD", "Alarms"]

KEPT_SPREAD = 0.05  # share of the first spread within groups below which samples are all alike
DIVERGENCE_LIMIT = 0.1  # [nat] a dimension and step, from the reference
KEPT_MOTION = 0.3  # share of the first ratio of moved area below which things have come to rest
_FIRST = 3  # iterations that say what is usual


@final
class Alarms:
    """Looks at an iteration's values; what is usual, it learns from the first ones."""

    def __init__(self) -> None:
        self._usual: dict[str, float] = {}
        self._seen = 0
        self._raised: set[str] = set()

    def look(self, values: Mapping[str, float]) -> dict[str, str]:
        """Return alarm → what is wrong, of those that are raised.

        Args:
            values: With `spread`, `divergence` and `moved_area`.
        """
        self._seen += 1
        for name in ("spread", "moved_area"):
            if self._seen <= _FIRST:
                self._usual[name] = max(self._usual.get(name, 0.0), values[name])
        told = {}
        if values["spread"] <= KEPT_SPREAD * self._usual["spread"]:
            told["spread"] = (
                f"samples of a prompt differ in reward by {values['spread']:.3g} only, at first by "
                f"{self._usual['spread']:.3g}: there is nothing left to learn from; raise rl.noise_level or stop"
            )
        if values["divergence"] > DIVERGENCE_LIMIT:
            told["divergence"] = (
                f"the policy has left its reference by {values['divergence']:.3g} nat a dimension, above "
                f"{DIVERGENCE_LIMIT}: raise rl.kl or lower optimizer.rate"
            )
        if values["moved_area"] < KEPT_MOTION * self._usual["moved_area"]:
            told["moved_area"] = (
                f"{values['moved_area']:.3g} of the true area moves, at first {self._usual['moved_area']:.3g} did: the "
                "reward is won by standing still; give rl.rewards more of no_motion"
            )
        return told

    def news(self, raised: Mapping[str, str]) -> list[str]:
        """Return what is wrong of alarms that the iteration before did not raise."""
        fresh = [words for name, words in raised.items() if name not in self._raised]
        self._raised = set(raised)
        return fresh

    def state_dict(self) -> dict[str, float]:
        """Return what it knows."""
        return {**self._usual, "seen": float(self._seen)}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on from what `state_dict` returned."""
        self._usual = {name: value for name, value in state.items() if name != "seen"}
        self._seen = int(state["seen"])
