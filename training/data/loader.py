"""Batches of windows for a training loop: workers that are not forked, and a state to continue from."""

import random
from collections.abc import Iterator
from typing import Literal, TypedDict, final

import numpy as np
import torch
import torch.utils.data

from simfactory.errors import SpecError
from training.data.sample import Batch, Sample, collate
from training.data.sampler import WindowSampler

__all__ = ["LoaderState", "WindowLoader"]

StartMethod = Literal["forkserver", "spawn"]


class LoaderState(TypedDict):
    """Where a loader is; plain JSON.

    Attributes:
        epoch: Number of the epoch.
        position: Windows of it that were handed out, over all processes.
        fingerprint: Of the sampler, so that a state is not used with other clips or options.
    """

    epoch: int
    position: int
    fingerprint: str


@final
class WindowLoader:
    """Iterates over the rest of the sampler's epoch; the next iteration is the next epoch.

    A loop that is broken off continues where it was with the next iteration. `state_dict` counts a batch as done once
    it was handed out, whatever workers have read ahead: save it together with the model after the step.

    Args:
        dataset: A `WindowDataset`, or another that takes its keys, e.g. `CachedWindows`.
        sampler: Order of the keys.
        workers: Processes that read ahead; 0 = read in this one.
        start_method: How workers are started. `fork` is not offered: the threads of the Zarr readers do not live on
            in a forked process, which then hangs or dies.
        prefetch: Batches that each worker reads ahead.
        pin_memory: Whether batches are put into page-locked memory for a GPU.

    Raises:
        SpecError: The start method is not offered, or there are fewer than 0 workers.
    """

    def __init__(
        self,
        dataset: torch.utils.data.Dataset[Sample],
        sampler: WindowSampler,
        *,
        workers: int = 0,
        start_method: StartMethod = "forkserver",
        prefetch: int = 2,
        pin_memory: bool = False,
    ) -> None:
        if start_method not in ("forkserver", "spawn"):
            raise SpecError(
                f"start_method={start_method!r}; choose forkserver or spawn: readers of the store do not survive a fork"
            )
        if workers < 0 or prefetch < 1:
            raise SpecError(f"workers={workers}, prefetch={prefetch}; give 0 or more workers and 1 or more batches")
        self.sampler = sampler
        self._loader: torch.utils.data.DataLoader[Batch] = torch.utils.data.DataLoader(
            dataset,  # type: ignore[arg-type]  # what it yields is typed after collating
            batch_sampler=sampler,
            num_workers=workers,
            multiprocessing_context=start_method if workers else None,
            prefetch_factor=prefetch if workers else None,
            persistent_workers=workers > 0,
            collate_fn=collate,
            worker_init_fn=_seed_worker,
            pin_memory=pin_memory,
            generator=torch.Generator().manual_seed((sampler.seed * sampler.world + sampler.rank) % 2**63),
        )

    def __len__(self) -> int:
        """Return the number of batches that are left of this epoch."""
        return len(self.sampler)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches that are left of this epoch, then move on to the next one."""
        for batch in self._loader:
            self.sampler.position += self.sampler.global_batch
            yield batch
        self.sampler.epoch += 1
        self.sampler.position = 0

    def state_dict(self) -> LoaderState:
        """Return where the loader is."""
        sampler = self.sampler
        return LoaderState(epoch=sampler.epoch, position=sampler.position, fingerprint=sampler.fingerprint)

    def load_state_dict(self, state: LoaderState) -> None:
        """Continue from a state: the next iteration yields, byte for byte, what would have followed it.

        The number of processes may be another one if the windows of a step over all of them are as many.

        Raises:
            SpecError: The state belongs to other clips or options, or lies between two steps.
        """
        sampler = self.sampler
        if state["fingerprint"] != sampler.fingerprint:
            raise SpecError(
                f"the state was saved with {state['fingerprint']}, this loader has {sampler.fingerprint}: clips or "
                "options differ; continue with those of the first run, or begin anew"
            )
        if state["position"] % sampler.global_batch:
            raise SpecError(
                f"the state lies at window {state['position']}, which is no whole number of steps of "
                f"{sampler.global_batch} windows; keep batch_size × world as it was"
            )
        sampler.epoch, sampler.position = state["epoch"], state["position"]


def _seed_worker(worker: int) -> None:
    """Seed what a transform might draw from; torch has seeded itself. Our own draws come with the keys."""
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # whoever uses numpy's global generator gets a seeded one
