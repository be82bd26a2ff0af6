"""Events as they happen: from where a client stopped, with heartbeats, to the end of the service."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest

import api.routes.events
from api.database import note
from tests.api.conftest import free_port


def happen(service, *kinds, job=None):
    for kind in kinds:
        with service.database.writing() as session:
            note(session, kind, job, n=1)


def lines_of(response, until):
    """Read lines of a stream until one of them says enough."""
    found = []
    for line in response.iter_lines():
        found.append(line)
        if until(line):
            return found
    return found


def read(service, query="", last="0"):
    answer = service.client.get(f"/v1/events?limit=100{query}", headers={"last-event-id": last})
    assert answer.headers["content-type"].startswith("text/event-stream")
    texts = [block for block in answer.text.split("\r\n\r\n") if block]
    blocks = [dict(line.split(": ", 1) for line in text.splitlines()) for text in texts]
    return [(int(block["id"]), block["event"], json.loads(block["data"])) for block in blocks]


def test_events_go_on_after_the_last_one_that_was_seen(service_of_each):
    happen(service_of_each, "one", "two", "three")
    everything = read(service_of_each)
    assert [kind for _, kind, _ in everything] == ["one", "two", "three"]
    assert read(service_of_each, last=str(everything[0][0])) == everything[1:]
    assert read(service_of_each, last=str(everything[-1][0])) == []


def test_events_of_a_job_alone(service):
    happen(service, "one", job="j1")
    happen(service, "two", job="j2")
    assert [(kind, data["job"]) for _, kind, data in read(service, "&job=j2")] == [("two", "j2")]


def test_stream_without_a_last_event_begins_now(service):
    happen(service, "before")
    with service.client.stream("GET", "/v1/events?limit=1") as stream:
        time.sleep(0.3)
        happen(service, "after")
        assert "event: after" in lines_of(stream, lambda line: line.startswith("data"))


def test_heartbeat_keeps_a_quiet_stream_alive(service, monkeypatch):
    monkeypatch.setattr(api.routes.events, "PING_SECONDS", 1)
    with service.client.stream("GET", "/v1/events") as stream:
        assert any(line.startswith(": ping") for line in lines_of(stream, lambda line: line.startswith(": ping")))


@pytest.mark.parametrize("last", ["-1", "x", "9007199254740992", ""])
def test_nonsense_place_is_refused(client, last):
    assert client.get("/v1/events?limit=1", headers={"last-event-id": last}).status_code == 422


def test_numbers_of_events_become_visible_in_order(service_of_each):
    """One that commits late is not skipped by who reads on from a later one."""
    service = service_of_each
    first_in, second_tries = threading.Event(), threading.Event()

    def slow():
        with service.database.writing() as session:
            note(session, "slow")
            first_in.set()
            second_tries.wait(20.0)
            time.sleep(0.2)  # the other one could commit now

    writer = threading.Thread(target=slow)
    writer.start()
    assert first_in.wait(20.0)
    other = threading.Thread(target=happen, args=(service, "quick"))
    other.start()
    second_tries.set()
    seen, last, deadline = [], "0", time.monotonic() + 20.0
    while len(seen) < 2 and time.monotonic() < deadline:
        for identity, kind, _ in read(service, last=last):
            seen.append(kind)
            last = str(identity)
    writer.join()
    other.join()
    assert seen == ["slow", "quick"]


def test_streams_end_when_the_service_does(settings, repository_root):
    port = free_port()
    environment = {
        **os.environ, "REDIS_URL": settings.redis, "DATABASE_URL": settings.database,
        "SIMFACTORY_DATA": str(settings.data), "PYTHONPATH": str(repository_root),
    }  # fmt: skip
    command = [sys.executable, "-m", "api.serve", str(settings.state), "127.0.0.1", str(port)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 60.0
        while True:
            assert time.monotonic() < deadline
            try:
                if httpx.get(f"{url}/healthz").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        headers = {"authorization": f"Bearer {(settings.state / 'token').read_text().strip()}"}
        with httpx.stream("GET", f"{url}/v1/events", headers=headers, timeout=30.0) as stream:
            assert stream.status_code == 200
            process.send_signal(signal.SIGTERM)
            assert list(stream.iter_lines()) == []  # it ends, and in good order
        assert process.wait(20.0) in (0, -signal.SIGTERM)  # uvicorn passes the signal on once it is done
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
