"""Open dashboards against a whole control plane: what looking at it costs the API."""

import argparse
import asyncio
import json
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from service.servers import Api, api_process, cpu_seconds, queue_server
from service.workers import LightWorker, Load

from simfactory.queue import ShardQueue, connect

__all__ = ["measure_dashboards"]

PAGES = ("/", "/", "/workers", "/jobs", "/wall")  # of every five dashboards
QUIET_SECONDS = 1.0  # as live.js has it: between two refreshes
IDLE_SECONDS = 15.0
WORKERS_SECONDS, WALL_SECONDS = 1.0, 2.0  # as workers.js and wall.js look
ON_SCREEN = 6  # workers of a wall that a screen shows
SLOTS = 4
START_SECONDS = 300.0
AHEAD = 4  # shards that wait, beside those that are worked on
WINDOW_SECONDS = 5.0


class ShowingWorker(LightWorker):
    """One that also tells what its slots do, every second, and shows pictures while somebody looks."""

    def run(self) -> None:
        """Work until told to stop."""
        threading.Thread(target=self._show, daemon=True).start()
        super().run()

    def _show(self) -> None:
        rng, begin, count = np.random.default_rng(self._number), time.monotonic(), 0
        queue = ShardQueue(connect(self._load.url))
        while not self._stop.wait(1.0):
            clock, count = time.monotonic() - begin, count + 1
            slots = [
                {"slot": slot, "stage": "simulate", "scene": "bounce", "episode": str(count), "frame": 7, "frames": 48}
                for slot in range(SLOTS)
            ]
            watched = queue.is_watched()
            spans = [
                {
                    "row": row,
                    "stage": "simulate" if row.isdigit() else row,
                    "label": f"bounce {int(clock) - back}",
                    "begin": round(clock - back - 1, 2),
                    "end": round(clock - back, 2),
                }
                for row in (*map(str, range(SLOTS)), "render", "encode", "commit")
                for back in range(45)
            ]
            status = {"environments": SLOTS, "slots": slots, "spans": spans if watched else [], "clock": clock}
            self._sidecar.tell(status=status)
            if watched and count % 2 == 0:
                noise = rng.integers(0, 255, (40, 40, 3), np.uint8)
                picture = cv2.imencode(".png", cv2.resize(noise, (160, 160), interpolation=cv2.INTER_CUBIC))[
                    1
                ].tobytes()
                words = {"scene": "bounce", "episode": "1", "camera": "ring_0", "frame": 1, "frames": 48}
                pictures = dict.fromkeys(("rgb", "depth", "flow_forward", "instance"), picture)
                queue.show(self._name, {**words, **pictures, "count": count})


def _work(load: Load, rate: Any, stop: Any) -> None:  # Any: a number and an event of multiprocessing
    ended = threading.Event()
    workers = [ShowingWorker(load, load.first + number, rate, ended) for number in range(load.count)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    stop.wait()
    ended.set()
    for thread in threads:
        thread.join()


@dataclass(slots=True)
class Dashboard:
    """A page that is open in a browser: its stream of events, and what its scripts fetch."""

    client: httpx.AsyncClient
    path: str
    ids: list[int] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    received: int = 0
    samples: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Be open until cancelled."""
        await self.get(self.path)
        if self.path == "/":
            await self.get("/v1/telemetry?points=450")
        loops = {"/workers": self._look_at_workers, "/wall": self._look_at_pictures}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            if self.path != "/wall":  # it has no parts that are refreshed
                tasks.create_task(self._refresh())
            if self.path in loops:
                tasks.create_task(loops[self.path]())

    async def get(self, path: str) -> httpx.Response:
        """Fetch something as a browser does, with the ETag of what it has."""
        headers = {
            "accept": "text/html,application/json",
            **({"if-none-match": self.tags[path]} if path in self.tags else {}),
        }
        answer = await self.client.get(path, headers=headers)
        if answer.status_code not in (200, 304, 404):
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:200]}")
        if "etag" in answer.headers:
            self.tags[path] = answer.headers["etag"]
        self.asked[f"{path.split('?')[0].split('/preview')[0]} {answer.status_code}"] += 1
        self.received += len(answer.content)
        return answer

    async def _listen(self) -> None:
        async with self.client.stream("GET", "/v1/events?telemetry=true", timeout=None) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("id: "):
                    self.ids.append(int(line[4:]))
                    self.news.set()
                elif line == "event: telemetry":
                    self.samples += 1

    async def _refresh(self) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await self.news.wait()
            except TimeoutError:
                pass
            self.news.clear()
            await self.get(self.path)
            await asyncio.sleep(QUIET_SECONDS)

    async def _look_at_workers(self) -> None:
        while True:
            await self.get("/v1/workers?spans=true")
            await asyncio.sleep(WORKERS_SECONDS)

    async def _look_at_pictures(self) -> None:
        drawn: dict[str, int] = {}
        while True:
            answer = await self.get("/v1/workers/live")
            if answer.status_code == 200:
                for frame in answer.json()[:ON_SCREEN]:
                    name, count = frame["worker"], frame["count"]
                    if count is not None and drawn.get(name) != count:
                        drawn[name] = count
                        for picture in frame["pictures"]:
                            await self.get(f"/v1/workers/{name}/preview/{picture}")
            await asyncio.sleep(WALL_SECONDS)


def _look(port: int, token: str, count: int, seconds: float, settle: float, results: Any) -> None:  # Any: a pipe
    """Keep so many dashboards open; send what they got."""

    async def run() -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with asyncio.timeout(seconds + settle + START_SECONDS):
            clients = [
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{port}", cookies={"simfactory": token}, limits=limits, timeout=60.0
                )
                for _ in range(count)
            ]
            boards = [Dashboard(client, PAGES[number % len(PAGES)]) for number, client in enumerate(clients)]
            tasks = [asyncio.create_task(board.run()) for board in boards]
            await asyncio.sleep(settle)
            results.send("settled")
            before = Counter[str]()
            for board in boards:
                before.update(board.asked)
            bytes_before = sum(board.received for board in boards)
            await asyncio.sleep(seconds)
            asked = sum((board.asked for board in boards), Counter[str]()) - before
            received = sum(board.received for board in boards) - bytes_before
            await asyncio.sleep(2.0)  # for what is under way
            for task in tasks:
                if task.done():
                    task.result()
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for client in clients:
                await client.aclose()
            results.send(
                {
                    "ids": [board.ids for board in boards],
                    "samples": [board.samples for board in boards],
                    "asked": dict(asked),
                    "received": received,
                }
            )

    asyncio.run(run())


@contextmanager
def _working(url: str, options: argparse.Namespace) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    stop, rate = context.Event(), context.Value("d", options.rate)
    process = context.Process(target=_work, args=(Load(url, 0, options.workers), rate, stop))
    process.start()
    try:
        yield
    finally:
        stop.set()
        process.join(60.0)


def measure_dashboards(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Return the figures."""
    address = f"sqlite:///{folder / 'simfactory.db'}"
    with (
        queue_server(folder) as url,
        api_process(folder / "state", redis=url, database=address) as api,
        _working(url, options),
    ):
        queue, connection = ShardQueue(connect(url)), api.connect()
        items = [{"category": "rigid", "clips": 1_000_000}]
        job = {"dataset": "scale", "backend": "mock", "items": items, "max_workers": options.workers + AHEAD}
        status, answer = api.ask(connection, "/v1/jobs", job)
        if status != 202:
            raise RuntimeError(answer.decode())
        deadline = time.monotonic() + START_SECONDS
        while len(queue.workers()) < options.workers or not _is_fed(api, options.workers):
            if time.monotonic() > deadline:
                raise TimeoutError("the workers do not start")
            time.sleep(0.2)
        time.sleep(options.settle)
        alone = _watch(api, options.seconds / 2)
        here, there = multiprocessing.get_context("spawn").Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_look, args=(api.port, api.token, options.dashboards, options.seconds, options.settle, there)
        )
        process.start()
        _received(here)  # that they have settled
        with_them = _watch(api, options.seconds)
        told = _received(here)
        process.join(60.0)
        time.sleep(options.settle)
        after = api.process.memory_info().rss
        api.ask(connection, f"/v1/jobs/{json.loads(answer)['id']}:cancel", {})
    return {
        "dashboards": options.dashboards,
        "workers": options.workers,
        "pages": dict(Counter(PAGES[number % len(PAGES)] for number in range(options.dashboards))),
        "clips_per_second": options.workers * options.rate,
        "seconds": options.seconds,
        "without_dashboards": alone,
        "with_dashboards": with_them,
        "megabytes_after_they_closed": round(after / 2**20, 1),
        **_summary(told, options.seconds),
    }


def _is_fed(api: Api, workers: int) -> bool:
    """Tell whether workers have work, and as many shards wait as the service hands out: sampling has calmed down."""
    progress = json.loads(api.ask(api.connect(), "/v1/jobs")[1])["items"][0]["progress"]
    return bool(progress["clips_done"]) and progress["in_flight"] >= workers + AHEAD


def _received(pipe: Any) -> Any:  # Any: a pipe, and what comes out of it
    if not pipe.poll(START_SECONDS + 600.0):
        raise TimeoutError("the dashboards do not answer")
    return pipe.recv()


def _watch(api: Api, seconds: float) -> dict[str, object]:
    """Return CPU and memory of the API over a while."""
    begin, used = time.monotonic(), api.cpu()
    sizes = [api.process.memory_info().rss / 2**20]
    cores = []
    while time.monotonic() - begin < seconds:
        at, before = time.monotonic(), cpu_seconds(api.process.pid)
        time.sleep(min(WINDOW_SECONDS, seconds / 2))
        cores.append((cpu_seconds(api.process.pid) - before) / (time.monotonic() - at))
        sizes.append(api.process.memory_info().rss / 2**20)
    elapsed = time.monotonic() - begin
    times = np.linspace(0.0, elapsed / 60.0, len(sizes))
    return {
        "api_cores": round((api.cpu() - used) / elapsed, 3),
        "api_cores_of_the_worst_window": round(max(cores), 3),
        "megabytes_first": round(sizes[0], 1),
        "megabytes_last": round(sizes[-1], 1),
        "megabytes_per_minute": round(float(np.polyfit(times, sizes, 1)[0]), 2),
    }


def _summary(told: dict[str, Any], seconds: float) -> dict[str, object]:  # Any: see _look
    """Return what reached the dashboards; a stream misses an event that lies between others that it got."""
    missed = sum(len(set(range(ids[0], ids[-1] + 1)) - set(ids)) for ids in told["ids"] if ids)
    doubled = sum(len(ids) - len(set(ids)) for ids in told["ids"])
    last = max((ids[-1] for ids in told["ids"] if ids), default=0)
    return {
        "events_of_each_stream": min(map(len, told["ids"])),
        "events_delivered": sum(map(len, told["ids"])),
        "events_missed": missed,
        "events_doubled": doubled,
        "events_by_which_the_slowest_stream_is_behind": last - min((ids[-1] for ids in told["ids"] if ids), default=0),
        "telemetry_samples_of_each_stream": min(told["samples"]),
        "requests_per_second": round(sum(told["asked"].values()) / seconds, 1),
        "requests": {name: count for name, count in sorted(told["asked"].items()) if "preview" not in name},
        "received_kilobytes_per_second": round(told["received"] / seconds / 1000),
    }
