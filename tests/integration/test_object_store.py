"""A service whose datasets lie in an object store: a real server that speaks S3, over loopback."""

import hashlib
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from api.testing.factory import TOKEN, Factory, small_job
from simfactory.dataset import open_dataset

CLIPS = 4


@pytest.fixture
def bucket(monkeypatch):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    settings = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "trial",
        "AWS_SECRET_ACCESS_KEY": "trial",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="clips")
    yield settings
    server.stop()


def test_workers_fill_a_bucket_and_everybody_reads_it(bucket, monkeypatch):
    with tempfile.TemporaryDirectory(prefix="sf") as folder:
        place = {**bucket, "SIMFACTORY_DATA": "s3://clips/data"}
        with Factory(Path(folder), lease=10.0, environment=place) as factory:
            factory.start_worker()
            job = factory.submit(small_job(CLIPS))
            factory.until_done(job)
            near = open_dataset("s3://clips/data/trial")
            assert {clip.id for clip in near} == {clip["id"] for clip in factory.clips(job)}
            monkeypatch.setenv("SIMFACTORY_TOKEN", TOKEN)
            far = open_dataset(f"http://127.0.0.1:{factory.port}/v1/datasets/trial")
            for clip in near:
                np.testing.assert_array_equal(far[clip.id].window(0, 4)["depth"], clip.window(0, 4)["depth"])
                for entry in factory.call(f"/v1/clips/{clip.id}/files")["files"][:2]:
                    path = f"http://127.0.0.1:{factory.port}/v1/clips/{clip.id}/files/{entry['path']}"
                    headers = {"authorization": f"Bearer {TOKEN}"}
                    whole = urlopen(Request(path, headers=headers), timeout=20.0).read()
                    assert hashlib.sha256(whole).hexdigest() == entry["sha256"]
                    part = urlopen(Request(path, headers={**headers, "range": "bytes=3-9"}), timeout=20.0)
                    assert (part.status, part.read()) == (206, whole[3:10])
