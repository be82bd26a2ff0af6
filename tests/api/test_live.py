"""What a real worker shows while somebody looks, and that its recording does not depend on it."""

import threading
import time

import cv2
import numpy as np
import pytest

import simfactory.live
from simfactory.queue import AWAY, ShardQueue
from simfactory.store import committed_ids, read_record
from simfactory.worker import Worker, WorkerOptions

PICTURES = ("rgb", "depth", "flow_forward", "instance")
BIG = {"items": [{"category": "rigid", "scene": "bounce", "clips": 12}], "frames": 12, "size": [320, 200]}


@pytest.fixture
def make_worker(service):
    """Start workers of the service in threads of this process; all have ended at the end."""
    threads = []

    def start(**options):
        options = {"backends": ("mock",), "lease": 20.0, "environments": 2} | options
        worker = Worker(WorkerOptions(redis=service.settings.redis, data=str(service.settings.data), **options))
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        threads.append((worker, thread))
        return worker, thread

    yield start
    for worker, thread in threads:
        worker.stop(0.0)
        thread.join(60.0)
        assert not thread.is_alive()


def until(happened, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@pytest.fixture
def looking(service):
    """Look until told otherwise, as an open page does."""
    enough = threading.Event()

    def look():
        while not enough.is_set():
            service.control.queue.watch()
            enough.wait(1.0)
        service.control.queue.connection.delete("sf:watched")

    thread = threading.Thread(target=look)
    thread.start()

    def stop():
        enough.set()
        thread.join()

    yield stop
    stop()


def finish(service, worker, thread, job):
    until(lambda: service.client.get(f"/v1/jobs/{job['id']}").json()["state"] == "completed")
    worker.stop()
    thread.join(60.0)


def digests(service, dataset):
    folder = service.settings.data / dataset
    return {clip: read_record(folder, clip)["files"] for clip in committed_ids(folder)}


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(simfactory.live, "SHOW_SECONDS", 0.05)


def test_watched_worker_shows_small_pictures_that_change(service, make_worker, looking, quick):
    service.submit(**BIG)
    worker, _ = make_worker()
    shown = until(lambda: service.control.queue.shown(worker.name, ("count", *PICTURES)))
    assert shown.keys() == {"count", *PICTURES}
    for name in PICTURES:
        image = cv2.imdecode(np.frombuffer(shown[name], np.uint8), cv2.IMREAD_COLOR)
        assert image.shape == (100, 160, 3)
        assert image.std() > 1.0, name

    def later():
        found = service.control.queue.shown(worker.name, ("count", "rgb"))
        return found and int(found["count"]) > int(shown["count"]) and found["rgb"] != shown["rgb"]

    until(later)


def test_nobody_looking_costs_nothing(service, make_worker, quick):
    job = service.submit(dataset="data")
    worker, thread = make_worker()
    finish(service, worker, thread, job)
    assert worker._live._thread is None
    assert worker._live._next is None
    assert not service.control.queue.shown(worker.name, ("count",))


def test_recorded_bytes_do_not_depend_on_who_looks(service, make_worker, looking, quick):
    job = service.submit(**BIG, dataset="watched")
    worker, thread = make_worker()
    finish(service, worker, thread, job)
    assert service.control.queue.shown(worker.name, ("count",))
    looking()
    job = service.submit(**BIG, dataset="alone")
    worker, thread = make_worker()
    finish(service, worker, thread, job)
    assert digests(service, "watched") == digests(service, "alone")
    assert len(digests(service, "alone")) >= 12


def test_pictures_that_cannot_be_sent_disturb_nobody(service, make_worker, looking, quick, monkeypatch):
    tried = threading.Event()

    def away(self, worker, fields):
        tried.set()
        raise AWAY[0]("nobody there")

    monkeypatch.setattr(ShardQueue, "show", away)
    job = service.submit(**BIG)
    worker, thread = make_worker()
    finish(service, worker, thread, job)
    assert tried.is_set()
    progress = service.client.get(f"/v1/jobs/{job['id']}").json()["progress"]
    assert progress["clips_done"] >= progress["clips_wanted"]
    assert progress["replaced"] == progress["failed"] == 0


def test_service_hears_of_slots_and_their_past_soon(service, make_worker, looking):
    service.submit(**BIG | {"items": [{"category": "rigid", "scene": "bounce", "clips": 200}]})
    worker, _ = make_worker()

    def told():
        found = [each for each in service.client.get("/v1/workers?spans=true").json() if each["name"] == worker.name]
        return found[0] if found and found[0]["spans"] else None

    first = until(told)
    assert {slot["slot"] for slot in first["slots"]} <= {0, 1}
    assert {slot["stage"] for slot in first["slots"]} <= {"load", "simulate", "wait"}
    assert {span["row"] for span in first["spans"]} <= {"0", "1", "render", "encode", "commit"}
    assert all(0.0 <= span["begin"] <= span["end"] <= first["clock"] + 0.02 for span in first["spans"])
    until(lambda: (now := told()) and now["clock"] > first["clock"])  # which a beat alone does not bring
    assert service.control.queue.workers()[worker.name]["spans"]
    looking()
    until(lambda: not service.control.queue.workers()[worker.name]["spans"])  # asking the service would be looking
