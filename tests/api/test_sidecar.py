"""A worker's heartbeat, a process of its own."""

import time

import pytest

from simfactory.queue import ShardQueue, connect
from simfactory.sidecar import Sidecar


@pytest.fixture
def queue(valkey):
    found = ShardQueue(connect(f"{valkey}?db=7"))
    found.connection.flushdb()
    yield found
    found.connection.close()


@pytest.fixture
def sidecar(queue, valkey):
    found = Sidecar(f"{valkey}?db=7", "w", lease=0.4)
    yield found
    found.close()


def until(happened, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert happened()


def test_heartbeat_counts_up_with_the_leases_of_the_worker(queue, sidecar):
    sidecar.tell(shards=["s1", "s2"], status={"name": "w", "state": "working"})
    until(lambda: queue.leases().keys() == {"s1", "s2"})
    before = queue.leases()["s1"]["beat"]
    until(lambda: queue.leases()["s1"]["beat"] > before)
    told = queue.workers()["w"]
    assert told["state"] == "working"
    assert told["memory_bytes"] > 1_000_000


def test_shard_that_is_done_is_renewed_no_more(queue, sidecar):
    def beat():
        return float(queue.workers().get("w", {}).get("beat", 0.0))

    sidecar.tell(shards=["s1"])
    until(lambda: "s1" in queue.leases())
    sidecar.tell(shards=[], status={"name": "w", "state": "idle"})
    until(lambda: queue.workers().get("w", {}).get("state") == "idle")
    queue.release(["s1"])
    released = beat()
    until(lambda: beat() > released)
    assert queue.leases() == {}


def test_heartbeat_that_is_killed_is_started_again(queue, sidecar):
    sidecar.tell(shards=["s1"], status={"name": "w"})
    until(lambda: "s1" in queue.leases())
    sidecar._process.kill()
    sidecar._process.wait()
    queue.connection.flushdb()
    sidecar.tell()
    until(lambda: queue.leases().keys() == {"s1"})


def test_worker_is_forgotten_once_it_has_ended(queue, valkey):
    sidecar = Sidecar(f"{valkey}?db=7", "short", lease=0.4)
    sidecar.tell(status={"name": "short"})
    until(lambda: "short" in queue.workers())
    sidecar.close()
    assert "short" not in queue.workers()
