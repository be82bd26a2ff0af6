"""Workers that only pretend to record, against a whole control plane: what it carries, and what binds first."""

import argparse
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast

from service.servers import Api, api_process, cpu_seconds, postgres_processes, queue_server
from service.shards import unit_report

from simfactory.queue import Shard, ShardQueue, connect
from simfactory.sidecar import Sidecar

__all__ = ["measure_workers"]

PROCESSES = 2  # that the workers' threads share
LEASE = 20.0
BACKLOG = 64  # shards of a job that wait, as the service has it
START_SECONDS = 180.0  # for the first shards, and for all workers
SETTLE_SECONDS = 4.0
SAMPLE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Load:
    """What one process of workers does."""

    url: str
    first: int
    count: int


class LightWorker:
    """Takes shards as a worker does, with its heartbeat beside it; its clips are made up, at a steady rate."""

    def __init__(self, load: Load, number: int, rate: Any, stop: threading.Event) -> None:  # Any: a shared number
        self._load, self._rate, self._stop = load, rate, stop
        self._queue = ShardQueue(connect(load.url))
        self._number = number
        self._name = f"light-{number}"
        self._sidecar = Sidecar(load.url, self._name, lease=LEASE)
        self._clips = 0

    def run(self) -> None:
        """Work until told to stop."""
        status = {
            "name": self._name, "host": "here", "pid": os.getpid(), "version": "0", "backends": ["mock"],
            "device": "cpu", "environments": 1, "since": time.time(),
        }  # fmt: skip
        self._tell("idle", [], **status)
        while not self._stop.is_set():
            shard = self._queue.pop(["mock"], wait=1)
            if shard is not None:
                self._tell("working", [shard.id])
                self._record(shard)
                self._tell("idle", [])
                self._queue.release([shard.id])
        self._sidecar.close()

    def _record(self, shard: Shard) -> None:
        due = time.monotonic()
        for unit in shard.units:
            self._queue.begin(shard.id, unit.key)
            cameras = sum(len(spec["cameras"]) for spec in unit.specs)
            due = max(due + cameras / self._rate.value, time.monotonic())
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            # Numbers of clips that no other worker makes up.
            number = self._number * 1_000_000 + self._clips
            self._queue.ended(shard.id, unit.key, unit_report(shard.id, shard.job, unit.key, number, cameras))
            self._clips += 1

    def _tell(self, state: str, shards: list[str], **more: object) -> None:
        self._sidecar.tell(shards=shards, status={"state": state, "shards": shards, "clips": self._clips, **more})


def _work(load: Load, rate: Any, stop: Any) -> None:  # Any: a number and an event of multiprocessing
    """Run one process of workers."""
    ended = threading.Event()
    workers = [LightWorker(load, load.first + number, rate, ended) for number in range(load.count)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    stop.wait()
    ended.set()
    for thread in threads:
        thread.join()


def measure_workers(folder: Path, name: str, address: str, options: argparse.Namespace) -> dict[str, object]:
    """Return the figures of one database, by the rate of a worker."""
    context = multiprocessing.get_context("spawn")
    stop, rate = context.Event(), context.Value("d", options.rates[0])
    report: dict[str, object] = {"workers": options.workers, "sidecars": options.workers}
    with queue_server(folder) as url, api_process(folder / "state", redis=url, database=address) as api:
        queue, connection = ShardQueue(connect(url)), api.connect()
        job = _submit(api, connection)
        _wait(lambda: _progress(api, connection, job)["in_flight"] >= (4 if options.quick else BACKLOG))
        each = max(4, -(-options.workers // PROCESSES))
        firsts = range(0, options.workers, each)
        loads = [Load(url, first, min(each, options.workers - first)) for first in firsts]
        processes = [context.Process(target=_work, args=(load, rate, stop)) for load in loads]
        try:
            for process in processes:
                process.start()
            _wait(lambda: len(queue.workers()) >= options.workers)
            for number in options.rates:
                rate.value = number
                time.sleep(1.0 if options.quick else SETTLE_SECONDS)
                figures = _watch(api, connection, queue, address, job, options.seconds)
                report[f"{number:g} clips/s each"] = {"offered_clips_per_second": options.workers * number, **figures}
        finally:
            stop.set()
            api.ask(connection, f"/v1/jobs/{job}:cancel", {})  # ends sampling
            for process in processes:
                process.join(60.0)
    return report


def _submit(api: Api, connection: HTTPConnection) -> str:
    """Submit a job that outlasts the measurement; return its id."""
    items = [{"category": "rigid", "clips": 1_000_000}]
    status, answer = api.ask(connection, "/v1/jobs", {"dataset": "scale", "backend": "mock", "items": items})
    if status != 202:
        raise RuntimeError(answer.decode())
    return cast(str, json.loads(answer)["id"])


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_so() and time.monotonic() < deadline:
        time.sleep(SAMPLE_SECONDS)


def _watch(
    api: Api, connection: HTTPConnection, queue: ShardQueue, database: str, job: str, seconds: float
) -> dict[str, object]:
    """Look on for a while."""
    info = cast(dict[str, Any], queue.connection.info())  # Any: redis-py's union
    servers, valkey = postgres_processes(database), int(info["process_id"])
    before = _progress(api, connection, job)["clips_done"]
    used = (api.cpu(), cpu_seconds(valkey), sum(map(cpu_seconds, servers)))
    commands, begin = int(info["total_commands_processed"]), time.monotonic()
    lags, waiting, answers = list[float](), list[int](), list[float]()
    while time.monotonic() - begin < seconds:
        oldest: Any = queue.connection.xrange("sf:results", count=1)  # Any: redis-py's union
        now = cast(tuple[int, int], queue.connection.time())
        lags.append(max(0.0, now[0] + now[1] / 1e6 - int(oldest[0][0].split(b"-")[0]) / 1e3) if oldest else 0.0)
        waiting.append(sum(len(ids) for ids in queue.queued(["sf-mock-default"]).values()))
        asked = time.perf_counter()
        api.ask(connection, "/v1/clips?limit=100")
        answers.append(time.perf_counter() - asked)
        time.sleep(SAMPLE_SECONDS)
    elapsed = time.monotonic() - begin
    done = _progress(api, connection, job)["clips_done"] - before
    after = cast(dict[str, Any], queue.connection.info())  # Any: redis-py's union
    spent = (api.cpu() - used[0], cpu_seconds(valkey) - used[1], sum(map(cpu_seconds, servers)) - used[2])
    return {
        "clips_per_second": round(done / elapsed, 1),
        "results_lag_p95_ms": round(1e3 * _p95(lags)),
        "shards_waiting_median": sorted(waiting)[len(waiting) // 2],
        "list_of_100_p95_ms": round(1e3 * _p95(answers), 1),
        "api_cpu_percent": round(100 * spent[0] / elapsed),
        "api_cpu_ms_per_clip": round(1e3 * spent[0] / max(done, 1), 2),
        "queue_cpu_percent": round(100 * spent[1] / elapsed, 1),
        "postgres_cpu_percent": round(100 * spent[2] / elapsed, 1),
        "queue_commands_per_second": round((int(after["total_commands_processed"]) - commands) / elapsed),
        "api_megabytes": round(api.process.memory_info().rss / 2**20),
        "queue_megabytes": round(int(after["used_memory"]) / 2**20, 1),
    }


def _progress(api: Api, connection: HTTPConnection, job: str) -> dict[str, int]:
    return cast(dict[str, int], json.loads(api.ask(connection, f"/v1/jobs/{job}")[1])["progress"])


def _p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, 95 * len(values) // 100)]
