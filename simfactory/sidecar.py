"""A worker's heartbeat, in a process of its own: a long call into C that holds the interpreter's lock cannot stop it.

It lives as long as the pipe from its worker is open, and says over Redis that the worker's leases hold. A heartbeat is
a number that counts up: whoever watches needs no common clock.
"""

import contextlib
import fcntl
import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from select import select
from subprocess import PIPE, Popen
from typing import IO, Any, cast

__all__ = ["Sidecar"]

BEATS_A_LEASE = 4
PIPE_BYTES = 1 << 20  # so that a worker goes on while the queue's server lets its heartbeat wait


class Sidecar:
    """The worker's end of the pipe.

    Args:
        url: Address of the queue's server.
        worker: Name of the worker.
        lease: How long a worker may be silent [s].
    """

    def __init__(self, url: str, worker: str, *, lease: float) -> None:
        self._lock = threading.Lock()
        self._shards: set[str] = set()
        self._status: dict[str, object] = {}
        self._options = json.dumps({"worker": worker, "lease": lease, "pid": os.getpid()})
        self._url = url
        self._start()

    def _start(self) -> None:
        self._process = Popen(
            [sys.executable, "-m", "simfactory.sidecar", self._options],
            stdin=PIPE,
            env={**os.environ, "REDIS_URL": self._url},
            start_new_session=True,  # Ctrl-C in a terminal is for the worker
        )
        self._pipe = cast(IO[bytes], self._process.stdin)
        with contextlib.suppress(OSError):  # not allowed more: words then wait a little earlier
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def tell(self, *, shards: Iterable[str] | None = None, status: Mapping[str, object] | None = None) -> None:
        """Say which shards are worked on, and what else is new; any thread may. One that has died is started again."""
        with self._lock:
            if shards is not None:
                self._shards = set(shards)
            self._status.update(status or {})
            line = json.dumps({"shards": sorted(self._shards), "status": self._status}) + "\n"
            if self._process.poll() is not None:
                with contextlib.suppress(BrokenPipeError):
                    self._pipe.close()
                self._start()
            with contextlib.suppress(BrokenPipeError):  # it died just now: the next word starts another
                self._pipe.write(line.encode())
                self._pipe.flush()

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(BrokenPipeError):
            self._pipe.close()
        self._process.wait(timeout=10.0)


def main(options: str) -> None:
    """Beat until the pipe closes."""
    from simfactory.queue import AWAY, ShardQueue, connect
    from simfactory.usage import Usage

    given = json.loads(options)
    worker, lease = given["worker"], float(given["lease"])
    queue, usage = ShardQueue(connect(os.environ["REDIS_URL"])), Usage(int(given["pid"]))
    told: dict[str, Any] = {"shards": [], "status": {}}  # Any: JSON
    count, rest = 0, b""
    due = time.monotonic()
    while True:
        readable, _, _ = select([0], [], [], max(0.0, due - time.monotonic()))
        if readable:
            read = os.read(0, 1 << 20)
            if not read:
                break
            *lines, rest = (rest + read).split(b"\n")
            if lines:
                told = json.loads(lines[-1])
        elif time.monotonic() < due:
            continue
        count += 1
        due = time.monotonic() + lease / BEATS_A_LEASE
        try:
            queue.beat(worker, count, told["shards"], {**told["status"], **usage.now(), "beat": time.time()})
        except AWAY:
            due = time.monotonic() + min(0.5, lease / BEATS_A_LEASE)
    with contextlib.suppress(*AWAY):
        queue.forget_worker(worker)


if __name__ == "__main__":
    main(sys.argv[1])
