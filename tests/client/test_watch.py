"""Events and jobs that are watched, over connections that break."""

import asyncio
import threading
import time
from itertools import islice

import pytest

from simfactory.client import AsyncClient, Endpoint
from simfactory.client.events import EventReader, ServerEvent
from simfactory.errors import ServiceError
from simfactory.protocol import JobItem, JobRequest
from tests.client.conftest import QUICK
from tests.client.service import TOKEN, Fault

REQUEST = JobRequest(dataset="mine", items=[JobItem(category="cloth", clips=20)])
STEPS = [{"clips_done": 5}, {"clips_done": 5}, {"clips_done": 12}, {"clips_done": 20, "state": "completed"}]


def test_events_go_on_where_a_connection_ended(service, client):
    service.events_per_connection = 2
    for _ in range(7):
        service.note("tick")
    assert [event.id for event in islice(client.events(), 7)] == [1, 2, 3, 4, 5, 6, 7]
    resumed = [headers.get("last-event-id") for headers in service.asked("GET", "/v1/events")]
    assert resumed == [None, "2", "4", "6"]


def test_events_go_on_after_faults(service, client):
    service.fail("GET", "/v1/events", Fault(status=503), Fault(cut=0), Fault(cut=150))
    for _ in range(4):
        service.note("tick")
    assert [event.id for event in islice(client.events(), 4)] == [1, 2, 3, 4]


def test_events_of_one_job_after_a_known_one(service, client):
    for job in ("j1", "j2", "j1", "j1"):
        service.note("tick", job)
    assert [event.id for event in islice(client.events("j1", after=1), 2)] == [3, 4]


def test_events_of_a_service_that_refuses_end_with_its_reason(service, client):
    service.has_events = False
    with pytest.raises(ServiceError, match="there are no events"):
        next(client.events())


def test_async_events(service):
    async def ask():
        async with AsyncClient(Endpoint(url=service.url, token=TOKEN), retries=QUICK) as client:
            found = []
            async for event in client.events():
                found.append(event.id)
                if len(found) == 3:
                    break
            return found

    service.events_per_connection = 1
    for _ in range(3):
        service.note("tick")
    assert asyncio.run(ask()) == [1, 2, 3]


def test_watched_job_is_yielded_when_it_changes_until_it_ended(service, client):
    service.steps = STEPS
    service.events_per_connection = 1
    states = [(job.state, job.progress.clips_done) for job in client.watch(client.submit(REQUEST).id, every=0.01)]
    assert states == [("running", 5), ("running", 12), ("completed", 20)]


def test_event_wakes_a_watch(service, client):
    service.steps = [{"clips_done": 1}]
    job = client.submit(REQUEST).id

    def go_on():
        time.sleep(0.5)
        service.jobs[job]["steps"] = [{"state": "cancelled"}]
        service.note("cancelled", job)

    thread = threading.Thread(target=go_on)
    thread.start()
    states = [found.state for found in client.watch(job, every=0.01)]
    thread.join()
    assert states == ["running", "cancelled"]


def test_watch_looks_from_time_to_time_where_there_are_no_events(service, client, monkeypatch):
    from simfactory.client import watching

    monkeypatch.setattr(watching, "POLL_SECONDS", 0.01)
    service.has_events = False
    service.steps = STEPS
    assert [job.progress.clips_done for job in client.watch(client.submit(REQUEST).id, every=0.01)] == [5, 12, 20]
    assert len(service.asked("GET", "/v1/events")) == 1


def test_watch_outlives_a_service_that_is_started_anew(service, client):
    service.steps = STEPS
    job = client.submit(REQUEST).id
    watched = client.watch(job, every=0.01)
    next(watched)
    service.fail("GET", f"/v1/jobs/{job}", *[Fault(lost=True)] * (QUICK.attempts + 1))
    service.fail("GET", "/v1/events", *[Fault(status=503)] * 2)
    assert [found.state for found in watched][-1] == "completed"


def test_watch_that_is_left_closes_its_connection(service, client):
    service.steps = [{"clips_done": 1}]
    watched = client.watch(client.submit(REQUEST).id, every=0.01)
    next(watched)
    watched.close()
    assert client.workers()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_events_are_read_however_they_are_cut(size, newline):
    text = ': beat\n\nid: 4\nevent: done\ndata: {"a":\ndata:"é\u2028"}\n\nid: 5\ndata\n\nevent: x\n\ndata: last\n\n'
    raw = text.replace("\n", newline).encode() + b":"
    reader = EventReader()
    found = [event for start in range(0, len(raw), size) for event in reader.feed(raw[start : start + size])]
    assert found == [
        ServerEvent(id="4", kind="done", data='{"a":\n"é\u2028"}'),
        ServerEvent(id="5", kind="message", data=""),
        ServerEvent(id="5", kind="message", data="last"),
    ]
