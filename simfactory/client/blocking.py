"""The blocking client: the calls of `AsyncClient`, each of which returns when it is done."""

from collections.abc import Generator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from simfactory.client.asynchronous import TIMEOUT_SECONDS, AsyncClient
from simfactory.client.endpoint import Endpoint
from simfactory.client.retries import Retries
from simfactory.client.transport import BlockingTransport, iterated, run
from simfactory.client.wire import FileEntry, Layout
from simfactory.protocol import (
    AssetSet,
    Clip,
    Dataset,
    DatasetVersion,
    Estimate,
    Event,
    Failure,
    Health,
    Job,
    JobRequest,
    JobState,
    Scene,
    Worker,
)

__all__ = ["Client"]


class Client:
    """Asks one service; use it as a context manager, from any number of threads.

    Every call raises `ServiceError` when the service is not there, refuses, or answers something else.

    Args:
        endpoint: Where the service is; see `Client.of`.
        timeout: Longest wait for an answer [s].
        retries: Which requests are sent again, and when.
    """

    def __init__(self, endpoint: Endpoint, *, timeout: float = TIMEOUT_SECONDS, retries: Retries | None = None) -> None:
        transport = BlockingTransport(endpoint, timeout=timeout)
        self._calls = AsyncClient(endpoint, timeout=timeout, retries=retries, transport=transport)

    @classmethod
    def of(cls, url: str | None = None, state: str | Path | None = None, token: str | None = None) -> Self:
        """Return a client of the service that is meant; see `Endpoint.of`."""
        return cls(Endpoint.of(url, state, token))

    @property
    def endpoint(self) -> Endpoint:
        """Where the service is."""
        return self._calls.endpoint

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        run(self._calls.close())

    # Jobs

    def submit(self, request: JobRequest, *, key: str | None = None) -> Job:
        """Submit a job, once, however often it has to be sent; see `AsyncClient.submit`."""
        return run(self._calls.submit(request, key=key))

    def estimate(self, request: JobRequest) -> Estimate:
        """Return what a job would take."""
        return run(self._calls.estimate(request))

    def jobs(
        self,
        *,
        state: JobState | None = None,
        tag: str | None = None,
        dataset: str | None = None,
        page: int | None = None,
    ) -> Generator[Job, None, None]:
        """Yield jobs, newest first; `page` is how many are asked for at a time."""
        return iterated(self._calls.jobs(state=state, tag=tag, dataset=dataset, page=page))

    def job(self, job: str) -> Job:
        """Return a job."""
        return run(self._calls.job(job))

    def cancel(self, job: str) -> Job:
        """End a job; what is committed stays."""
        return run(self._calls.cancel(job))

    def pause(self, job: str) -> Job:
        """Let a job rest."""
        return run(self._calls.pause(job))

    def resume(self, job: str) -> Job:
        """Let a paused job go on."""
        return run(self._calls.resume(job))

    def retry(self, job: str) -> Job:
        """Try the episodes that a job gave up again."""
        return run(self._calls.retry(job))

    def failures(self, job: str) -> list[Failure]:
        """Return the episodes that a job gave up."""
        return run(self._calls.failures(job))

    def watch(self, job: str, *, every: float = 0.5) -> Generator[Job, None, None]:
        """Yield a job now and whenever it has changed, until it has ended; see `AsyncClient.watch`."""
        return iterated(self._calls.watch(job, every=every))

    def events(self, job: str | None = None, *, after: int | None = None) -> Generator[Event, None, None]:
        """Yield what happens, without end; see `AsyncClient.events`."""
        return iterated(self._calls.events(job, after=after))

    # Clips and datasets

    def clips(
        self,
        *,
        dataset: str | None = None,
        category: str | None = None,
        scene: str | None = None,
        tier: str | None = None,
        split: str | None = None,
        job: str | None = None,
        page: int | None = None,
    ) -> Generator[Clip, None, None]:
        """Yield clips in the order they were committed."""
        return iterated(
            self._calls.clips(
                dataset=dataset, category=category, scene=scene, tier=tier, split=split, job=job, page=page
            )
        )

    def job_clips(self, job: str, *, page: int | None = None) -> Generator[Clip, None, None]:
        """Yield the clips that a job committed."""
        return iterated(self._calls.job_clips(job, page=page))

    def clip(self, clip: str) -> Clip:
        """Return a clip."""
        return run(self._calls.clip(clip))

    def clip_files(self, clip: str) -> list[FileEntry]:
        """Return the files of a clip."""
        return run(self._calls.clip_files(clip))

    def download_clip(self, clip: str, folder: Path) -> Path:
        """Write a clip's files into `<folder>/<clip>.zarr`; see `AsyncClient.download_clip`."""
        return run(self._calls.download_clip(clip, folder))

    def datasets(self) -> list[Dataset]:
        """Return all datasets."""
        return run(self._calls.datasets())

    def dataset(self, name: str) -> Dataset:
        """Return a dataset."""
        return run(self._calls.dataset(name))

    def create_version(self, name: str) -> DatasetVersion:
        """Freeze what a dataset holds now as a version."""
        return run(self._calls.create_version(name))

    def manifest(self, name: str, *, version: int | None = None) -> Generator[Clip, None, None]:
        """Yield the clips of a dataset's version; of what it holds now without one."""
        return iterated(self._calls.manifest(name, version=version))

    def dataset_files(self, name: str, under: str) -> list[FileEntry]:
        """Return the files in a folder of a dataset, e.g. `runs`; none where the service does not list them."""
        return run(self._calls.dataset_files(name, under))

    def dataset_file(self, name: str, path: str) -> bytes:
        """Return a small file of a dataset, such as a commit record."""
        return run(self._calls.dataset_file(name, path))

    def download_dataset_file(self, name: str, entry: FileEntry, target: Path) -> None:
        """Write a file of a dataset to a path; see `AsyncClient.download_dataset_file`."""
        run(self._calls.download_dataset_file(name, entry, target))

    # What there is, and who works

    def scenes(self) -> list[Scene]:
        """Return the base scenes."""
        return run(self._calls.scenes())

    def layouts(self) -> list[Layout]:
        """Return the placements, camera rigs and the like."""
        return run(self._calls.layouts())

    def assets(self) -> list[AssetSet]:
        """Return the asset sets."""
        return run(self._calls.assets())

    def add_assets(
        self, files: Sequence[Path], *, name: str, unit: Literal["m", "cm", "mm", "in"] | None = None, licence: str = ""
    ) -> AssetSet:
        """Upload meshes as one set; see `AsyncClient.add_assets`."""
        return run(self._calls.add_assets(files, name=name, unit=unit, licence=licence))

    def workers(self) -> list[Worker]:
        """Return the workers that are there."""
        return run(self._calls.workers())

    def drain(self, worker: str) -> None:
        """Let a worker finish what it has begun, and leave."""
        run(self._calls.drain(worker))

    def health(self, *, ready: bool = False) -> Health:
        """Return whether the service works; see `AsyncClient.health`."""
        return run(self._calls.health(ready=ready))
