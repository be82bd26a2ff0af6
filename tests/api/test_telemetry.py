"""The figures of the last hour: rates by deltas, what is unknown absent, one body for whoever asks; and previews."""

import json
import threading
import time
from dataclasses import replace

import pytest

import api.buckets
from api.buckets import Buckets
from api.telemetry import KEPT_SECONDS, SAMPLE_SECONDS, History, slot_states
from api.testing.factory import small_job
from simfactory.protocol import Worker
from simfactory.telemetry import Telemetry, TelemetrySample
from tests.api.test_events import happen, lines_of

TOLD = {
    "name": "w1", "state": "working", "host": "h", "pid": 1, "version": "0", "backends": ["mock"], "device": "cpu",
    "environments": 4, "since": 1.0, "beat": 1.0,
}  # fmt: skip


def worker(**changes):
    return Worker.model_validate({**TOLD, **changes})


@pytest.fixture
def history(settings):
    settings.data.mkdir()
    return History(settings)


def until(happened, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def live(service):
    """What the wall is told, by worker."""
    return {each["worker"]: each for each in service.client.get("/v1/workers/live").json()}


def observe(history, at, *, clips=0, frames=0, size=0, workers=()):
    counts = {"clips_by.mock|committed|": clips, "clips_by.mock|rejected|slow": 7, "frames": frames, "bytes": size}
    return history.observe(counts, workers, waiting=3, out=5, jobs=1, now=at)


def test_rates_are_what_went_through_in_the_last_minute(history):
    assert observe(history, 1000.0).clips_per_hour is None
    for second in range(2, 200, 2):
        sample = observe(history, 1000.0 + second, clips=second // 2, frames=10 * second, size=1000 * second)
    assert sample.clips_per_hour == pytest.approx(1800.0, rel=0.05)
    assert sample.frames_per_second == pytest.approx(10.0)
    assert sample.bytes_per_second == pytest.approx(1000.0)
    for second in range(200, 300, 2):
        sample = observe(history, 1000.0 + second, clips=99, frames=1980, size=198_000)
    assert sample.clips_per_hour == sample.frames_per_second == sample.bytes_per_second == 0.0


def test_time_to_a_full_disk_leaves_the_reserve(history):
    assert observe(history, 1000.0).disk_seconds is None
    sample = observe(history, 1002.0, size=2_000_000)
    assert sample.disk_free > 0
    assert sample.disk_seconds == pytest.approx((sample.disk_free - 1) / 1e6, rel=1e-3)


def test_time_to_a_full_disk_is_unknown_while_nothing_is_written(history):
    for second in (0, 2, 4):
        sample = observe(history, 1000.0 + second)
    assert sample.disk_seconds is None


def test_object_store_has_no_disk(settings):
    from simfactory.store.location import location_of

    history = History(replace(settings, data=location_of("s3://bucket/data")))
    assert observe(history, 1000.0).disk_free is None


def test_what_no_worker_tells_is_absent_and_never_zero(history):
    sample = observe(history, 1000.0, workers=[worker()])
    assert (sample.cpu_percent, sample.memory_bytes, sample.gpu_percent, sample.gpu_memory_bytes) == (None,) * 4
    assert not {"cpu_percent", "memory_bytes", "gpu_percent", "gpu_memory_bytes"} & history.told(100).series.keys()


def test_workers_of_one_machine_tell_of_one_gpu(history):
    gpu = {"percent": 60.0, "memory_bytes": 4e9, "memory_total": 8e9}
    told = [worker(name=name, gpu=gpu, cpu_percent=50.0, memory_bytes=10**9) for name in ("w1", "w2")]
    sample = observe(history, 1000.0, workers=told)
    assert (sample.cpu_percent, sample.memory_bytes) == (100.0, 2 * 10**9)
    assert (sample.gpu_percent, sample.gpu_memory_bytes) == (60.0, 4 * 10**9)


def test_queue_that_is_away_is_unknown(history):
    sample = history.observe({}, None, waiting=None, out=0, jobs=0)
    assert (sample.workers, sample.queue_shards, sample.slots) == (None, None, {})


def test_slots_are_counted_by_what_they_do():
    busy = worker(slots=[{"slot": 0, "stage": "simulate"}, {"slot": 1, "stage": "load"}, {"slot": 3, "stage": "wait"}])
    assert slot_states([busy, worker()]) == {"load": 1, "simulate": 1, "wait": 1, "idle": 5}


def test_memory_and_answers_are_bounded(history):
    count = int(KEPT_SECONDS / SAMPLE_SECONDS)
    for number in range(count + 500):
        observe(history, 1000.0 + SAMPLE_SECONDS * number, frames=number)
    full = history.told(count)
    assert len(full.at) == count
    assert full.at == sorted(full.at)
    small = history.told(100)
    assert 100 <= len(small.at) <= 101
    assert all(len(values) == len(small.at) for values in small.series.values())
    assert small.series["frames_per_second"][-1] == pytest.approx(0.5)
    assert len(history.body(450)[1]) < 100_000


def test_route_answers_with_an_etag_until_there_is_news(service):
    def ask(**headers):
        return service.client.get("/v1/telemetry?points=100", headers=headers)

    first = ask()
    Telemetry.model_validate_json(first.content)
    deadline, statuses = time.monotonic() + 20.0, set()
    while statuses != {200, 304} and time.monotonic() < deadline:
        statuses.add(ask(**{"if-none-match": first.headers["etag"]}).status_code)
    assert statuses == {200, 304}


def test_route_is_for_readers_alone(service):
    with service.client_with() as stranger:
        assert stranger.get("/v1/telemetry").status_code == 401
    only = service.client.get("/v1/telemetry", headers=service.make_token("submit"))
    assert only.status_code == 403


def test_rates_of_a_real_job_reach_the_history(service):
    from simfactory.worker import Worker as RealWorker
    from simfactory.worker import WorkerOptions

    job = service.client.post("/v1/jobs", json=small_job(30)).json()["id"]
    options = WorkerOptions(redis=service.settings.redis, data=str(service.settings.data), backends=("mock",))
    real = RealWorker(options)
    thread = threading.Thread(target=real.run, daemon=True)
    thread.start()
    deadline, seen = time.monotonic() + 60.0, {}
    while time.monotonic() < deadline and not (seen.get("clips") and seen.get("memory")):
        sample = service.control.history.newest
        if sample is not None:
            seen["clips"] = seen.get("clips") or sample.clips_per_hour
            seen["memory"] = seen.get("memory") or (sample.memory_bytes and sum(sample.slots.values()) == 2)
        time.sleep(0.05)
    assert seen["clips"] > 0
    assert seen["memory"]
    real.stop()
    thread.join(60.0)
    assert service.client.get(f"/v1/jobs/{job}").status_code == 200


# ── samples among events ─────────────────────────────────────────────────────────────────────────────────────────────


def test_samples_come_between_events_and_have_no_id(service):
    happen(service, "before")
    with service.client.stream("GET", "/v1/events?telemetry=true", headers={"last-event-id": "0"}) as stream:
        times = []

        def enough(line):
            if line.startswith("data: ") and "frames_per_second" in line:
                times.append(TelemetrySample.model_validate(json.loads(line[6:])).at)
            return len(times) == 3

        lines = lines_of(stream, enough)
    assert sorted(set(times)) == times
    assert [line for line in lines if line.startswith("id:")] == ["id: 1"]
    assert lines.count("event: telemetry") == 3


def test_streams_get_samples_only_if_they_ask(service):
    with service.client.stream("GET", "/v1/events") as stream:
        timer = threading.Timer(2.0 * SAMPLE_SECONDS + 1.0, happen, args=(service, "late"))
        timer.start()
        lines = lines_of(stream, lambda line: line == "event: late")
        timer.join()
    assert [line for line in lines if line.startswith("event")] == ["event: late"]


def test_place_is_understood_in_the_address_too(service):
    happen(service, "one", "two")
    with service.client.stream("GET", "/v1/events?last_event_id=1") as stream:
        assert "event: two" in lines_of(stream, lambda line: line.startswith("data"))
    # A browser that connects again sends the header, and the address is that of its first time.
    headers = {"last-event-id": "1"}
    with service.client.stream("GET", "/v1/events?last_event_id=0", headers=headers) as stream:
        assert "event: one" not in lines_of(stream, lambda line: line.startswith("data"))


@pytest.mark.parametrize("place", ["-1", "x", "9007199254740992"])
def test_nonsense_place_in_the_address_is_refused(client, place):
    assert client.get(f"/v1/events?limit=1&last_event_id={place}").status_code == 422


def test_many_streams_miss_nothing_wherever_they_begin(service):
    """Some begin in the past, some now, some listen to one job alone; events go on all the while."""
    total, found = 120, {}

    def listen(name, query, last):
        headers = {"last-event-id": last}
        with (
            service.client_with(service.token) as client,
            client.stream("GET", f"/v1/events?{query}", headers=headers) as stream,
        ):
            ids = found.setdefault(name, [])
            lines_of(stream, lambda line: line.startswith("id: ") and (ids.append(int(line[4:])) or ids[-1] > total))

    happen(service, *["early"] * 20, job="j1")
    cases = [(f"all {n}", "", str(n)) for n in range(0, 40, 10)] + [
        ("j2", "job=j2", "0"),
        ("samples", "telemetry=1", "5"),
    ]
    threads = [threading.Thread(target=listen, args=case) for case in cases]
    for thread in threads:
        thread.start()
    for number in range(20, total):
        happen(service, "event", job=f"j{number % 3}")
    deadline = time.monotonic() + 30.0
    while any(thread.is_alive() for thread in threads):
        assert time.monotonic() < deadline, {name: ids[-3:] for name, ids in found.items()}
        happen(service, "last", job="j2")
        for thread in threads:
            thread.join(0.05)
    for name, _, last in cases:
        got = [each for each in found[name] if each <= total]
        if name == "j2":
            assert got == [number + 1 for number in range(20, total) if number % 3 == 2]
        else:
            assert got == list(range(int(last) + 1, total + 1)), name


# ── how often pictures may be asked for ──────────────────────────────────────────────────────────────────────────────


def test_bucket_fills_up_at_its_rate():
    now = [0.0]
    buckets = Buckets(rate=2.0, burst=3, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(3)] == [0.0] * 3
    assert buckets.take("a") == pytest.approx(0.5)
    assert buckets.take("b") == 0.0
    now[0] = 0.5
    assert buckets.take("a") == 0.0
    assert buckets.take("a") > 0.0
    now[0] = 1000.0
    assert [buckets.take("a") for _ in range(3)] == [0.0] * 3
    assert buckets.take("a") > 0.0


def test_buckets_of_strangers_are_forgotten(monkeypatch):
    monkeypatch.setattr(api.buckets, "SESSIONS_MAX", 10)
    buckets = Buckets(rate=1.0, burst=1)
    for number in range(100):
        buckets.take(str(number))
    assert len(buckets._left) == 10


def test_those_who_share_a_token_get_so_many_pictures_of_workers(service):
    service.app.state.pictures["live"] = Buckets(rate=0.5, burst=5)
    service.control.queue.beat("w1", 1, [], TOLD)
    service.control.queue.show("w1", {"count": 1, "rgb": b"png", "scene": "bounce", "frame": 3})
    path = "/v1/workers/w1/preview/rgb"
    until(lambda: service.client.get(path).status_code == 200)
    tag = {"if-none-match": service.client.get(path).headers["etag"]}
    assert [service.client.get(path).status_code for _ in range(3)] == [200] * 3
    answer = service.client.get(path)
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) in (1, 2)
    assert service.client.get(path, headers=tag).status_code == 304, "what the browser has costs nothing"
    assert service.client.get(path, headers=service.make_token("read")).status_code == 200
    with service.client_with() as stranger:
        assert stranger.get(path).status_code == 401


def test_thirty_walls_of_one_token_are_not_refused(service):
    service.control.queue.beat("w1", 1, [], TOLD)
    service.control.queue.show("w1", {"count": 1, "rgb": b"png", "scene": "bounce", "frame": 3})
    path = "/v1/workers/w1/preview/rgb"
    until(lambda: service.client.get(path).status_code == 200)
    assert {service.client.get(path).status_code for _ in range(30 * 20)} == {200}


def test_picture_of_a_worker_has_its_number_as_etag(service):
    queue, path = service.control.queue, "/v1/workers/w1/preview/rgb"
    queue.beat("w1", 1, [], TOLD)

    def show(count):
        queue.show("w1", {"count": count, "rgb": f"png {count}".encode(), "scene": "bounce", "frame": 3})

    show(7)
    shown = until(lambda: live(service).get("w1"))
    assert (shown["count"], shown["pictures"], shown["scene"]) == (7, ["rgb"], "bounce")
    first = service.client.get(path)
    assert (first.content, first.headers["content-type"]) == (b"png 7", "image/png")
    assert "no-cache" in first.headers["cache-control"]
    again = {"if-none-match": first.headers["etag"]}
    assert service.client.get(path, headers=again).status_code == 304
    show(8)
    until(lambda: live(service)["w1"]["count"] == 8)
    assert service.client.get(path, headers=again).content == b"png 8"
    assert service.client.get("/v1/workers/w1/preview/depth").status_code == 404
    assert service.client.get("/v1/workers/w1/preview/secret").status_code == 422
    assert queue.is_watched()


def test_worker_that_writes_nonsense_hides_no_other(service):
    queue = service.control.queue
    queue.beat("bad", 1, [], {**TOLD, "name": "bad", "slots": [{"slot": "x"}]})
    queue.beat("w1", 1, [], TOLD)
    queue.show("w1", {"count": "many", "rgb": b"png"})
    until(lambda: [each["name"] for each in service.client.get("/v1/workers").json()] == ["w1"])
    assert until(lambda: live(service).get("w1"))["count"] is None
    assert list(live(service)) == ["w1"]


def test_reader_is_offered_no_drain_and_may_not_do_it(service):
    service.control.queue.beat("w1", 1, [], TOLD)
    until(lambda: "w1" in live(service))
    reader = {**service.make_token("read"), "accept": "text/html"}
    for headers, count in (({"accept": "text/html"}, 1), (reader, 0)):
        page = service.client.get("/workers", headers=headers)
        assert page.status_code == 200
        assert page.text.count("/workers/w1/drain") == count
    assert service.client.post("/workers/w1/drain", headers=reader).status_code == 403
    assert service.client.post("/workers/w2/drain").status_code == 404
    assert service.client.post("/workers/w1/drain").status_code == 303
    assert service.control.queue.orders("w1")[1]
