"""A service that runs, clients of it, and its commands."""

import pytest
import typer
from typer.testing import CliRunner

from simfactory.cli import export, get, jobs, submit, watch, workers
from simfactory.client import Client, Endpoint, Retries
from simfactory.store import create_dataset
from simfactory.testing.store import write_example
from tests.client.service import TOKEN, Service, running

COMMANDS = [
    submit.submit, watch.watch, jobs.ls, jobs.cancel, jobs.pause, jobs.resume, jobs.retry, get.get, get.clips,
    export.export, workers.workers,
]  # fmt: skip
QUICK = Retries(attempts=4, first=0.01, longest=0.02)


@pytest.fixture(autouse=True)
def apart(monkeypatch, tmp_path):
    """Neither settings nor a service of this machine reach the tests."""
    for name in ("SIMFACTORY_URL", "SIMFACTORY_TOKEN", "SIMFACTORY_STATE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def small_data(tmp_path_factory):
    """A folder with one dataset, `walls`, of three clips."""
    data = tmp_path_factory.mktemp("served")
    create_dataset(data / "walls")
    for number in range(3):
        assert write_example(data / "walls", number)
    return data


@pytest.fixture
def service(small_data):
    with running(Service(small_data)) as found:
        yield found


@pytest.fixture
def client(service):
    with Client(Endpoint(url=service.url, token=TOKEN), retries=QUICK) as found:
        yield found


@pytest.fixture
def command(service, monkeypatch):
    """Runs a command of the service; see `Result` of Typer's runner."""
    app = typer.Typer(rich_markup_mode=None)
    for function in COMMANDS:
        app.command()(function)
    monkeypatch.setenv("SIMFACTORY_URL", service.url)
    monkeypatch.setenv("SIMFACTORY_TOKEN", TOKEN)
    return lambda *arguments, **options: CliRunner().invoke(app, [*map(str, arguments)], **options)
