"""The processes that the service's benchmarks need: the queue's server, a database, and the API itself."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from api.redis_server import start_server

__all__ = ["Api", "api_process", "cpu_seconds", "databases", "postgres", "postgres_processes", "queue_server"]

START_SECONDS = 60.0
POSTGRES_USER = "postgres"  # it refuses to run as root


def cpu_seconds(process: int) -> float:
    """Return the CPU-seconds of a process, all its threads, to the nanosecond: Linux has a clock for each process."""
    with contextlib.suppress(OSError):
        return time.clock_gettime((~process << 3) | 2)
    return 0.0


@contextlib.contextmanager
def queue_server(folder: Path) -> Iterator[str]:
    """Run the queue's server as `simfactory up` does; give its address."""
    process = start_server(folder / "redis")
    try:
        yield f"unix://{folder / 'redis' / 'redis.sock'}"
    finally:
        process.terminate()
        process.wait(30.0)


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; None if it is not installed."""
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return Path(found).parent if found else next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Run a new PostgreSQL with its default settings on a socket; give its address."""
    programs = postgres_programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="sf-pg-"))
    as_user = []
    if os.geteuid() == 0:
        shutil.chown(folder, POSTGRES_USER)
        as_user = ["runuser", "-u", POSTGRES_USER, "--"]
    options = ["-U", POSTGRES_USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-D", str(folder / "data")]
    subprocess.run([*as_user, str(programs / "initdb"), *options], check=True, stdout=subprocess.DEVNULL, cwd="/")
    settings = ["-c", "listen_addresses=", "-k", str(folder)]
    process = subprocess.Popen(
        [*as_user, str(programs / "postgres"), "-D", str(folder / "data"), *settings],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    try:
        _wait((folder / ".s.PGSQL.5432").exists)
        time.sleep(0.5)
        yield f"postgresql+psycopg://{POSTGRES_USER}@/postgres?host={folder}"
    finally:
        for child in psutil.Process(process.pid).children():  # runuser's child is the server
            child.terminate()
        process.terminate()
        process.wait(60.0)
        shutil.rmtree(folder, ignore_errors=True)


def postgres_processes(address: str) -> list[int]:
    """Return the processes of a PostgreSQL on this machine that serve connections; none for SQLite."""
    if not address.startswith("postgresql"):
        return []
    with psycopg.connect(address.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'").fetchall()
    return [row[0] for row in rows]


@contextlib.contextmanager
def databases(names: list[str], folder: Path) -> Iterator[dict[str, str]]:
    """Give the addresses of the databases that can be run here, by name."""
    with contextlib.ExitStack() as stack:
        found = {}
        if "sqlite" in names:
            found["sqlite"] = f"sqlite:///{folder / 'simfactory.db'}"
        if "postgresql" in names and postgres_programs() is not None:
            found["postgresql"] = stack.enter_context(postgres())
        yield found


@dataclass(frozen=True, slots=True)
class Api:
    """A running API.

    Attributes:
        port: Where it listens, on loopback.
        token: What it lets in.
        process: The process.
    """

    port: int
    token: str
    process: psutil.Process

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that is kept open."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120.0)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask(
        self, connection: http.client.HTTPConnection, path: str, body: dict[str, object] | None = None
    ) -> tuple[int, bytes]:
        """Send a request; return status and body."""
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        text = None if body is None else json.dumps(body)
        method = "GET" if body is None else "POST"
        try:
            connection.request(method, path, body=text, headers=headers)
            answer = connection.getresponse()
        except ConnectionError:  # it was idle for long, and closed
            connection.close()
            connection.request(method, path, body=text, headers=headers)
            answer = connection.getresponse()
        return answer.status, answer.read()

    def cpu(self) -> float:
        """Return the CPU-seconds it has used."""
        return cpu_seconds(self.process.pid)


@contextlib.contextmanager
def api_process(state: Path, *, redis: str, database: str) -> Iterator[Api]:
    """Run the API as `simfactory up` does, without its workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = "benchmark-of-the-service"
    environment = os.environ | {"REDIS_URL": redis, "DATABASE_URL": database, "SIMFACTORY_TOKEN": token}
    state.mkdir(parents=True, exist_ok=True)
    with Path(state, "api.log").open("wb") as log:
        command = [sys.executable, "-m", "api.serve", str(state), "127.0.0.1", str(port)]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        api = Api(port, token, psutil.Process(process.pid))
        _wait(lambda: process.poll() is not None or _answers(api))
        if process.poll() is not None:
            raise RuntimeError(Path(state, "api.log").read_text()[-2000:])
        yield api
    finally:
        process.terminate()
        process.wait(60.0)


def _answers(api: Api) -> bool:
    try:
        return api.ask(api.connect(), "/healthz")[0] == 200
    except OSError:
        return False


def _wait(is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_there():
        if time.monotonic() > deadline:
            raise TimeoutError("a server did not start")
        time.sleep(0.05)
