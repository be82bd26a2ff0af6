"""The queue between the control plane and its workers: shards out, results back, over Redis by RQ.

A shard is a few resolved episodes: one compressed blob, whose key and digest an RQ job carries. Nothing that the queue
holds is run: a job names the one function that is allowed, and what a worker does with a shard is its own code. All of
it can be rebuilt from the control plane's database.

    rq:queue:sf-BACKEND-PRIORITY  RQ's lists of jobs, one for each backend and priority
    sf:shard:ID                   blob of a shard
    sf:begun:ID                   episodes of it that a worker has begun and not yet reported
    sf:leases                     shard → worker and its heartbeat, counted up by the worker's sidecar
    sf:workers                    worker → what it does, with the same heartbeat
    sf:results                    stream of results; the control plane reads it and cuts it off
    sf:watched                    is there while somebody looks at live pictures
    sf:live:WORKER                the latest of them, while they are new
    sf:stopped, sf:draining       jobs that are cancelled or paused, workers that shall take nothing more
"""

import hashlib
import json
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from threading import Event
from typing import Any, TypeVar, cast

import redis
from rq import Queue
from rq.exceptions import DequeueTimeout, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from simfactory.errors import QueueError

__all__ = ["PRIORITIES", "PROTOCOL", "Shard", "ShardQueue", "Unit", "connect", "queue_name", "until_there"]

T = TypeVar("T")

PROTOCOL = f"1/{version('simfactory')}"  # workers and control plane must agree
PRIORITIES = ("high", "default", "low")
TASK = "simfactory.worker.run_shard"  # what a job names, and nothing else
BLOB, BEGUN, LIVE = "sf:shard:", "sf:begun:", "sf:live:"
LEASES, WORKERS, RESULTS, STOPPED, DRAINING, HANDSHAKE = (
    "sf:leases", "sf:workers", "sf:results", "sf:stopped", "sf:draining", "sf:protocol",
)  # fmt: skip
WATCHED = "sf:watched"
WATCH_SECONDS, LIVE_SECONDS = 10, 30
BLOB_BYTES_MAX = 64 << 20
PAUSE_MAX = 1.0
ANSWER_SECONDS = 15.0  # longer than any wait for a shard or a result
AWAY = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError)


def connect(url: str) -> redis.Redis:
    """Return a connection; it is made at the first command."""
    return redis.Redis.from_url(url, socket_connect_timeout=5.0, socket_timeout=ANSWER_SECONDS)


def until_there(call: Callable[[], T], stop: Event) -> T | None:
    """Return what a call returns, however long the queue's server is away; None once `stop` is set meanwhile."""
    pause = 0.05
    while True:
        try:
            return call()
        except AWAY:
            if stop.wait(pause):
                return None
            pause = min(2 * pause, PAUSE_MAX)


def queue_name(backend: str, priority: str) -> str:
    """Return the name of the RQ queue of a backend and priority."""
    return f"sf-{backend}-{priority}"


@dataclass(frozen=True, slots=True)
class Unit:
    """An episode, or a group of siblings, of a job's plan.

    Attributes:
        part: Which part of the plan it belongs to.
        index: Its number in this part.
        attempt: Number of the replacement.
        specs: Its resolved scene specs, as JSON.
    """

    part: int
    index: int
    attempt: int
    specs: tuple[dict[str, Any], ...]  # Any: SceneSpec as JSON

    @property
    def key(self) -> tuple[int, int, int]:
        """What identifies it within its job."""
        return self.part, self.index, self.attempt


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
    """What one queue job carries.

    Attributes:
        id: Its id.
        job: Id of the job.
        dataset: Name of the dataset that its clips go to.
        profile: Precision profile of this dataset.
        backend: Simulator backend.
        preset: Render preset.
        alone: Whether nothing may be worked on beside it: it may have broken a worker.
        units: Its episodes.
    """

    id: str
    job: str
    dataset: str
    profile: str
    backend: str
    preset: str
    alone: bool
    units: tuple[Unit, ...]

    @property
    def group(self) -> tuple[str, str, str, str, bool]:
        """What shards must share to be recorded by one run of an engine."""
        return self.dataset, self.profile, self.backend, self.preset, self.alone

    def pack(self) -> bytes:
        """Return the blob."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["units"] = [{each.name: getattr(unit, each.name) for each in fields(unit)} for unit in self.units]
        return zlib.compress(json.dumps(values, separators=(",", ":")).encode(), 6)

    @classmethod
    def unpack(cls, blob: bytes, digest: str) -> "Shard":
        """Return the shard of a blob.

        Raises:
            QueueError: The blob is not the one that the digest belongs to, or no shard.
        """
        if hashlib.sha256(blob).hexdigest() != digest:
            raise QueueError("a shard's blob is not the one that was queued")
        unpacker = zlib.decompressobj()
        try:
            text = unpacker.decompress(blob, BLOB_BYTES_MAX)
        except zlib.error as error:
            raise QueueError(f"a shard's blob cannot be read: {error}") from error
        if unpacker.unconsumed_tail:
            raise QueueError(f"a shard has more than {BLOB_BYTES_MAX} bytes")
        try:
            values = json.loads(text)
            units = tuple(
                Unit(unit["part"], unit["index"], unit["attempt"], tuple(unit["specs"])) for unit in values.pop("units")
            )
            return cls(units=units, **values)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise QueueError(f"a shard's blob cannot be read: {error}") from error


class ShardJob(Job):
    """An RQ job that names a shard; one that names anything else is refused, and never run."""

    @classmethod
    def fetch(cls, id: str, connection: Any = None, serializer: Any = None) -> "ShardJob":  # Any: RQ's own signature
        """Return the job.

        Raises:
            QueueError: It is not a shard's.
        """
        job = cast(ShardJob, super().fetch(id, connection=connection, serializer=serializer))
        try:
            name, arguments, rest = job.func_name, job.args, job.kwargs
        except NoSuchJobError:
            raise
        except Exception as error:  # whatever its data makes the deserialiser raise
            raise QueueError(f"queue job {id}: its data cannot be read; it was dropped") from error
        strings = [value for value in arguments or () if isinstance(value, str)]
        if name != TASK or rest or len(strings) != 2 or len(arguments) != 2:
            raise QueueError(f"queue job {id} names {name!r}; only {TASK} with a shard's id and digest is run: dropped")
        return job


class ShardQueue:
    """Both ends of the queue.

    Args:
        connection: To its server.
    """

    def __init__(self, connection: redis.Redis) -> None:
        self.connection = connection

    # ── the control plane's end ──────────────────────────────────────────────────────────────────────────────────────

    def push(self, shard: Shard, priority: str, *, at_front: bool = False) -> None:
        """Queue a shard; one that is queued already is replaced."""
        blob = shard.pack()
        self.connection.set(BLOB + shard.id, blob)
        self._queue(queue_name(shard.backend, priority)).enqueue_call(
            TASK,
            args=(shard.id, hashlib.sha256(blob).hexdigest()),
            job_id=shard.id,
            timeout=-1,
            result_ttl=0,
            at_front=at_front,
        )

    def drop(self, shard: str, name: str) -> None:
        """Forget a shard."""
        self.connection.lrem(self._queue(name).key, 0, shard)
        self.connection.delete(BLOB + shard, BEGUN + shard, f"rq:job:{shard}")
        self.connection.hdel(LEASES, shard)

    def forget(self, shards: Iterable[str]) -> None:
        """Drop what shards that are done with have left in the server's memory."""
        keys = [key for shard in shards for key in (BLOB + shard, BEGUN + shard, f"rq:job:{shard}")]
        if keys:
            self.connection.unlink(*keys)

    def queued(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Return the ids of the shards that wait, by name of the queue."""
        return {name: self._queue(name).get_job_ids() for name in names}

    def depth(self, names: Iterable[str]) -> dict[str, int]:
        """Return how many shards wait, by name of the queue."""
        wanted = list(names)
        with self.connection.pipeline(transaction=False) as pipe:
            for name in wanted:
                pipe.llen(self._queue(name).key)
            return dict(zip(wanted, pipe.execute(), strict=True))

    def leases(self) -> dict[str, dict[str, Any]]:  # Any: JSON
        """Return by shard which worker has it, and its heartbeat."""
        return _decoded(self.connection.hgetall(LEASES))

    def workers(self) -> dict[str, dict[str, Any]]:  # Any: JSON
        """Return by worker what it reports."""
        return _decoded(self.connection.hgetall(WORKERS))

    def worker_count(self) -> int:
        """Return how many workers report."""
        return self.connection.hlen(WORKERS)

    def forget_worker(self, name: str) -> None:
        """Drop a worker that reports no more."""
        self.connection.hdel(WORKERS, name)
        self.connection.srem(DRAINING, name)

    def begun(self, shard: str) -> list[tuple[int, int, int]]:
        """Return the keys of the episodes of a shard that were begun and not reported."""
        return [_key(field) for field in self.connection.hkeys(BEGUN + shard)]

    def results(
        self, after: str, *, count: int = 256, block: float | None = None
    ) -> list[tuple[str, dict[str, Any]]]:  # Any: JSON
        """Return results after a position, with their own; waits up to `block` [s] for the first."""
        milliseconds = None if block is None else max(1, int(block * 1000))
        found: Any = self.connection.xread({RESULTS: after}, count=count, block=milliseconds)  # Any: redis-py's union
        if not found:
            return []
        return [(entry.decode(), _report(fields)) for entry, fields in found[0][1]]

    def newest_result(self) -> str:
        """Return the position of the newest result there ever was; `0-0` before the first."""
        try:
            info: Any = self.connection.xinfo_stream(RESULTS)  # Any: redis-py's union
        except redis.ResponseError:  # no stream yet
            return "0-0"
        return str(info["last-generated-id"].decode())

    def cut_results(self, upto: str) -> None:
        """Drop the results up to a position: they are in the database."""
        self.connection.xtrim(RESULTS, minid=_after(upto), approximate=False)

    def set_stopped(self, jobs: Sequence[str]) -> None:
        """Name the jobs that workers shall not go on with."""
        with self.connection.pipeline() as pipe:
            pipe.delete(STOPPED)
            if jobs:
                pipe.sadd(STOPPED, *jobs)
            pipe.execute()

    def drain(self, worker: str) -> None:
        """Have a worker take nothing more."""
        self.connection.sadd(DRAINING, worker)

    def watch(self) -> None:
        """Say that somebody looks at what workers show; it holds for `WATCH_SECONDS`."""
        self.connection.set(WATCHED, "1", ex=WATCH_SECONDS)

    def showing(self, workers: Sequence[str], words: Sequence[str]) -> dict[str, tuple[dict[str, str], list[str]]]:
        """Return by worker what its picture is of, in some words, and the names of all that it shows."""
        with self.connection.pipeline(transaction=False) as pipe:
            for worker in workers:
                pipe.hmget(LIVE + worker, list(words))
                pipe.hkeys(LIVE + worker)
            told: list[Any] = pipe.execute()  # Any: redis-py's union
        found = {}
        for worker, values, names in zip(workers, told[::2], told[1::2], strict=True):
            known = {word: value.decode() for word, value in zip(words, values, strict=True) if value is not None}
            found[worker] = known, [name.decode() for name in names]
        return found

    def shown(self, worker: str, names: Sequence[str]) -> dict[str, bytes]:
        """Return what a worker shows; what it does not, or not any more, is left out."""
        values: Any = self.connection.hmget(LIVE + worker, list(names))  # Any: redis-py's union
        return {name: value for name, value in zip(names, values, strict=True) if value is not None}

    def greet(self) -> None:
        """Say which protocol is spoken here."""
        self.connection.set(HANDSHAKE, PROTOCOL)

    # ── a worker's end ───────────────────────────────────────────────────────────────────────────────────────────────

    def check_protocol(self) -> bool:
        """Tell whether a control plane is there.

        Raises:
            QueueError: It speaks another protocol.
        """
        spoken = cast(bytes | None, self.connection.get(HANDSHAKE))
        if spoken is not None and spoken.decode() != PROTOCOL:
            raise QueueError(
                f"the control plane speaks protocol {spoken.decode()}, this worker {PROTOCOL}: install one version"
            )
        return spoken is not None

    def pop(self, backends: Sequence[str], *, wait: int | None) -> Shard | None:
        """Take the next shard, highest priority first; None if there is none.

        What is no shard is dropped, with an error in its place.

        Args:
            backends: Which are served.
            wait: Seconds to wait for one; None = not at all.

        Raises:
            QueueError: What was queued is no shard.
        """
        queues = [self._queue(queue_name(backend, priority)) for priority in PRIORITIES for backend in backends]
        try:
            found = Queue.dequeue_any(
                queues, wait, connection=self.connection, job_class=ShardJob, serializer=JSONSerializer
            )
        except DequeueTimeout:
            return None
        except QueueError as error:
            self.report({"kind": "refused", "detail": str(error), "at": time.time()})
            raise
        if found is None:
            return None
        shard, digest = found[0].args
        blob = cast(bytes | None, self.connection.get(BLOB + shard))
        if blob is None:  # somebody finished it
            return None
        try:
            return Shard.unpack(blob, digest)
        except QueueError as error:
            self.report({"kind": "refused", "detail": f"shard {shard}: {error}", "at": time.time()})
            raise

    def begin(self, shard: str, unit: tuple[int, int, int]) -> None:
        """Note that an episode is begun."""
        self.connection.hset(BEGUN + shard, ".".join(map(str, unit)), "1")

    def ended(self, shard: str, unit: tuple[int, int, int], message: Mapping[str, object]) -> None:
        """Report what became of an episode."""
        with self.connection.pipeline() as pipe:
            pipe.xadd(RESULTS, {"m": json.dumps(message)})
            pipe.hdel(BEGUN + shard, ".".join(map(str, unit)))
            pipe.execute()

    def report(self, message: Mapping[str, object]) -> None:
        """Report anything else."""
        self.connection.xadd(RESULTS, {"m": json.dumps(message)})

    def beat(self, worker: str, count: int, shards: Iterable[str], status: Mapping[str, object]) -> None:
        """Renew a worker's leases and say what it does."""
        with self.connection.pipeline() as pipe:
            for shard in shards:
                pipe.hset(LEASES, shard, json.dumps({"worker": worker, "beat": count}))
            pipe.hset(WORKERS, worker, json.dumps({**status, "count": count}))
            pipe.execute()

    def release(self, shards: Iterable[str]) -> None:
        """Give leases up."""
        names = list(shards)
        if names:
            self.connection.hdel(LEASES, *names)

    def orders(self, worker: str) -> tuple[set[str], bool]:
        """Return the jobs that are stopped, and whether the worker shall take nothing more."""
        stopped = cast(set[bytes], self.connection.smembers(STOPPED))
        return {job.decode() for job in stopped}, bool(self.connection.sismember(DRAINING, worker))

    def is_watched(self) -> bool:
        """Tell whether somebody looks."""
        return bool(self.connection.exists(WATCHED))

    def show(self, worker: str, fields: Mapping[str, str | int | bytes]) -> None:
        """Show pictures, and what they are of; all at once, in place of what was shown before."""
        mapping: dict[Any, Any] = {**fields}  # Any: redis-py's union
        with self.connection.pipeline() as pipe:
            pipe.delete(LIVE + worker)
            pipe.hset(LIVE + worker, mapping=mapping)
            pipe.expire(LIVE + worker, LIVE_SECONDS)
            pipe.execute()

    def _queue(self, name: str) -> Queue:
        return Queue(name, connection=self.connection, job_class=ShardJob, serializer=JSONSerializer)


def _decoded(fields: Any) -> dict[str, dict[str, Any]]:  # Any: redis-py's union
    """Return what can be read of what workers wrote: one that writes nonsense does not hide the others."""
    found = {}
    for name, value in fields.items():
        try:
            read = json.loads(value)
        except (ValueError, RecursionError):
            continue
        if isinstance(read, dict):
            found[name.decode(errors="replace")] = read
    return found


def _report(fields: Mapping[bytes, bytes]) -> dict[str, Any]:  # Any: JSON
    """Return a report; one that cannot be read says so itself."""
    try:
        found = json.loads(fields[b"m"])
    except (KeyError, ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"kind": "refused", "detail": "a report that cannot be read"}


def _key(field: bytes | str) -> tuple[int, int, int]:
    text = field if isinstance(field, str) else field.decode()
    part, index, attempt = map(int, text.split("."))
    return part, index, attempt


def _after(position: str) -> str:
    """Return the position right after one."""
    first, _, second = position.partition("-")
    return f"{first}-{int(second or 0) + 1}"
