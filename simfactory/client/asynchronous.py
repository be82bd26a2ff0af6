"""The client for asyncio: every call of the service, typed."""

import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import httpx
from pydantic import TypeAdapter

from simfactory.client.downloads import download, local_path
from simfactory.client.endpoint import Endpoint
from simfactory.client.problems import parsed, refusal, unreachable
from simfactory.client.retries import Retries
from simfactory.client.session import Session
from simfactory.client.transport import AsyncTransport, Transport
from simfactory.client.watching import listen, watch
from simfactory.client.wire import Call, FileEntry, FileList, Layout, Upload, segment, segments
from simfactory.errors import AssetError, ServiceError
from simfactory.protocol import (
    AssetSet,
    Clip,
    ClipPage,
    Dataset,
    DatasetVersion,
    Estimate,
    Event,
    Failure,
    Health,
    Job,
    JobPage,
    JobRequest,
    JobState,
    Scene,
    Worker,
)

__all__ = ["AsyncClient"]

TIMEOUT_SECONDS = 30.0
PLANNING_SECONDS = 300.0  # the first scenes of a job are sampled, and meshes are repaired, before there is an answer
PAGE = 500

_JOB, _JOBS = TypeAdapter(Job), TypeAdapter(JobPage)
_ESTIMATE, _FAILURES = TypeAdapter(Estimate), TypeAdapter(list[Failure])
_CLIP, _CLIPS, _FILES = TypeAdapter(Clip), TypeAdapter(ClipPage), TypeAdapter(FileList)
_DATASET, _DATASETS = TypeAdapter(Dataset), TypeAdapter(list[Dataset])
_VERSION, _SCENES, _LAYOUTS = TypeAdapter(DatasetVersion), TypeAdapter(list[Scene]), TypeAdapter(list[Layout])
_ASSETS, _ASSET_SETS = TypeAdapter(AssetSet), TypeAdapter(list[AssetSet])
_WORKER, _WORKERS, _HEALTH = TypeAdapter(Worker), TypeAdapter(list[Worker]), TypeAdapter(Health)


class AsyncClient:
    """Asks one service; use it as an async context manager.

    Every call raises `ServiceError` when the service is not there, refuses, or answers something else.

    Args:
        endpoint: Where the service is; see `AsyncClient.of`.
        timeout: Longest wait for an answer [s].
        retries: Which requests are sent again, and when.
        transport: How requests get out; None = by asyncio.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retries: Retries | None = None,
        transport: Transport | None = None,
    ) -> None:
        chosen = transport or AsyncTransport(endpoint, timeout=timeout)
        self._session = Session(endpoint, chosen, retries or Retries())

    @classmethod
    def of(cls, url: str | None = None, state: str | Path | None = None, token: str | None = None) -> Self:
        """Return a client of the service that is meant; see `Endpoint.of`."""
        return cls(Endpoint.of(url, state, token))

    @property
    def endpoint(self) -> Endpoint:
        """Where the service is."""
        return self._session.endpoint

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._session.transport.close()

    # Jobs

    async def submit(self, request: JobRequest, *, key: str | None = None) -> Job:
        """Submit a job, once, however often it has to be sent.

        Args:
            request: What is wanted; only fields that were set are sent, so that a template can fill in the others.
            key: Idempotency key; None = a new one. The same key gives the same job.
        """
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return await self._session.ask(_JOB, _post(request, headers=headers))

    async def estimate(self, request: JobRequest) -> Estimate:
        """Return what a job would take."""
        call = _post(request, query={"dry_run": "true"})
        return await self._session.ask(_ESTIMATE, call)

    def jobs(
        self,
        *,
        state: JobState | None = None,
        tag: str | None = None,
        dataset: str | None = None,
        page: int | None = None,
    ) -> AsyncGenerator[Job, None]:
        """Yield jobs, newest first; `page` is how many are asked for at a time."""
        query = {"state": state, "tag": tag, "dataset": dataset, "limit": page}
        return self._session.listed(_JOBS, "/v1/jobs", query)

    async def job(self, job: str) -> Job:
        """Return a job."""
        return await self._session.ask(_JOB, _get(f"/v1/jobs/{segment(job)}"))

    async def cancel(self, job: str) -> Job:
        """End a job; what is committed stays."""
        return await self._act(job, "cancel")

    async def pause(self, job: str) -> Job:
        """Let a job rest."""
        return await self._act(job, "pause")

    async def resume(self, job: str) -> Job:
        """Let a paused job go on."""
        return await self._act(job, "resume")

    async def retry(self, job: str) -> Job:
        """Try the episodes that a job gave up again."""
        return await self._act(job, "retry")

    async def failures(self, job: str) -> list[Failure]:
        """Return the episodes that a job gave up."""
        return await self._session.ask(_FAILURES, _get(f"/v1/jobs/{segment(job)}/failures"))

    def watch(self, job: str, *, every: float = 0.5) -> AsyncGenerator[Job, None]:
        """Yield a job now and whenever it has changed, until it has ended.

        The service tells when to look; where it cannot, the job is looked at every few seconds. Connections that
        break, also while the service is started anew, are made again.

        Args:
            job: Its id.
            every: Shortest time between two looks [s].
        """
        return watch(self._session, job, every=every)

    async def events(self, job: str | None = None, *, after: int | None = None) -> AsyncGenerator[Event, None]:
        """Yield what happens, without end; a connection that breaks is made again, and nothing is left out.

        Args:
            job: Only what concerns this job.
            after: Id of the last event that is known already; None = from now on.
        """
        async with aclosing(listen(self._session, job, after=after)) as pieces:
            async for piece in pieces:
                for event in piece:
                    yield event

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
    ) -> AsyncGenerator[Clip, None]:
        """Yield clips in the order they were committed."""
        query = {"dataset": dataset, "category": category, "scene": scene, "tier": tier, "split": split, "job": job}
        return self._session.listed(_CLIPS, "/v1/clips", {**query, "limit": page or PAGE})

    def job_clips(self, job: str, *, page: int | None = None) -> AsyncGenerator[Clip, None]:
        """Yield the clips that a job committed."""
        return self._session.listed(_CLIPS, f"/v1/jobs/{segment(job)}/clips", {"limit": page or PAGE})

    async def clip(self, clip: str) -> Clip:
        """Return a clip."""
        return await self._session.ask(_CLIP, _get(f"/v1/clips/{segment(clip)}"))

    async def clip_files(self, clip: str) -> list[FileEntry]:
        """Return the files of a clip."""
        return (await self._session.ask(_FILES, _get(f"/v1/clips/{segment(clip)}/files"))).files

    async def download_clip(self, clip: str, folder: Path) -> Path:
        """Write a clip's files into `<folder>/<clip>.zarr`, resuming where an earlier call broke off; return that.

        Raises:
            CorruptClip: A file is not what its digest says.
        """
        root = local_path(folder, f"{segment(clip)}.zarr")
        for entry in await self.clip_files(clip):
            path = f"/v1/clips/{segment(clip)}/files/{segments(entry.path)}"
            await download(self._session, path, local_path(root, entry.path), entry)
        return root

    async def datasets(self) -> list[Dataset]:
        """Return all datasets."""
        return await self._session.ask(_DATASETS, _get("/v1/datasets"))

    async def dataset(self, name: str) -> Dataset:
        """Return a dataset."""
        return await self._session.ask(_DATASET, _get(f"/v1/datasets/{segment(name)}"))

    async def create_version(self, name: str) -> DatasetVersion:
        """Freeze what a dataset holds now as a version."""
        call = Call(method="POST", path=f"/v1/datasets/{segment(name)}/versions", repeatable=False)
        return await self._session.ask(_VERSION, call)

    def manifest(self, name: str, *, version: int | None = None) -> AsyncGenerator[Clip, None]:
        """Yield the clips of a dataset's version; of what it holds now without one."""
        path = f"/v1/datasets/{segment(name)}/manifest"
        call = Call(method="GET", path=path, query={"version": version}, headers={"Accept": "application/x-ndjson"})
        return self._session.lines(_CLIP, call)

    async def dataset_files(self, name: str, under: str) -> list[FileEntry]:
        """Return the files in a folder of a dataset, e.g. `runs`; none where the service does not list them."""
        call = Call(method="GET", path=f"/v1/datasets/{segment(name)}/files", query={"under": under})
        try:
            return (await self._session.ask(_FILES, call)).files
        except ServiceError as error:
            if error.status in (404, 405):
                return []
            raise

    async def dataset_file(self, name: str, path: str) -> bytes:
        """Return a small file of a dataset, such as a commit record."""
        return (await self._session.reply(_get(_dataset_path(name, path), accept="*/*"))).content

    async def download_dataset_file(self, name: str, entry: FileEntry, target: Path) -> None:
        """Write a file of a dataset to a path, resuming where an earlier call broke off.

        Raises:
            CorruptClip: It is not what its digest says.
        """
        await download(self._session, _dataset_path(name, entry.path), target, entry)

    # What there is, and who works

    async def scenes(self) -> list[Scene]:
        """Return the base scenes."""
        return await self._session.ask(_SCENES, _get("/v1/scenes"))

    async def layouts(self) -> list[Layout]:
        """Return the placements, camera rigs and the like."""
        return await self._session.ask(_LAYOUTS, _get("/v1/layouts"))

    async def assets(self) -> list[AssetSet]:
        """Return the asset sets."""
        return await self._session.ask(_ASSET_SETS, _get("/v1/assets"))

    async def add_assets(
        self, files: Sequence[Path], *, name: str, unit: Literal["m", "cm", "mm", "in"] | None = None, licence: str = ""
    ) -> AssetSet:
        """Upload meshes as one set.

        Args:
            files: Mesh files.
            name: What people call the set.
            unit: What one unit of the files is; None = the service's default.
            licence: Their licence, an SPDX identifier; empty = not stated.

        Raises:
            AssetError: A file cannot be read.
        """
        given = {"name": name, "unit": unit or "", "licence": licence}
        form = {field: value for field, value in given.items() if value}
        call = Call(
            method="POST",
            path="/v1/assets",
            form=form,
            files=_uploads(files),
            timeout=PLANNING_SECONDS,
            repeatable=False,
        )
        return await self._session.ask(_ASSETS, call)

    async def workers(self) -> list[Worker]:
        """Return the workers that are there."""
        return await self._session.ask(_WORKERS, _get("/v1/workers"))

    async def drain(self, worker: str) -> None:
        """Let a worker finish what it has begun, and leave."""
        await self._session.reply(Call(method="POST", path=f"/v1/workers/{segment(worker)}:drain"))

    async def health(self, *, ready: bool = False) -> Health:
        """Return whether the service works; with `ready`, whether it can take jobs. The token is not sent."""
        call = Call(method="GET", path="/readyz" if ready else "/healthz", has_token=False)
        try:
            reply = await self._session.transport.send(call)
        except httpx.TransportError as error:
            raise unreachable(self.endpoint, error) from error
        degraded = reply.status_code == httpx.codes.SERVICE_UNAVAILABLE and "problem" not in _kind(reply)
        if not (reply.is_success or degraded):
            raise refusal(reply)
        return parsed(_HEALTH, reply)

    async def _act(self, job: str, action: str) -> Job:
        # Doing the others twice changes nothing more; a second `retry` could take what the first one has started.
        call = Call(method="POST", path=f"/v1/jobs/{segment(job)}:{action}", repeatable=action != "retry")
        return await self._session.ask(_JOB, call)


def _get(path: str, *, accept: str = "application/json") -> Call:
    return Call(method="GET", path=path, headers={"Accept": accept})


def _post(
    request: JobRequest, *, headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None
) -> Call:
    body = request.model_dump_json(exclude_unset=True)
    return Call(
        method="POST", path="/v1/jobs", query=query or {}, headers=headers or {}, body=body, timeout=PLANNING_SECONDS
    )


def _dataset_path(name: str, path: str) -> str:
    return f"/v1/datasets/{segment(name)}/files/{segments(path)}"


def _kind(reply: httpx.Response) -> str:
    return str(reply.headers.get("Content-Type", ""))


def _uploads(files: Sequence[Path]) -> tuple[Upload, ...]:
    try:
        return tuple(("files", (file.name, file.read_bytes(), "application/octet-stream")) for file in files)
    except OSError as error:
        raise AssetError(f"{error.filename}: {error.strerror}; name mesh files, OBJ, STL, PLY or GLB") from error
