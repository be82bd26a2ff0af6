"""The service as it is: a real Valkey, SQLite and, where there are its programs, PostgreSQL; no part is a stand-in."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import redis
import uvicorn
from fastapi import FastAPI

import api.control
from api.app import make_app
from api.database import Database
from api.redis_server import start_server
from api.settings import Settings

JOB = {
    "dataset": "data",
    "items": [{"category": "rigid", "scene": "bounce", "clips": 40}],
    "backend": "mock",
    "frames": 4,
    "size": [32, 32],
    "cameras": ["ring"],
    "views": 1,  # 40 episodes: eight shards of five
}


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, if they are installed."""
    found = [shutil.which("initdb"), *sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)]
    config = shutil.which("pg_config")
    if config is not None:
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        found.insert(0, Path(told, "initdb"))
    for path in found:
        if path is not None and Path(path).exists() and Path(path).with_name("postgres").exists():
            return Path(path).parent
    return None


# Tests of the database run with each that is there: what is missing is no failure of ours, and shows in the ids.
DATABASES = ["sqlite", *(["postgresql"] if postgres_programs() is not None else [])]


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside():
    names = ("REDIS_URL", "DATABASE_URL", "SIMFACTORY_TOKEN", "SIMFACTORY_LEASE", "SIMFACTORY_DATA")
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.delenv(name, raising=False)
        patch.setattr(api.control, "READ_SECONDS", 0.05)  # for services that stop soon
        yield


@pytest.fixture
def assets(tmp_path, monkeypatch) -> Path:
    """An asset folder of the tests' own."""
    folder = tmp_path / "assets"
    monkeypatch.setenv("SIMFACTORY_ASSETS", str(folder))
    return folder


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """The address of a real server."""
    folder = Path(tempfile.mkdtemp(prefix="sf-"))  # short: a socket's path has at most 100 bytes
    process = start_server(folder / "redis")
    yield f"unix://{folder}/redis/redis.sock"
    process.terminate()
    process.wait(10.0)
    shutil.rmtree(folder)


@pytest.fixture
def queue_url(valkey) -> str:
    """The address of a real server that holds nothing."""
    with redis.Redis.from_url(valkey) as connection:
        connection.flushdb()
    return valkey


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real PostgreSQL, without the database's name."""
    programs = postgres_programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="sf-"))
    as_user: list[str] = []
    if os.getuid() == 0:  # it refuses to run as root
        shutil.chown(folder, "nobody")
        as_user = ["setpriv", "--reuid=nobody", "--clear-groups"]
    data, socket_folder = folder / "data", folder
    subprocess.run(
        [*as_user, programs / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"],
        check=True,
        capture_output=True,
        cwd="/",
    )
    options = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", f"unix_socket_directories={socket_folder}"]
    command = [*as_user, programs / "postgres", "-D", data, *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    deadline = time.monotonic() + 30.0
    ready = [programs / "pg_isready", "-h", socket_folder, "-q"]
    while subprocess.run(ready, check=False, capture_output=True).returncode != 0:
        assert time.monotonic() < deadline, "PostgreSQL does not start"
        time.sleep(0.05)
    yield f"postgresql+psycopg://tester@/{{name}}?host={socket_folder}"
    process.send_signal(signal.SIGINT)  # SIGTERM waits for clients to go
    process.wait(10.0)
    shutil.rmtree(folder)


@pytest.fixture(params=DATABASES)
def database_url(request, tmp_path) -> str:
    """The address of an empty database, of each kind that is there."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    address = request.getfixturevalue("postgres")
    name = f"t{time.monotonic_ns()}"
    engine = Database(address.format(name="postgres")).engine
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return str(address.format(name=name))


@pytest.fixture
def settings(tmp_path, queue_url) -> Settings:
    """Settings of a service of its own, on SQLite."""
    return _settings(tmp_path, queue_url, f"sqlite:///{tmp_path / 'state.db'}")


@pytest.fixture
def settings_of_each(tmp_path, queue_url, database_url) -> Settings:
    """Settings of a service of its own, on each database that is there."""
    return _settings(tmp_path, queue_url, database_url)


def _settings(folder: Path, queue: str, database: str) -> Settings:
    state = folder / "state"
    state.mkdir(mode=0o700)
    return Settings(state=state, data=folder / "data", redis=queue, database=database, lease=60.0, disk_reserve=1)


class Service:
    """A running service: its application, and a client with a token of all scopes."""

    def __init__(self, settings: Settings, app: FastAPI) -> None:
        self.settings, self.app = settings, app
        self.token = (settings.state / "token").read_text().strip()
        self.client = self.client_with(self.token)

    def client_with(self, token: str | None = None, **options) -> httpx.Client:
        """Return a client, with a token or without."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.settings.port}", headers=headers, timeout=60.0, **options)

    @property
    def database(self):
        return self.app.state.database

    @property
    def control(self):
        return self.app.state.control

    def submit(self, **changes) -> dict:
        answer = self.client.post("/v1/jobs", json={**JOB, **changes})
        assert answer.status_code == 202, answer.text
        return answer.json()

    def make_token(self, *scopes: str) -> dict[str, str]:
        """Return the header of a token with some scopes."""
        return {"authorization": f"Bearer {self.app.state.tokens.add(scopes)}"}


@contextmanager
def running(settings: Settings) -> Iterator[Service]:
    """Run a service in this process, on a real socket."""
    settings = replace(settings, port=free_port())
    app = make_app(settings)
    config = uvicorn.Config(app, port=settings.port, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20.0
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    service = Service(settings, app)
    yield service
    service.client.close()
    server.should_exit = True
    thread.join(20.0)
    assert not thread.is_alive(), "the server does not stop"


@pytest.fixture(scope="session")
def shared(valkey, tmp_path_factory) -> Iterator[Service]:
    """A service for tests that leave nothing behind which others could stumble over."""
    folder = tmp_path_factory.mktemp("shared")
    with running(_settings(folder, f"{valkey}?db=1", f"sqlite:///{folder / 'state.db'}")) as service:
        yield service


@pytest.fixture
def client(shared) -> httpx.Client:
    """A client of the shared service."""
    return shared.client


@pytest.fixture
def service(settings) -> Iterator[Service]:
    """A service of its own, on SQLite."""
    with running(settings) as service:
        yield service


@pytest.fixture
def service_of_each(settings_of_each) -> Iterator[Service]:
    """A service of its own, on each database that is there."""
    with running(settings_of_each) as service:
        yield service


@pytest.fixture
def database(database_url) -> Iterator[Database]:
    """Each database that is there, without a service."""
    database = Database(database_url)
    yield database
    database.close()


def free_port() -> int:
    """Return a port of the loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
