"""Copies of a policy's trained weights: the reference that it is held to, and its running average."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from simfactory.errors import RunError

__all__ = ["WeightCopy"]


class WeightCopy:
    """A copy of parameters, which can take their place for a while.

    Args:
        parameters: By name; what is copied is their value now.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter]) -> None:
        self._parameters = dict(parameters)
        self._copies = {name: value.detach().clone() for name, value in parameters.items()}
        self._updates = 0

    @torch.no_grad()
    def follow(self, kept: float) -> None:
        """Move towards the parameters: c ← k c + (1 − k) p, k = min(kept, (1 + n)/(10 + n)) at the n-th time.

        At first it forgets fast, so that the weights that training began with do not stay in it.

        Args:
            kept: Largest share that is kept, in [0, 1).
        """
        self._updates += 1
        share = min(kept, (1 + self._updates) / (10 + self._updates))
        for name, value in self._parameters.items():
            self._copies[name].lerp_(value.detach().to(self._copies[name]), 1.0 - share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the copy be the parameters' value while the context lasts; no graph must reach across its edges."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for name, value in self._parameters.items():
            value.data, self._copies[name] = self._copies[name], value.data

    def state_dict(self) -> dict[str, Tensor]:
        """Return the copies by name, and as `updates` how often they followed; on the CPU."""
        state = {name: value.detach().cpu().clone() for name, value in self._copies.items()}
        return {**state, "updates": torch.tensor(self._updates)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned.

        Raises:
            RunError: It is of other weights.
        """
        if state.keys() != self._copies.keys() | {"updates"}:
            raise RunError("the checkpoint's averaged weights are of another model: take the one that it was made with")
        for name, copy in self._copies.items():
            copy.copy_(state[name])
        self._updates = int(state["updates"])
