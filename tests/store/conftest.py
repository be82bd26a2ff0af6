"""Datasets that the store's tests read, and servers that hand them out: one over HTTP, one that speaks S3."""

import logging
import re
import secrets
import socket
import threading
import urllib.request

import pytest
import uvicorn
from moto.server import ThreadedMotoServer
from starlette.applications import Starlette
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from simfactory import catalog
from simfactory.store import create_dataset
from simfactory.testing.store import write_example


@pytest.fixture
def folder(tmp_path):
    """An empty portable dataset."""
    return create_dataset(tmp_path / "dataset")


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """A portable dataset of six example clips; tests only read it."""
    folder = create_dataset(tmp_path_factory.mktemp("store") / "dataset")
    for number in range(6):
        write_example(folder, number)
    return folder


class DatasetService:
    """Serves every dataset below a folder as simfactory.store.web wants it, and notes each request it answers."""

    def __init__(self, root):
        self.root, self.token, self.requests = root, secrets.token_hex(8), []
        route = Route("/v1/datasets/{name}/files/{path:path}", self.answer, methods=["GET", "HEAD"])
        # Named as TCP, so that asyncio sends small answers at once: they would wait 40 ms for an acknowledgement.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1/datasets"
        self._server = uvicorn.Server(uvicorn.Config(Starlette(routes=[route]), log_level="warning", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()

    def answer(self, request):
        dataset, path = self.root / request.path_params["name"], request.path_params["path"]
        given = request.headers.get("authorization", "")
        if given != f"Bearer {self.token}":
            return Response(status_code=403 if given else 401)
        self.requests.append(path)
        if path == "catalog/":
            if not (dataset / "dataset.json").is_file():
                return Response(status_code=404)
            catalog.update(dataset)
            return JSONResponse({"names": [entry.name for entry in (dataset / "catalog").glob("*")]})
        file = dataset / path
        return FileResponse(file) if file.is_file() else Response(status_code=404)

    def stop(self):
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


class ObjectService(logging.Handler):
    """An object store that speaks S3, and notes each request it answers."""

    def __init__(self):
        super().__init__()
        self.requests = []
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.address = f"http://{host}:{port}"
        with urllib.request.urlopen(urllib.request.Request(f"{self.address}/bucket", method="PUT")) as made:
            assert made.status == 200

    def emit(self, record):
        self.requests += re.findall(r"(?:GET|PUT|POST|HEAD|DELETE) /\S*", record.getMessage())

    def stop(self):
        self._server.stop()


@pytest.fixture
def dataset_service(tmp_path_factory):
    """A service of datasets over HTTP; what lies in its `root` is served."""
    service = DatasetService(tmp_path_factory.mktemp("served"))
    yield service
    service.stop()


@pytest.fixture(scope="session")
def running_object_store():
    service = ObjectService()
    yield service
    service.stop()


@pytest.fixture
def object_store(running_object_store, monkeypatch, tmp_path):
    """An object store with the bucket `bucket`, which the environment points to."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", running_object_store.address)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    logger = logging.getLogger("werkzeug")
    monkeypatch.setattr(logger, "level", logging.INFO)
    logger.addHandler(running_object_store)
    running_object_store.requests.clear()
    yield running_object_store
    logger.removeHandler(running_object_store)
