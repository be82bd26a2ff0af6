"""What a long queue costs: to fill, to empty, to keep; and what the control plane's threads manage, each alone."""

import argparse
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from service.made_up import made_up_clip
from service.servers import cpu_seconds, postgres_processes, queue_server
from sqlalchemy import delete, func, insert, select

from api.control import Control
from api.database import Database
from api.jobs import add_job
from api.metrics import metrics_text
from api.planner import Plan
from api.settings import Settings
from api.tables import ClipRow, JobRow, ShardRow
from simfactory.protocol import JobItem, JobRequest
from simfactory.queue import Shard, ShardQueue, Unit, connect, queue_name

__all__ = ["measure_shards", "unit_report"]

CATEGORIES = ("rigid", "cloth", "granular", "articulated")  # of small and of large specs
UNITS = 8  # of a shard
CAMERAS = 5
BACKEND, PRIORITY = "mock", "default"
BACKLOG = 3  # shards of a job that the dispatcher hands out here: each takes a second or so to sample


@dataclass(slots=True)
class Timer:
    """Time on the wall and of processors [s]; `servers` is that of the servers that were named."""

    wall: float = 0.0
    cpu: float = 0.0
    servers: float = 0.0


@contextmanager
def timed(servers: Sequence[int] = ()) -> Iterator[Timer]:
    """Measure a block: this process, and servers that work for it."""
    timer = Timer()
    begin, used, theirs = time.perf_counter(), time.process_time(), sum(map(cpu_seconds, servers))
    yield timer
    timer.wall = time.perf_counter() - begin
    timer.cpu = time.process_time() - used
    timer.servers = sum(map(cpu_seconds, servers)) - theirs


def measure_shards(folder: Path, name: str, address: str, options: argparse.Namespace) -> dict[str, object]:
    """Return the figures of one database; those of the queue alone are taken with the first."""
    report: dict[str, object] = {}
    with queue_server(folder) as url:
        queue = ShardQueue(connect(url))
        if name == options.databases[0]:
            report["queue"] = _long_queue(queue, options.shards)
        settings = Settings(state=folder, data=folder / "data", redis=url, database=address, backlog=BACKLOG)
        database = Database(address)
        control = Control(database, settings)
        report["dispatcher"] = _dispatcher(database, control, CATEGORIES[: 1 if options.quick else None])
        report["reader"] = _reader(database, control, address, options.results)
        report["rounds"] = [_rounds(database, control, address, count) for count in options.open_shards]
        database.close()
    return report


def _long_queue(queue: ShardQueue, count: int) -> dict[str, object]:
    """Push so many shards, then pop them all."""
    rng, units = random.Random(5), _units()
    next(units)  # samples them
    server = int(_told(queue, "server")["process_id"])
    before = int(_told(queue, "memory")["used_memory"])
    packed = spent = 0.0
    with timed([server]) as pushing:
        for number in range(count):
            shard = _shard(f"s{number:012x}", [next(units) for _ in range(UNITS)])
            if number % 100 == 0:
                used = time.process_time()
                packed += len(shard.pack())
                spent += time.process_time() - used
            queue.push(shard, rng.choice(("high", "default", "default", "low")))
    sampled = -(-count // 100)
    full = int(_told(queue, "memory")["used_memory"])
    names = [queue_name(BACKEND, priority) for priority in ("high", "default", "low")]
    with timed([server]) as listing:
        listed = sum(len(ids) for ids in queue.queued(names).values())
    popped: list[str] = []
    with timed([server]) as popping:
        while (found := queue.pop([BACKEND], wait=None)) is not None:
            popped.append(found.id)
    if listed != count or len(popped) != count:
        raise RuntimeError(f"{count} shards in, {listed} listed, {len(popped)} out")
    for begin in range(0, count, 1000):
        queue.forget(popped[begin : begin + 1000])
    left = int(_told(queue, "memory")["used_memory"])
    return {
        "shards": count,
        "packed_bytes": round(packed / sampled),
        "pack_cpu_ms": round(1e3 * spent / sampled, 3),
        "push": _rates(pushing, count),
        "pop": _rates(popping, count),
        "list_all_cpu_ms": round(1e3 * (listing.cpu + listing.servers), 1),
        "memory_bytes_per_shard": round((full - before) / count),
        "memory_megabytes": round(full / 2**20),
        "left_bytes_per_shard": round((left - before) / count, 1),
    }


def _dispatcher(database: Database, control: Control, categories: Sequence[str]) -> dict[str, object]:
    """Hand out a few shards of a job of each category."""
    found: dict[str, object] = {}
    for category in categories:
        _job(database, category)
        with timed() as filling:
            count = control.dispatcher.fill()
        with database.writing() as session:
            units = sum(len(row.units) for row in session.scalars(select(ShardRow)))
            names = {row.id: row.queue for row in session.scalars(select(ShardRow))}
            session.execute(delete(ShardRow))
        for shard, queue in names.items():
            control.queue.drop(shard, queue)
        found[category] = {
            "shards": count,
            "cpu_ms_per_episode": round(1e3 * filling.cpu / units, 2),
            "clips_per_cpu_second": round(CAMERAS * units / filling.cpu),
        }
        _end_jobs(database)
    return found


def _reader(database: Database, control: Control, address: str, count: int) -> dict[str, object]:
    """Enter reports that wait in the stream already, five clips each."""
    job = _job(database, "rigid")
    shards = [f"s{number:012x}" for number in range(-(-count // UNITS))]
    _open_shards(database, job, shards)
    for number in range(count):
        key = (0, number % UNITS, 0)
        control.queue.ended(shards[number // UNITS], key, unit_report(shards[number // UNITS], job, key, number))
    servers = [int(_told(control.queue, "server")["process_id"]), *postgres_processes(address)]
    with timed(servers) as reading:
        while control.read(control.queue):
            pass
    with database.reading() as session:
        clips = session.scalar(select(func.count()).select_from(ClipRow))
    if clips != CAMERAS * count:
        raise RuntimeError(f"{clips} of {CAMERAS * count} clips were entered")
    _end_jobs(database)
    return {
        "episodes": count,
        "clips_per_second": round(CAMERAS * count / reading.wall),
        "clips_per_cpu_second": round(CAMERAS * count / reading.cpu),
        "cpu_ms_per_episode": round(1e3 * reading.cpu / count, 2),
        "servers_cpu_ms_per_episode": round(1e3 * reading.servers / count, 2),
    }


def _rounds(database: Database, control: Control, address: str, count: int) -> dict[str, object]:
    """Return what a round of each thread, and a call of /metrics, takes while so many shards are out."""
    job = _job(database, "rigid")
    names = [f"s{number:012x}" for number in range(count)]
    _open_shards(database, job, names)
    (unit,) = itertools.islice(_units(), 1)
    for name in names:
        control.queue.push(_shard(name, [unit]), PRIORITY)
    servers = [int(_told(control.queue, "server")["process_id"]), *postgres_processes(address)]
    figures: dict[str, object] = {"open_shards": count}
    calls = {
        "janitor": control.janitor,
        "dispatcher": control.dispatcher.fill,
        "metrics": lambda: metrics_text(database, control),
    }
    for name, call in calls.items():
        best = Timer(wall=1e9, cpu=1e9)
        for _ in range(5):
            with timed(servers) as one:
                call()
            best = min(best, one, key=lambda timer: timer.cpu)
        figures[name] = {"cpu_ms": round(1e3 * best.cpu, 1), "wall_ms": round(1e3 * best.wall, 1)}
    for begin in range(0, count, 1000):
        control.queue.forget(names[begin : begin + 1000])
    control.queue.connection.delete(f"rq:queue:{queue_name(BACKEND, PRIORITY)}")
    _end_jobs(database)
    return figures


def unit_report(
    shard: str, job: str, key: tuple[int, int, int], number: int, cameras: int = CAMERAS
) -> dict[str, object]:
    """Return what a worker reports of an episode whose clips are all committed."""
    clips = [
        made_up_clip(
            (number << 4) + camera, category="rigid", scene="ramp", tier="single", split="train", backend=BACKEND
        )
        for camera in range(cameras)
    ]
    return {
        "kind": "unit", "shard": shard, "job": job, "dataset": "scale", "unit": [*key], "status": "committed",
        "clips": clips, "added": cameras, "steps": 48, "backend": BACKEND, "reasons": [], "failure": "",
        "worker": "benchmark", "device": "cpu", "stages": {"simulation": 0.1, "shading": 2.0}, "at": time.time(),
    }  # fmt: skip


def _units() -> Iterator[Unit]:
    """Yield units without end: thirty-two sampled ones again and again."""
    return itertools.cycle(_sampled())


@cache
def _sampled() -> list[Unit]:
    found = []
    for category in CATEGORIES:
        plan = Plan(JobRequest(dataset="scale", items=[JobItem(category=category, clips=1000)]))
        for index in range(8):
            specs = tuple(spec.model_dump(mode="json") for spec in plan.units(0, index, 0))
            found.append(Unit(0, index, 0, specs))
    random.Random(3).shuffle(found)
    return found


def _shard(identity: str, units: Sequence[Unit]) -> Shard:
    return Shard(
        id=identity,
        job="j0",
        dataset="scale",
        profile="portable",
        backend=BACKEND,
        preset="draft",
        alone=False,
        units=tuple(units),
    )


def _job(database: Database, category: str) -> str:
    """Enter a job that is far from its end; return its id."""
    request = JobRequest(dataset="scale", backend=BACKEND, items=[JobItem(category=category, clips=1_000_000)])
    with database.writing() as session:
        return add_job(session, Plan(request)).id


def _end_jobs(database: Database) -> None:
    with database.writing() as session:
        for job in session.scalars(select(JobRow).where(JobRow.state == "running")):
            job.state = "cancelled"
        session.execute(delete(ShardRow))


def _open_shards(database: Database, job: str, names: Sequence[str]) -> None:
    keys = [[0, number, 0] for number in range(UNITS)]
    queue = queue_name(BACKEND, PRIORITY)
    rows = [{"id": name, "job": job, "queue": queue, "units": keys, "created": 1.0} for name in names]
    with database.writing() as session:
        session.execute(insert(ShardRow), rows)


def _told(queue: ShardQueue, section: str) -> dict[str, Any]:  # Any: redis-py's union
    return cast(dict[str, Any], queue.connection.info(section))


def _rates(timer: Timer, count: int) -> dict[str, float]:
    return {
        "per_second": round(count / timer.wall),
        "client_cpu_ms": round(1e3 * timer.cpu / count, 3),
        "server_cpu_ms": round(1e3 * timer.servers / count, 3),
    }
