"""Which windows come in which order: shuffled, weighted, by curriculum, shared out over processes."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import final

import numpy as np
import numpy.typing as npt
import torch.utils.data

from simfactory.errors import SpecError
from training.data.curriculum import Curriculum
from training.data.framing import Framing
from training.data.pool import WindowPool, permutation, uniforms
from training.data.source import Source
from training.data.windows import WindowKey, Windows

__all__ = ["WindowSampler"]

Integers = npt.NDArray[np.int64]


@final
class WindowSampler(torch.utils.data.Sampler[list[WindowKey]]):
    """Yields the batches of one process, as keys of a `WindowDataset`.

    The order of an epoch follows from (seed, epoch), the clips and the options alone. All processes know it; of each
    `batch_size × world` windows a process takes every world-th. It continues anywhere: with the same product, even in
    another number of processes. Nothing is drawn in workers.

    Args:
        sources: Where the clips are; the same, in the same order, as the dataset's.
        windows: How windows are cut, and whether they begin at random.
        framing: Crop; needed for random ones.
        batch_size: Windows of a batch, in this process.
        seed: Any integer.
        rank: Number of this process.
        world: Number of processes.
        curriculum: Which tiers are drawn as training goes on; None = windows of all tiers alike.
        epoch_windows: Windows of an epoch over all processes; None = as many as there are.
        shuffle: False = in the order of clips and frames, each once.
        drop_last: Whether windows that do not fill a batch in every process are left out of this epoch; False gives
            each window of an epoch exactly once, and processes may have batches of different number and size.

    Attributes:
        epoch: Number of the epoch.
        position: Windows of it that are done, over all processes; the next iteration begins there.

    Raises:
        SpecError: An option is outside its range, weights or tiers do not fit the clips, or there is no window.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        windows: Windows,
        framing: Framing | None = None,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        curriculum: Curriculum | None = None,
        epoch_windows: int | None = None,
        shuffle: bool = True,
        drop_last: bool = True,
    ) -> None:
        if not 0 <= rank < world or batch_size < 1:
            raise SpecError(
                f"rank {rank} of {world} with batches of {batch_size}; ranks go from 0 to world − 1, batches hold at "
                "least 1"
            )
        self.pool = WindowPool(sources, windows=windows)
        self._framing = framing or Framing()
        self._groups, self._shares = self.pool.groups(curriculum)
        self._curriculum = curriculum
        self._shuffle = shuffle
        self._drop_last = drop_last
        self.batch_size, self.seed, self.rank, self.world = batch_size, seed, rank, world
        self.epoch_windows = len(self.pool) if epoch_windows is None else epoch_windows
        if not shuffle and (len(self._groups) > 1 or self.epoch_windows > len(self.pool)):
            raise SpecError(
                "shuffle=False gives each window once in order; leave weights, curriculum, epoch_windows out"
            )
        if not len(self.pool):
            raise SpecError(f"no clip has {windows.length} frames, the length of a window; take shorter ones")
        if drop_last and self.epoch_windows < self.global_batch:
            raise SpecError(
                f"an epoch of {self.epoch_windows} windows does not fill one batch of {batch_size} in {world} "
                "processes; choose a smaller batch_size, or set epoch_windows to more: windows are drawn again then"
            )
        self.epoch = 0
        self.position = 0

    @property
    def global_batch(self) -> int:
        """Windows of a step over all processes."""
        return self.batch_size * self.world

    @property
    def fingerprint(self) -> str:
        """What an order depends on besides epoch and position: it differs if clips or options do."""
        told = repr((self.seed, self.epoch_windows, self._curriculum, self._framing, self._shuffle))
        return hashlib.sha256(f"{self.pool.fingerprint}/{told}".encode()).hexdigest()[:16]

    def __len__(self) -> int:
        """Return the number of batches that are left of this epoch in this process."""
        left = self.epoch_windows - self.position
        whole, rest = divmod(left, self.global_batch)
        return whole if self._drop_last or rest <= self.rank else whole + 1

    def __iter__(self) -> Iterator[list[WindowKey]]:
        """Yield the batches of this epoch from `position` on; it does not move by that."""
        keys = self._keys(self.epoch)
        for begin in range(self.position, self.epoch_windows, self.global_batch):
            places = range(begin + self.rank, min(begin + self.global_batch, self.epoch_windows), self.world)
            if begin + self.global_batch > self.epoch_windows and (self._drop_last or not places):
                return
            yield [keys(place) for place in places]

    def order(self, epoch: int) -> Integers:
        """Return the windows of an epoch as positions in the pool `(epoch_windows,)`, over all processes."""
        if not self._shuffle:
            return np.arange(self.epoch_windows)
        group = self._drawn_groups(epoch)
        order = np.empty(self.epoch_windows, np.int64)
        for number, members in enumerate(self._groups):
            places = np.flatnonzero(group == number)
            rounds = -(-len(places) // len(members))
            # Each of a group's windows comes once before one comes again.
            drawn = [
                members[permutation(len(members), self.seed, epoch, "order", number, again)] for again in range(rounds)
            ]
            order[places] = np.concatenate([*drawn, members[:0]])[: len(places)]
        return order

    def _drawn_groups(self, epoch: int) -> Integers:
        """Return the group of each window of an epoch `(epoch_windows,)`."""
        if len(self._groups) == 1:
            return np.zeros(self.epoch_windows, np.int64)
        draws = uniforms(self.epoch_windows, self.seed, epoch, "group")
        group = np.empty(self.epoch_windows, np.int64)
        done = epoch * self.epoch_windows
        begin = 0
        while begin < self.epoch_windows:
            stage, left = (0, None) if self._curriculum is None else self._curriculum.stage_at(done + begin)
            end = self.epoch_windows if left is None else min(begin + left, self.epoch_windows)
            edges = np.cumsum(self._shares[stage])
            found = np.searchsorted(edges, draws[begin:end] * edges[-1], side="right")
            group[begin:end] = np.minimum(found, np.flatnonzero(self._shares[stage])[-1])
            begin = end
        return group

    def _keys(self, epoch: int) -> "_Keys":
        return _Keys(self.pool, self._framing, self.order(epoch), seed=self.seed, epoch=epoch)


class _Keys:
    """Makes the key of a place in an epoch's order."""

    def __init__(self, pool: WindowPool, framing: Framing, order: Integers, *, seed: int, epoch: int) -> None:
        self._pool = pool
        self._framing = framing
        self._order = order
        count = len(order)
        self._draws = {name: uniforms(count, seed, epoch, name) for name in ("start", "down", "across", "seed")}
        self._columns: Mapping[str, list[list[float]]] = {
            name: pool.column(name) for name in ("frame_count", "height", "width")
        }

    def __call__(self, place: int) -> WindowKey:
        window = int(self._order[place])
        source, clip = int(self._pool.source[window]), int(self._pool.clip[window])
        frames, height, width = (int(self._columns[name][source][clip]) for name in ("frame_count", "height", "width"))
        draw = {name: float(values[place]) for name, values in self._draws.items()}
        top, left = self._framing.corner(height, width, down=draw["down"], across=draw["across"])
        return WindowKey(
            source=source,
            clip_id=self._pool.clip_ids[source][clip],
            start=self._pool.windows.start(int(self._pool.number[window]), frames, draw=draw["start"]),
            top=top,
            left=left,
            seed=int(draw["seed"] * 2**53),
        )
