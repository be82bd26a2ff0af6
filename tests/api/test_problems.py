"""Errors: every one is a problem+json, says what to do, and tells nothing of the code."""

import http.client
import logging

import anyio
import httpx
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

import api.jobs
from simfactory.protocol import Problem

PROBLEM = "application/problem+json"


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    found = Problem.model_validate(answer.json())
    assert found.status == status
    assert found.title
    return found


def pointers(answer):
    return {item.pointer for item in problem(answer, 422).errors}


def test_unknown_route_is_a_problem(client):
    assert problem(client.get("/v1/nothing"), 404).instance == "/v1/nothing"


def test_wrong_method_is_a_problem_that_allows_what_all_routes_of_the_path_take(client):
    answer = client.put("/v1/jobs", json={})
    problem(answer, 405)
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize("path", ["jobs", "clips", "datasets"])
def test_missing_thing_is_a_problem_that_says_where_they_are_listed(client, path):
    assert f"/v1/{path}" in problem(client.get(f"/v1/{path}/missing"), 404).detail


def test_too_large_a_body_is_refused_before_it_is_read(client):
    assert "1048576" in problem(client.post("/v1/jobs", content=b"x" * (2**20 + 1)), 413).detail


def test_body_without_a_length_is_refused(client):
    answer = client.post("/v1/jobs", content=iter([b"{}"] * 4))
    assert "Content-Length" in problem(answer, 411).detail


def test_chunks_do_not_slip_through_beside_a_length(client):
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=10)
    connection.putrequest("POST", "/v1/jobs")
    for name, value in (
        ("content-length", "2"),
        ("transfer-encoding", "chunked"),
        ("authorization", client.headers["authorization"]),
    ):
        connection.putheader(name, value)
    connection.endheaders(b"ffffff\r\n" + b" " * 1000)
    assert connection.getresponse().status in (400, 411)
    connection.close()


@pytest.mark.parametrize(("length", "status"), [("-1", 400), ("1e3", 400), ("²", 400), ("9" * 40, 413)])
def test_nonsense_length_is_a_problem_whatever_the_server_in_front_lets_through(shared, length, status):
    async def ask():
        transport = httpx.ASGITransport(app=shared.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/v1/jobs", headers={b"content-length": length.encode("latin-1")})

    problem(anyio.run(ask), status)


def test_every_error_of_a_body_has_its_pointer(client):
    body = {"dataset": "A B", "items": [{"category": "rigid", "clips": 0}], "fps": "fast", "colour": 1}
    assert pointers(client.post("/v1/jobs", json=body)) == {"/dataset", "/items/0/clips", "/fps", "/colour"}


def test_impossible_request_has_pointers(client):
    body = {"dataset": "d", "items": [{"category": "nothing_like_it", "clips": 1}], "backend": "mock"}
    assert pointers(client.post("/v1/jobs", json=body)) == {"/items/0/category"}


def test_query_and_path_have_pointers(client):
    assert pointers(client.get("/v1/jobs?limit=0&state=tired")) == {"/query/limit", "/query/state"}
    assert pointers(client.get("/v1/jobs/a.b")) == {"/path/identity"}


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"dataset": NaN}', b"[" * 100_000, b"1" * 5000])
def test_what_is_no_json_is_a_problem(client, body):
    answer = client.post("/v1/jobs", content=body, headers={"content-type": "application/json"})
    problem(answer, 400)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"name": "a\\u0000b"}', "/name"),
        (b'{"specs": [{"scene": "\\ud800"}]}', "/specs/0/scene"),
        (b'{"specs": [{"seed": 9007199254740992}]}', "/specs/0/seed"),
        (b'{"ranges": {"friction": [0, 1e999]}}', "/ranges/friction/1"),
        (b'{"a/b~c": -9007199254740993}', "/a~1b~0c"),
        (b'{"specs": [' + b'{"a":' * 70 + b"1" + b"}" * 70 + b"]}", "/specs/0" + "/a" * 63),
    ],
)
def test_values_that_do_not_survive_the_way_are_refused_with_a_pointer(client, body, pointer):
    answer = client.post("/v1/jobs", content=body, headers={"content-type": "application/json"})
    assert pointers(answer) == {pointer}


def test_names_that_cannot_be_printed_are_no_error_of_the_service(client):
    problem(client.post("/v1/jobs", content=b'{"\\ud800": 1}', headers={"content-type": "application/json"}), 422)


def test_largest_integers_are_told_exactly(service):
    largest = 2**31 - 1
    job = service.submit(seeds=[largest], items=[{"category": "rigid", "scene": "bounce", "clips": 1}])
    assert service.client.get(f"/v1/jobs/{job['id']}").json()["request"]["seeds"] == [largest]


def test_huge_strings_are_refused(client):
    assert pointers(client.post("/v1/jobs", json={"dataset": "d", "name": "x" * 201})) == {"/name"}
    assert pointers(client.get(f"/v1/clips?scene={'x' * 5000}")) == {"/query/scene"}
    problem(client.get(f"/v1/datasets/{'x' * 5000}"), 422)


@pytest.mark.parametrize("query", ["category=%00", "scene=a%00b", "job=%00"])
def test_nul_in_a_query_is_refused_before_the_database_sees_it(service_of_each, query):
    problem(service_of_each.client.get(f"/v1/clips?{query}"), 422)


def test_missing_token_is_a_challenge(shared):
    with shared.client_with() as stranger:
        for answer in (
            stranger.get("/v1/jobs"),
            stranger.post("/v1/jobs", json={}),
            stranger.post("/v1/jobs/x:cancel"),
        ):
            problem(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"


def test_too_small_a_scope_is_a_challenge_that_names_the_scope(shared):
    answer = shared.client.post("/v1/jobs/x:cancel", headers=shared.make_token("read"))
    problem(answer, 403)
    assert 'scope="submit"' in answer.headers["www-authenticate"]


def test_database_that_is_away_is_no_internal_error(service, monkeypatch):
    nowhere = create_engine("postgresql+psycopg://nobody@/nothing?host=/nowhere")
    monkeypatch.setattr(service.database, "_sessions", sessionmaker(nowhere))
    answer = service.client.get("/v1/jobs")
    problem(answer, 503)
    assert answer.headers["retry-after"]
    assert "nowhere" not in answer.text


def test_internal_error_tells_nothing_but_where_to_look(service, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(api.jobs, "described", broken)
    with caplog.at_level(logging.ERROR):
        answer = service.client.get("/v1/jobs")
    found = problem(answer, 500)
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert answer.headers["x-request-id"] in found.detail
    assert any("secret of the house" in record.exc_text for record in caplog.records if record.exc_text)


def test_all_answers_carry_the_headers_of_the_house(client):
    for path in ("/healthz", "/v1/nothing", "/v1/jobs?limit=0"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert len(headers["x-request-id"]) == 16
