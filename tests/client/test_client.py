"""The client against a service that fails, closes connections and asks for patience."""

import asyncio
import time

import pytest

from simfactory.client import AsyncClient, Client, Endpoint, Retries
from simfactory.errors import ServiceError
from simfactory.protocol import JobItem, JobRequest
from tests.client.conftest import QUICK
from tests.client.service import TOKEN, Fault

REQUEST = JobRequest(dataset="mine", items=[JobItem(category="cloth", clips=20)], tags=["night"])


def test_lost_answer_to_a_submission_makes_one_job(service, client):
    service.fail("POST", "/v1/jobs", Fault(lost=True), Fault(status=503), Fault(status=502))
    assert client.submit(REQUEST).id == "j1"
    assert len(service.jobs) == 1
    keys = {headers["idempotency-key"] for headers in service.asked("POST", "/v1/jobs")}
    assert (len(service.asked("POST", "/v1/jobs")), len(keys)) == (4, 1)


def test_every_submission_has_a_key_of_its_own(service, client):
    assert [client.submit(REQUEST).id, client.submit(REQUEST).id] == ["j1", "j2"]
    assert client.submit(REQUEST, key="k").id == client.submit(REQUEST, key="k").id == "j3"


def test_submission_that_is_still_being_answered_is_waited_for(service, client):
    service.fail("POST", "/v1/jobs", *[Fault(status=409, headers={"Retry-After": "0"})] * 9)
    assert client.submit(REQUEST).id == "j1"


def test_only_fields_that_were_set_are_sent(service, client):
    request = JobRequest.model_validate({"dataset": "mine", "template": "phys4d-full"})
    assert client.submit(request).request == JobRequest(dataset="mine", template="phys4d-full")
    assert request.model_dump_json(exclude_unset=True) == '{"dataset":"mine","template":"phys4d-full"}'


@pytest.mark.parametrize("fault", [Fault(lost=True), Fault(status=503)])
def test_post_that_is_not_idempotent_is_sent_once(service, client, fault):
    service.fail("POST", "/versions", fault)
    with pytest.raises(ServiceError):
        client.create_version("walls")
    assert len(service.asked("POST", "/versions")) == 1
    client.submit(REQUEST)
    service.fail("POST", "/v1/jobs/j1:retry", Fault(status=503))
    with pytest.raises(ServiceError, match="told to fail"):
        client.retry("j1")
    assert len(service.asked("POST", ":retry")) == 1


def test_post_that_was_refused_before_anything_was_done_is_sent_again(service, client):
    service.fail("POST", "/versions", Fault(status=429, headers={"Retry-After": "0"}))
    assert client.create_version("walls").version == 1


def test_reads_survive_broken_connections_and_busy_answers(service, client):
    service.fail("GET", "/v1/workers", Fault(lost=True), Fault(status=504), Fault(cut=3))
    assert client.workers()[0].name == "w1"


def test_retry_after_is_honoured_up_to_the_patience(service, client):
    service.fail("GET", "/v1/workers", Fault(status=503, headers={"Retry-After": "1"}))
    begin = time.monotonic()
    client.workers()
    assert time.monotonic() - begin >= 1.0
    service.fail("GET", "/v1/workers", Fault(status=503, headers={"Retry-After": "3600"}))
    with pytest.raises(ServiceError, match="try again in 3600 s"):
        client.workers()


def test_client_gives_up_after_its_attempts(service, client):
    service.fail("GET", "/v1/workers", *[Fault(status=502)] * 9)
    with pytest.raises(ServiceError) as caught:
        client.workers()
    assert (caught.value.status, len(service.asked("GET", "/v1/workers"))) == (502, QUICK.attempts)


def test_listings_go_on_by_cursor(service, client):
    for _ in range(5):
        client.submit(REQUEST)
    assert [job.id for job in client.jobs(page=2)] == ["j5", "j4", "j3", "j2", "j1"]
    cursors = [path.partition("cursor=")[2] for method, path, _ in service.seen if "GET" in method]
    assert cursors == ["", "2", "4"]
    assert [job.id for job in client.jobs(state="paused")] == []
    assert len(list(client.jobs(tag="night"))) == 5
    assert len(list(client.clips(dataset="walls"))) == 3
    assert len(list(client.clips(category="cloth"))) == 1
    assert len(list(client.job_clips("j1"))) == 3


def test_manifest_that_breaks_off_is_read_from_where_it_was(service, client):
    whole = list(client.manifest("walls"))
    service.fail("GET", "/manifest", Fault(cut=700), Fault(status=503))
    assert list(client.manifest("walls")) == whole
    assert len(whole) == 3
    assert list(client.manifest("walls", version=1)) == whole[:1]


def test_refusal_says_what_is_wrong_where(client):
    with pytest.raises(ServiceError) as caught:
        client.submit(JobRequest(dataset="mine", items=[JobItem(category="clothe", clips=1)]))
    assert str(caught.value) == (
        "the request cannot be fulfilled (422, POST /v1/jobs); /items/0/category: 'clothe' is unknown; "
        "did you mean 'cloth'?"
    )
    assert caught.value.status == 422


def test_wrong_token_is_told_with_its_remedy(service):
    endpoint = Endpoint(url=service.url, token="other")
    with Client(endpoint) as client, pytest.raises(ServiceError, match=r"401.*SIMFACTORY_TOKEN") as caught:
        client.workers()
    assert "other" not in str(caught.value)


def test_service_that_is_not_there_is_told_with_its_remedy():
    with Client(Endpoint(url="http://127.0.0.1:9"), retries=QUICK) as client:
        with pytest.raises(
            ServiceError, match=r"no service answers at http://127.0.0.1:9: start it with `simfactory up`"
        ):
            client.workers()
        with pytest.raises(ServiceError, match="no service answers"):
            client.health()


def test_foreign_answer_is_told_apart(service, client):
    service.fail("GET", "/v1/datasets/walls", Fault(status=200))
    with pytest.raises(ServiceError, match=r"GET /v1/datasets/walls is not what this version knows.*same version"):
        client.dataset("walls")


@pytest.mark.parametrize("name", ["", "..", "."])
def test_names_cannot_lead_elsewhere(client, name):
    with pytest.raises(ServiceError, match="neither an id nor a name"):
        client.dataset(name)


def test_names_are_quoted(service, client):
    with pytest.raises(ServiceError, match="404"):
        client.job("../workers?x#y")
    assert service.seen[-1][1] == "/v1/jobs/..%2Fworkers%3Fx%23y"


def test_redirects_are_not_followed(service, client):
    service.fail("GET", "/v1/workers", Fault(status=307, headers={"Location": "http://elsewhere.example/v1"}))
    with pytest.raises(ServiceError, match=r"http://elsewhere.example/v1: give that address"):
        client.workers()


def test_health_is_asked_without_the_token(service, client):
    assert client.health().status == "ok"
    assert client.health(ready=True).parts == {"queue": "is away"}
    assert all("authorization" not in headers for method, path, headers in service.seen)


def test_the_rest_of_the_calls(service, client, tmp_path):
    job = client.submit(REQUEST).id
    assert [client.pause(job).state, client.resume(job).state, client.cancel(job).state] == [
        "paused",
        "running",
        "cancelled",
    ]
    assert client.estimate(REQUEST).clips == 20
    assert [client.scenes()[0].name, client.layouts()[0].kind, client.datasets()[0].name] == ["drop", "camera", "walls"]
    client.drain("w1")
    (tmp_path / "cup.obj").write_text("v 0 0 0\n")
    found = client.add_assets([tmp_path / "cup.obj"], name="cups", unit="cm", licence="CC0-1.0")
    assert client.assets() == [found]
    assert found.meshes == [{"name": "cup.obj", "bytes": 8}]
    assert (service.assets[0]["unit"], service.assets[0]["licence"]) == ("cm", "CC0-1.0")


def test_async_client_does_the_same(service, tmp_path):
    async def ask():
        endpoint = Endpoint(url=service.url, token=TOKEN)
        async with AsyncClient(endpoint, retries=Retries(first=0.01)) as client:
            service.fail("POST", "/v1/jobs", Fault(lost=True))
            service.fail("GET", "/v1/workers", Fault(status=503))
            job = await client.submit(REQUEST)
            await client.workers()
            states = [found.state async for found in client.watch(job.id, every=0.01)]
            clips = [clip.id async for clip in client.clips()]
            path = await client.download_clip(clips[0], tmp_path)
            return states, clips, path

    states, clips, path = asyncio.run(ask())
    assert (states[-1], len(clips), len(service.jobs)) == ("completed", 3, 1)
    assert (path / "zarr.json").is_file()
