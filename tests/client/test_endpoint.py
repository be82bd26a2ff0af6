"""Where the service is looked for, and whom its token is told."""

import json

import pytest

from simfactory.client import Client, Endpoint
from simfactory.errors import ServiceError


def state_folder(path, url="http://127.0.0.1:8123"):
    path.mkdir()
    (path / "service.json").write_text(json.dumps({"url": url, "pid": 1}))
    (path / "token").write_text("kept\n")
    return path


def test_service_of_the_working_directory_is_found(tmp_path):
    state_folder(tmp_path / ".simfactory")
    assert Endpoint.of() == Endpoint(url="http://127.0.0.1:8123", token="kept")


def test_arguments_win_over_the_environment_and_that_over_the_state_folder(tmp_path, monkeypatch):
    folder = state_folder(tmp_path / "elsewhere")
    monkeypatch.setenv("SIMFACTORY_STATE", str(folder))
    assert Endpoint.of().token == "kept"
    monkeypatch.setenv("SIMFACTORY_URL", "http://localhost:9000/v1/")
    assert Endpoint.of() == Endpoint(url="http://localhost:9000", token="kept")
    monkeypatch.setenv("SIMFACTORY_TOKEN", "set")
    assert Endpoint.of() == Endpoint(url="http://localhost:9000", token="set")
    assert Endpoint.of("https://far.example/sim/", token="given") == Endpoint(
        url="https://far.example/sim", token="given"
    )


@pytest.mark.parametrize(
    "url",
    ["http://192.168.1.7:8000", "https://far.example", "http://localhost.far.example", "http://127.0.0.1.far.example"],
)
def test_kept_token_does_not_leave_the_machine(tmp_path, url):
    state_folder(tmp_path / ".simfactory")
    with pytest.raises(ServiceError, match="SIMFACTORY_TOKEN") as caught:
        Endpoint.of(url)
    assert "kept" not in str(caught.value)


def test_kept_token_does_not_follow_an_address_in_the_state_folder(tmp_path):
    state_folder(tmp_path / ".simfactory", url="http://10.0.0.9:8000")
    with pytest.raises(ServiceError, match=r"10\.0\.0\.9"):
        Endpoint.of()


def test_service_on_all_addresses_is_asked_over_loopback(tmp_path):
    state_folder(tmp_path / ".simfactory", url="http://0.0.0.0:8000")
    assert Endpoint.of() == Endpoint(url="http://127.0.0.1:8000", token="kept")
    assert Endpoint.of("http://[::]:8000").url == "http://[::1]:8000"


def test_nothing_that_runs_is_one_clear_sentence():
    with pytest.raises(ServiceError, match=r"no service is running here .* start it with `simfactory up`"):
        Client.of()


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://x", "http://", "http://a:b@x", "http://x?y=1", "http://[::"])
def test_addresses_that_are_none_are_refused(url):
    with pytest.raises(ServiceError, match=r"address"):
        Endpoint.of(url)


@pytest.mark.parametrize("text", ["[]", "{}", "{", '{"url": 3}'])
def test_damaged_state_is_told(tmp_path, text):
    folder = state_folder(tmp_path / ".simfactory")
    (folder / "service.json").write_text(text)
    with pytest.raises(ServiceError, match=r"simfactory up|give one such"):
        Endpoint.of()


def test_token_that_cannot_stand_in_a_header_is_refused(tmp_path, monkeypatch):
    state_folder(tmp_path / ".simfactory")
    monkeypatch.setenv("SIMFACTORY_TOKEN", "two\nlines")
    with pytest.raises(ServiceError, match="token") as caught:
        Endpoint.of()
    assert "lines" not in str(caught.value)


def test_token_is_not_shown():
    assert "hush" not in repr(Endpoint(url="http://localhost", token="hush"))
