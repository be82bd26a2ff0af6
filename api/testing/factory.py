"""A service whose parts are processes of their own, each to be killed and started again at will."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from api.redis_server import start_server
from simfactory.store import committed_ids, validate

__all__ = ["Factory", "small_job"]

TOKEN = "a-token-for-trials-alone"  # of a service that lives for one trial
WAIT_SECONDS = 120.0
Json = dict[str, Any]  # Any: JSON


def small_job(clips: int, *, dataset: str = "trial", **changes: object) -> Json:
    """Return a request for small clips of closed-form motion: tens of them a second."""
    return {
        "dataset": dataset,
        "items": [{"category": "rigid", "scene": "free_drop", "clips": clips}],
        "frames": 4,
        "size": [16, 16],
        "views": 1,
        "modalities": ["depth"],
        "backend": "mock",
        **changes,
    }


class Factory:
    """Starts a queue's server, an API and workers in a folder; ends what is left of them.

    Args:
        folder: Its state folder; a short path, for it holds a socket.
        lease: Silence after which a worker counts as dead [s].
        environment: Further settings of all processes.
    """

    def __init__(self, folder: Path, *, lease: float = 3.0, environment: Mapping[str, str] | None = None) -> None:
        self.folder, self.lease = folder, lease
        self.data = folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.environment = {
            **os.environ,
            "REDIS_URL": f"unix://{folder / 'redis' / 'redis.sock'}",
            "SIMFACTORY_DATA": str(self.data),
            "SIMFACTORY_LEASE": str(lease),
            "SIMFACTORY_TOKEN": TOKEN,
            "OMP_NUM_THREADS": "1",
            **(environment or {}),
        }
        self.redis: subprocess.Popen[bytes] | None = None
        self.api: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self.data.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        """Start the queue's server and the API."""
        self.start_redis()
        self.start_api()
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes."""
        for process in [*self.workers, self.api, self.redis]:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    # ── its parts ────────────────────────────────────────────────────────────────────────────────────────────────────

    def start_redis(self) -> None:
        """Start the queue's server, on what an earlier one left."""
        self.redis = start_server(self.folder / "redis")

    def start_api(self, **environment: str) -> None:
        """Start the API, and wait until it is ready."""
        command = [sys.executable, "-m", "api.serve", str(self.folder), "127.0.0.1", str(self.port)]
        self.api = self._spawn("api", command, environment)
        self.until(lambda: self._is_ready(), what="the API to be ready")

    def start_worker(self, *fault: str, environments: int = 2) -> "subprocess.Popen[bytes]":
        """Start a worker, perhaps one with a planted fault."""
        command = [sys.executable, "-m", "simfactory", "worker", "--environments", str(environments)]
        if fault:
            command = [sys.executable, "-m", "api.testing.worker", *fault]
        worker = self._spawn(f"worker-{len(self.workers)}", command, {})
        self.workers.append(worker)
        return worker

    def kill(self, process: "subprocess.Popen[bytes] | None", number: int = signal.SIGKILL) -> None:
        """Kill a process and wait for its end."""
        assert process is not None
        process.send_signal(number)
        process.wait(60.0)

    def _spawn(self, name: str, command: list[str], more: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**self.environment, **more},
                start_new_session=True,
            )

    # ── what it is asked ─────────────────────────────────────────────────────────────────────────────────────────────

    def call(self, path: str, body: Json | None = None, *, method: str | None = None) -> Any:  # Any: JSON
        """Return the answer to a request.

        Raises:
            RuntimeError: It is a problem.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        request = Request(f"http://127.0.0.1:{self.port}{path}", data=data, headers=headers, method=method)
        try:
            with urlopen(request, timeout=20.0) as answer:  # nosec B310  # an address of its own
                return json.load(answer)
        except HTTPError as error:
            raise RuntimeError(f"{path}: {error.code} {error.read().decode()[:500]}") from None

    def submit(self, request: Json) -> str:
        """Submit a job and return its id."""
        return str(self.call("/v1/jobs", request)["id"])

    def job(self, identity: str) -> Json:
        """Return a job."""
        found: Json = self.call(f"/v1/jobs/{identity}")
        return found

    def clips(self, identity: str) -> list[Json]:
        """Return all clips of a job."""
        found: list[Json] = []
        cursor = ""
        while True:
            page = self.call(f"/v1/jobs/{identity}/clips?limit=1000{cursor}")
            found += page["items"]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"

    def events(self, kind: str) -> list[Json]:
        """Return the events of a kind, oldest first."""
        import sqlite3

        with sqlite3.connect(self.folder / "simfactory.db") as connection:
            rows = connection.execute("SELECT at, job, data FROM events WHERE kind = ? ORDER BY id", (kind,)).fetchall()
        return [{"at": at, "job": job, **json.loads(data)} for at, job, data in rows]

    def until(self, happened: Callable[[], bool], *, what: str, seconds: float = WAIT_SECONDS) -> float:
        """Wait until something happens; return how long it took [s].

        Raises:
            TimeoutError: It did not; the ends of the logs are in the message.
        """
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            try:
                if happened():
                    return time.monotonic() - begin
            except OSError:
                pass  # nobody listens just now
            time.sleep(0.05)
        logs = "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in sorted(self.folder.glob("*.log")))
        raise TimeoutError(f"waited {seconds:.0f} s for {what}\n{logs}")

    def until_done(self, identity: str, *, seconds: float = WAIT_SECONDS) -> Json:
        """Wait for the end of a job and return it."""
        self.until(
            lambda: self.job(identity)["state"] == "completed", what=f"job {identity} to complete", seconds=seconds
        )
        return self.job(identity)

    def account(self, identity: str) -> dict[str, int]:
        """Return what a job has to show: clips wanted, counted, catalogued, committed, doubled, damaged."""
        job = self.job(identity)
        ids = [clip["id"] for clip in self.clips(identity)]
        dataset = self.data / job["request"]["dataset"]
        return {
            "wanted": job["progress"]["clips_wanted"],
            "counted": job["progress"]["clips_done"],
            "catalogued": len(ids),
            "committed": len(committed_ids(dataset)),
            "doubled": sum(count - 1 for count in Counter(ids).values()),
            "damaged": len(list(validate(dataset))),
            "given_up": job["progress"]["failed"],
        }

    def _is_ready(self) -> bool:
        assert self.api is not None
        if self.api.poll() is not None:
            raise TimeoutError(f"the API ended: {(self.folder / 'api.log').read_text()[-2000:]}")
        return bool(self.call("/readyz")["status"])
