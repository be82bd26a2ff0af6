"""Colours of windows in another order of time: backwards, or standing still; truth of motion does not hold there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, final

import torch

from simfactory.errors import SpecError
from training.data.sample import Sample

__all__ = ["ORDERS", "TimeOrder", "TimeOrders"]

TimeOrder = Literal["forward", "reversed", "frozen"]
ORDERS: tuple[TimeOrder, ...] = ("forward", "reversed", "frozen")


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class TimeOrders:
    """A transform of a `WindowDataset` that gives each source an order; it can be pickled.

    Attributes:
        by_source: Name of a source → order; sources that are not named stay as they are.
    """

    by_source: Mapping[str, TimeOrder]

    def __call__(self, sample: Sample, _generator: torch.Generator) -> Sample:
        """Return a window with its colours in the order of its source.

        Raises:
            SpecError: It has more than colours: what is known of motion does not hold in another order.
        """
        order = self.by_source.get(sample.source, "forward")
        if order == "forward":
            return sample
        if others := sorted(sample.tensors.keys() - {"rgb"}):
            raise SpecError(
                f"source {sample.source}: order {order} with {', '.join(others)}, which hold forwards only; train on "
                "colours alone (stage base)"
            )
        rgb = sample["rgb"]
        changed = rgb.flip(0) if order == "reversed" else rgb[:1].expand_as(rgb).clone()
        return replace(sample, tensors={"rgb": changed})
