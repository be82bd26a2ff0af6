"""One dataset among those that are mixed: its clips, its weight, and what they may lack."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import final

from simfactory.dataset import Dataset, open_dataset
from simfactory.errors import SpecError
from simfactory.store.reader import Engine
from training.data.query import ClipQuery, select_clips

__all__ = ["Source", "open_source"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Clips to draw windows from.

    Attributes:
        name: Names the source in batches and messages.
        dataset: Its clips. It can be pickled, as can the source.
        weight: Share of the windows that come from here, relative to the other sources; None = each window of all
            sources once an epoch. Give all sources a weight or none.
        may_lack: Arrays and groups of the store that clips may be without, e.g. `scene_flow` and `camera` of real
            videos: tensors are marked as not valid there, as if nothing had been measured.
    """

    name: str
    dataset: Dataset
    weight: float | None = None
    may_lack: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.weight is not None and not 0.0 < self.weight < float("inf"):
            raise SpecError(f"source {self.name!r} has weight {self.weight}; give a positive one, or leave it out")


def open_source(
    path: str | os.PathLike[str],
    *,
    query: ClipQuery | None = None,
    name: str = "",
    weight: float | None = None,
    may_lack: Collection[str] = (),
    engine: Engine = "auto",
    token: str | None = None,
) -> Source:
    """Open a dataset in a folder or at an `http(s)://` or `s3://` address, and select clips of it.

    Args:
        path: As `simfactory.open_dataset` takes it.
        query: Which clips; None = all.
        name: Name of the source; empty = the path.
        weight: See `Source`.
        may_lack: See `Source`.
        engine: Zarr library to read with.
        token: For a service that asks for one.

    Raises:
        StoreError: There is no dataset, or no clip that the query wants.
    """
    dataset = select_clips(open_dataset(path, violation=None, engine=engine, token=token), query or ClipQuery())
    return Source(name=name or os.fspath(path), dataset=dataset, weight=weight, may_lack=frozenset(may_lack))
