"""The queue: nothing in it is run, whoever wrote it there; and the service outlives its server."""

import hashlib
import json
import os
import pickle
import shutil
import tempfile
import threading
import time
import zlib
from pathlib import Path

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from rq import Queue
from rq.serializers import DefaultSerializer, JSONSerializer
from sqlalchemy import select

from api.redis_server import start_server
from api.tables import EventRow
from simfactory.errors import QueueError
from simfactory.queue import Shard, ShardQueue, Unit, connect
from simfactory.worker import Worker, WorkerOptions, run_shard
from tests.api.conftest import JOB, Settings, running

NAME = "sf-mock-default"


@pytest.fixture
def queue(queue_url):
    found = ShardQueue(connect(queue_url))
    yield found
    found.connection.close()


def make_shard(identity, specs=({},)):
    units = tuple(Unit(0, index, 0, (spec,)) for index, spec in enumerate(specs))
    return Shard(
        id=identity,
        job="j",
        dataset="data",
        profile="portable",
        backend="mock",
        preset="draft",
        alone=False,
        units=units,
    )


class Touch:
    """Runs a command when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def poison(queue, kind, path):
    """Queue what somebody with access to the server could."""
    plain = Queue(NAME, connection=queue.connection, serializer=JSONSerializer)
    match kind:
        case "json":
            plain.enqueue_call("os.system", args=(f"touch {path}",))
        case "json with an allowed look":
            plain.enqueue_call("os.system", args=(f"touch {path}", "digest"))
        case "allowed with more":
            plain.enqueue_call("simfactory.worker.run_shard", args=("a", "b"), kwargs={"c": 1})
        case "pickle":
            Queue(NAME, connection=queue.connection, serializer=DefaultSerializer).enqueue_call(
                "os.system", args=(f"touch {path}",)
            )
        case "pickle that runs when it is read":
            job = plain.enqueue_call("os.system", args=("true",))
            queue.connection.hset(f"rq:job:{job.id}", "data", zlib.compress(pickle.dumps(Touch(path))))
        case _:
            job = plain.enqueue_call("os.system", args=("true",))
            queue.connection.hset(f"rq:job:{job.id}", "data", b"\xff\x00")


KINDS = [
    "json", "json with an allowed look", "allowed with more", "pickle", "pickle that runs when it is read", "rubbish",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_job_that_names_anything_else_is_dropped_and_never_run(queue, kind, tmp_path):
    path = tmp_path / "ran"
    poison(queue, kind, path)
    with pytest.raises(QueueError):
        queue.pop(["mock"], wait=None)
    assert not path.exists()
    assert queue.pop(["mock"], wait=None) is None
    ((_, message),) = queue.results("0-0")
    assert message["kind"] == "refused"
    assert "dropped" in message["detail"]


def test_named_function_runs_nothing_itself():
    with pytest.raises(QueueError, match="for `simfactory worker`"):
        run_shard("a", "b")


def test_worker_goes_on_after_all_of_them_and_the_service_tells(service, tmp_path):
    path, queue = tmp_path / "ran", service.control.queue
    for kind in KINDS:
        poison(queue, kind, path)
    queue.push(make_shard("after"), "default")  # its spec is none: it is reported as failed
    worker = Worker(
        WorkerOptions(
            redis=service.settings.redis, data=str(service.settings.data), backends=("mock",), lease=20.0, max_idle=1.0
        )
    )
    worker.run()
    deadline = time.monotonic() + 20.0
    counts = service.control.counts
    while queue.queued([NAME])[NAME] or counts["refused"] < len(KINDS) or counts["clips_by.mock|failed|"] < 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not path.exists()
    assert counts["clips_by.mock|failed|"] == 1
    with service.database.reading() as session:
        refused = session.scalars(select(EventRow).where(EventRow.kind == "refused")).all()
    assert len(refused) == len(KINDS)
    assert any("os.system" in event.data["detail"] for event in refused)
    assert "after" not in queue.leases()


# ── shards ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_shard_comes_back_as_it_was_queued(queue):
    shard = make_shard("s1", [{"a": 1}, {"b": [1.5, "x"]}])
    queue.push(shard, "default")
    assert queue.pop(["mock"], wait=None) == shard
    assert queue.pop(["mock"], wait=None) is None


def test_changed_blob_is_refused_and_told(queue):
    queue.push(make_shard("s1"), "default")
    queue.connection.set("sf:shard:s1", make_shard("s1", [{"x": 1}]).pack())
    with pytest.raises(QueueError, match="not the one that was queued"):
        queue.pop(["mock"], wait=None)
    assert [message["kind"] for _, message in queue.results("0-0")] == ["refused"]


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.binary(max_size=200).map(zlib.compress))
def test_any_blob_is_a_shard_or_a_clean_error(blob):
    with pytest.raises(QueueError):
        Shard.unpack(blob, hashlib.sha256(blob).hexdigest())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=200)
@given(JSON)
def test_any_json_in_a_blob_is_a_clean_error(value):
    blob = zlib.compress(json.dumps(value).encode())
    with pytest.raises(QueueError):
        Shard.unpack(blob, hashlib.sha256(blob).hexdigest())


def test_bomb_is_refused():
    blob = zlib.compress(b"0" * (70 << 20))
    with pytest.raises(QueueError, match="more than"):
        Shard.unpack(blob, hashlib.sha256(blob).hexdigest())


# ── the server goes away ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def own_server(tmp_path):
    """A service whose queue's server can be stopped and started again."""
    folder = Path(tempfile.mkdtemp(prefix="sf-"))
    (tmp_path / "state").mkdir()
    made = Settings(
        state=tmp_path / "state", data=tmp_path / "data", redis=f"unix://{folder}/q/redis.sock",
        database=f"sqlite:///{tmp_path / 'state.db'}", lease=60.0, disk_reserve=1,
    )  # fmt: skip
    servers = [start_server(folder / "q")]

    def stop():
        servers[-1].kill()
        servers[-1].wait()

    with running(made) as service:
        yield service, stop, lambda: servers.append(start_server(folder / "q"))
    for server in servers:
        server.kill()
        server.wait()
    shutil.rmtree(folder)


def test_queue_that_is_away_is_told_and_nothing_is_lost(own_server):
    service, stop, start = own_server
    client = service.client
    job = service.submit()
    stop()
    for method, path in (("GET", "workers"), ("POST", "workers/x:drain"), ("POST", f"jobs/{job['id']}:pause")):
        answer = client.request(method, f"/v1/{path}")
        assert answer.status_code == 503, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"]
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["parts"]["queue"] != "ok"
    assert client.get(f"/v1/jobs/{job['id']}").json()["state"] == "running"  # the pause was not half done
    assert client.post("/v1/jobs?dry_run=true", json=JOB).status_code == 200
    second = service.submit()  # it is written down, and handed out later
    assert client.get("/metrics").status_code == 200
    start()
    deadline = time.monotonic() + 120.0
    while client.get(f"/v1/jobs/{second['id']}").json()["progress"]["in_flight"] < 8:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert client.get("/readyz").status_code == 200
    assert client.post(f"/v1/jobs/{job['id']}:pause").status_code == 200


def test_draining_is_for_workers_that_are_there(service):
    queue = service.control.queue
    assert service.client.post("/v1/workers/w1:drain").status_code == 404
    status = {
        "name": "w1", "state": "idle", "host": "h", "pid": 1, "version": "0", "backends": ["mock"], "device": "cpu",
        "environments": 2, "since": 1.0, "beat": 1.0,
    }  # fmt: skip
    queue.beat("w1", 1, [], status)
    assert [worker["name"] for worker in service.client.get("/v1/workers").json()] == ["w1"]
    assert service.client.post("/v1/workers/w1:drain").json()["name"] == "w1"
    assert queue.orders("w1") == (set(), True)


def test_damaged_state_of_a_worker_does_not_hide_the_others(service):
    queue = service.control.queue
    queue.connection.hset("sf:workers", "bad", b"{")
    queue.connection.hset("sf:leases", "bad", b"{")
    queue.beat("w1", 1, [], {"name": "w1"})
    assert list(queue.workers()) == ["w1"]
    assert service.client.get("/v1/workers").status_code == 200
    service.control.janitor()


def test_two_readers_enter_a_result_once(service):
    for number in range(50):
        service.control.queue.report({"kind": "refused", "detail": str(number)})
    readers = [
        threading.Thread(target=service.control.read, args=(ShardQueue(redis.Redis.from_url(service.settings.redis)),))
        for _ in range(6)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    while service.control.read(service.control.queue):
        pass
    with service.database.reading() as session:
        refused = session.scalars(select(EventRow).where(EventRow.kind == "refused")).all()
    assert sorted(int(event.data["detail"]) for event in refused) == list(range(50))
