"""`simfactory up`: the queue's server, the API and workers as child processes, looked after until Ctrl-C."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from api.redis_server import check_server, start_server
from api.security import check_bind
from api.settings import Settings
from simfactory.errors import ServiceError

__all__ = ["Supervisor", "UpOptions"]

READY_SECONDS = 60.0
STOP_SECONDS = 30.0
RESTART_SECONDS = 1.0
POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class UpOptions:
    """How the service is run.

    Attributes:
        settings: Of the control plane.
        workers: Worker processes.
        backends: What they serve.
        device: Where they compute.
        environments: Episodes that each simulates at a time.
    """

    settings: Settings
    workers: int
    backends: tuple[str, ...]
    device: str
    environments: int


class Supervisor:
    """Starts and stops the processes of one machine's service.

    Args:
        options: How.
        say: Told what happens.
    """

    def __init__(self, options: UpOptions, say: Callable[[str], None]) -> None:
        self._options, self._say = options, say
        self._stopping = False
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._lock: int | None = None
        self._logs: Path = options.settings.state / "logs"

    def run(self) -> None:
        """Run until told to stop.

        Raises:
            ServiceError: The state folder is in use, the port is taken, or a part does not start.
        """
        settings = self._options.settings
        check_bind(settings.host, has_token="SIMFACTORY_TOKEN" in os.environ)
        _check_port(settings.host, settings.port)
        self._take_folder(settings.state)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: setattr(self, "_stopping", True))
        try:
            self._start()
            while not self._stopping:
                self._look_after()
                time.sleep(POLL_SECONDS)
        finally:
            self._stop()

    def _start(self) -> None:
        begin, settings = time.monotonic(), self._options.settings
        if "REDIS_URL" in os.environ:
            check_server(settings.redis)
        else:
            self._children["redis"] = start_server(settings.state / "redis")
        self._spawn("api", [sys.executable, "-m", "api.serve", str(settings.state), settings.host, str(settings.port)])
        for number in range(self._options.workers):
            self._spawn(f"worker-{number}", self._worker_command())
        self._wait_ready(begin)

    def _worker_command(self) -> list[str]:
        options, settings = self._options, self._options.settings
        return [
            sys.executable, "-m", "simfactory", "worker", "--data", str(settings.data),
            "--backend", ",".join(options.backends), "--device", options.device,
            "--environments", str(options.environments),
        ]  # fmt: skip

    def _wait_ready(self, begin: float) -> None:
        settings = self._options.settings
        wild = settings.host in ("0.0.0.0", "::")  # nosec B104  # where it listens is checked; here it is only asked
        host = "127.0.0.1" if wild else settings.host
        url = f"http://{host}:{settings.port}"
        while time.monotonic() - begin < READY_SECONDS and not self._stopping:
            code = self._children["api"].poll()
            if code is not None:
                raise ServiceError(f"the API ended with exit code {code}: see {self._logs / 'api.log'}")
            try:
                asked = HTTPConnection(host, settings.port, timeout=2.0)
                asked.request("GET", "/readyz")
                registered = int(json.load(asked.getresponse())["parts"]["workers"].partition(" ")[0])
            except (OSError, HTTPException, ValueError, KeyError):  # not listening yet, or not ready
                registered = -1
            if registered >= self._options.workers:
                break
            time.sleep(0.05)
        else:
            if not self._stopping:
                raise ServiceError(f"not ready after {READY_SECONDS:.0f} s: see the logs in {self._logs}")
            return
        (settings.state / "service.json").write_text(json.dumps({"url": url, "pid": os.getpid()}) + "\n")
        self._say(f"simfactory is up after {time.monotonic() - begin:.1f} s: {url}")
        if "SIMFACTORY_TOKEN" not in os.environ:
            token = (settings.state / "token").read_text().strip()
            self._say(f"  open     {url}/login#token={token}      (the token is also in {settings.state / 'token'})")
        self._say(f"  workers  {self._options.workers}, data in {settings.data}, logs in {self._logs}")
        self._say("  try      simfactory submit --category rigid --clips 10 --watch      (Ctrl-C here stops it all)")

    def _look_after(self) -> None:
        """Start again what has died; the queue's server comes first."""
        for name, child in list(self._children.items()):
            code = child.poll()
            if code is None:
                continue
            self._say(f"{name} ended with exit code {code}; starting it again")
            time.sleep(RESTART_SECONDS)
            if name == "redis":
                self._children[name] = start_server(self._options.settings.state / "redis")
            else:
                self._spawn(name, child.args)  # type: ignore[arg-type]  # a list of words, as given

    def _spawn(self, name: str, command: Sequence[str]) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        settings = self._options.settings
        environment = {
            **os.environ,
            "REDIS_URL": settings.redis,
            "DATABASE_URL": settings.database,
            "SIMFACTORY_DATA": str(settings.data),
            "SIMFACTORY_LEASE": str(settings.lease),
            "SIMFACTORY_STATE": str(settings.state),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }
        with (self._logs / f"{name}.log").open("ab") as log:
            self._children[name] = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
            )

    def _stop(self) -> None:
        """Stop workers first, so that what they finish is still heard; then the API, then the queue's server."""
        self._say("stopping: workers finish what is near its end")
        for prefix in ("worker", "api", "redis"):
            group = [child for name, child in self._children.items() if name.startswith(prefix)]
            for child in group:
                if child.poll() is None:
                    child.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            for child in group:
                try:
                    child.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        (self._options.settings.state / "service.json").unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
        self._say("stopped; the next `simfactory up` goes on where this one was")

    def _take_folder(self, state: Path) -> None:
        """Lock the state folder.

        Raises:
            ServiceError: Another service has it.
        """
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(0o700)
        self._lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError(
                f"{state} is in use by another `simfactory up`: stop that, or give another --state"
            ) from None


def _check_port(host: str, port: int) -> None:
    """Refuse a port that another process has: its answers would be taken for ours.

    Raises:
        ServiceError: It is taken, or this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServiceError(f"{host}:{port} cannot be had ({error.strerror}): choose another --port") from error
