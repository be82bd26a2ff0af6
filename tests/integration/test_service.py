"""`simfactory up` and what users do with it, as commands: nothing is faked, clips are of closed-form motion."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
import redis

from simfactory.dataset import open_dataset
from simfactory.store import committed_ids, validate

SMALL = [
    "--scene",
    "free_drop",
    "--frames",
    "4",
    "--size",
    "16x16",
    "--views",
    "1",
    "--modalities",
    "depth",
    "--backend",
    "mock",
]


def simfactory(*words, code=0, **environment):
    command = [sys.executable, "-m", "simfactory", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env={**os.environ, **environment})
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """`simfactory up` in a folder of its own."""

    def __init__(self, state, *options):
        self.state, self.port = state, free_port()
        command = [
            sys.executable,
            "-m",
            "simfactory",
            "up",
            "--state",
            state,
            "--port",
            self.port,
            *(options or ("--workers", 2)),
        ]
        self.log = state.parent / f"{state.name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*map(str, command)], stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 90.0
        while not (state / "service.json").exists() and time.monotonic() < deadline and self.process.poll() is None:
            time.sleep(0.1)
        assert (state / "service.json").exists(), self.log.read_text()

    def call(self, *words, code=0):
        return simfactory(*words, "--state", self.state, code=code)

    def stop(self):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGINT)
            self.process.wait(60.0)
        return self.process.returncode

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(prefix="sf") as name:  # short: it holds a socket
        yield Path(name)


@pytest.fixture(scope="module")
def service(folder):
    service = Service(folder / "s")
    yield service
    service.stop()


@pytest.fixture(scope="module")
def done(service):
    """A job of six clips that has run to its end."""
    told = service.call("submit", *SMALL, "--clips", 6, "--dataset", "six", "--watch", "--json")
    last = json.loads(told.strip().splitlines()[-1])
    assert last["state"] == "completed", told
    return last


def test_it_is_ready_with_its_workers(service):
    with urlopen(f"{service.url}/readyz", timeout=10.0) as answer:
        parts = json.load(answer)["parts"]
    assert parts["workers"] == "2 registered"
    assert len(service.call("workers", "--json").splitlines()) == 2


def test_a_job_is_submitted_and_watched_to_its_end(service, done):
    assert done["progress"]["clips_done"] == 6
    assert len(committed_ids(service.state / "datasets" / "six")) == 6
    assert done["id"] in service.call("ls")


def test_a_dry_run_says_what_it_takes_and_makes_nothing(service):
    told = json.loads(service.call("submit", *SMALL, "--clips", 60, "--dataset", "none", "--dry-run", "--json"))
    assert told["clips"] == 60
    assert told["bytes"] > 0
    assert not (service.state / "datasets" / "none").exists()


def test_a_wrong_request_names_the_place(service):
    told = service.call("submit", *SMALL, "--clips", 1, "--range", "warp=1:2", code=1)
    assert "warp" in told
    assert "/ranges" in told or "unknown" in told


def test_trainers_read_windows_over_http_as_from_the_folder(service, done, monkeypatch):
    monkeypatch.setenv("SIMFACTORY_TOKEN", (service.state / "token").read_text().strip())
    near, far = open_dataset(service.state / "datasets" / "six"), open_dataset(f"{service.url}/v1/datasets/six")
    assert len(far) == len(near) == 6
    for clip in near:
        np.testing.assert_array_equal(far[clip.id].window(1, 2)["depth"], clip.window(1, 2)["depth"])


def test_a_copy_of_the_dataset_is_sound(service, done, folder):
    service.call("export", "six", "--out", folder / "copy")
    assert committed_ids(folder / "copy") == committed_ids(service.state / "datasets" / "six")
    assert list(validate(folder / "copy")) == []


def test_a_second_service_does_not_take_the_state_of_the_first(service):
    told = simfactory("up", "--state", service.state, "--port", free_port(), code=1)
    assert "in use" in told


def test_listening_to_other_machines_needs_a_token(folder):
    told = simfactory("up", "--state", folder / "open", "--host", "0.0.0.0", code=1)
    assert "SIMFACTORY_TOKEN" in told
    told = simfactory("up", "--state", folder / "open", "--host", "0.0.0.0", code=1, SIMFACTORY_TOKEN="short")
    assert "at least 16" in told


def test_a_taken_port_is_named(service, folder):
    told = simfactory("up", "--state", folder / "second", "--port", service.port, "--workers", 0, code=1)
    assert "cannot be had" in told
    assert "--port" in told


def test_ctrl_c_stops_it_and_the_next_start_goes_on(folder):
    first = Service(folder / "c")
    job = first.call("submit", *SMALL, "--clips", 150, "--dataset", "many").strip()
    deadline = time.monotonic() + 60.0
    while (
        json.loads(first.call("get", job, "--json"))["job"]["progress"]["clips_done"] < 5
        and time.monotonic() < deadline
    ):
        time.sleep(0.1)
    assert first.stop() == 0
    before = len(committed_ids(folder / "c" / "datasets" / "many"))
    assert 5 <= before < 150
    second = Service(folder / "c")
    try:
        told = second.call("watch", job, "--json")
        assert json.loads(told.strip().splitlines()[-1])["progress"]["clips_done"] == 150
        assert len(committed_ids(folder / "c" / "datasets" / "many")) == 150
    finally:
        assert second.stop() == 0


def test_what_was_lost_is_rebuilt_by_reconcile_and_catalog_rebuild(folder):
    service = Service(folder / "r", "--workers", "0")
    try:
        job = service.call("submit", *SMALL, "--clips", 20, "--dataset", "left").strip()
        time.sleep(2.0)  # it is queued
        connection = redis.Redis(unix_socket_path=str(folder / "r" / "redis" / "redis.sock"))
        os.kill(service.process.pid, signal.SIGSTOP)  # so that it does not start the API again
        subprocess.run(["pkill", "-9", "-f", f"api.serve {folder / 'r'} "], check=True)
        connection.flushall()
        address = {"REDIS_URL": f"unix://{folder / 'r' / 'redis' / 'redis.sock'}"}
        told = simfactory("reconcile", "--state", folder / "r", **address)
        assert "shards of 1 jobs" in told
        assert not told.startswith("queued again 0")
        environment = {**address, "SIMFACTORY_DATA": str(folder / "r" / "datasets")}
        simfactory("worker", "--backend", "mock", "--max-idle", "2", **environment)
        told = simfactory("reconcile", "--state", folder / "r", **address)
        with sqlite3.connect(folder / "r" / "simfactory.db") as database:
            assert database.execute("SELECT clips_done FROM jobs WHERE id = ?", (job,)).fetchone() == (20,)
            database.execute("DELETE FROM clips")
        assert "20 clips in 1 datasets" in simfactory("catalog", "rebuild", "--state", folder / "r")
    finally:
        os.kill(service.process.pid, signal.SIGCONT)
        service.stop()
