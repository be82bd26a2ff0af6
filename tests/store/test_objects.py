"""Writing into an object store: what is left of an attempt, who may remove it, and parts of objects."""

import collections
import multiprocessing
import pickle
import random
import time

import pytest

from simfactory.errors import StoreError
from simfactory.store import committed_ids, create_dataset, leftovers, open_folder, sweep, validate
from simfactory.store.local import LocalVolume
from simfactory.store.location import Url, location_of
from simfactory.store.objects import ObjectVolume
from simfactory.store.web import HttpVolume
from simfactory.testing.store import example_id, write_example, write_examples


@pytest.fixture
def dataset(object_store, request):
    return create_dataset(f"s3://bucket/{request.node.name}")


@pytest.fixture(params=["local", "http", "s3"])
def volume(request, tmp_path):
    """A volume that holds ten bytes at `catalog/digits` and one at `catalog/deep/one`."""
    if request.param == "s3":
        request.getfixturevalue("object_store")
        filled = found = ObjectVolume(f"s3://bucket/{request.node.name}")
    elif request.param == "http":
        service = request.getfixturevalue("dataset_service")
        filled = create_dataset(service.root / "set").volume
        found = HttpVolume(f"{service.address}/set", token=service.token)
    else:
        filled = found = LocalVolume(tmp_path / "set")
    assert filled.put_if_absent("catalog/digits", b"0123456789")
    assert filled.put_if_absent("catalog/deep/one", b"1")
    return found


@pytest.mark.parametrize(
    ("start", "stop", "part"), [(None, None, b"0123456789"), (2, 5, b"234"), (7, None, b"789"), (-3, None, b"789")]
)
def test_volume_reads_the_part_that_is_asked_for(volume, start, stop, part):
    assert volume.read("catalog/digits", start=start, stop=stop) == part
    with pytest.raises(FileNotFoundError):
        volume.read("catalog/letters", start=start, stop=stop)


def test_volume_knows_what_it_holds(volume):
    assert set(volume.names("catalog")) == {"digits", "deep"}
    assert list(volume.names("elsewhere")) == []
    assert [volume.exists(f"catalog/{name}") for name in ("digits", "dig")] == [True, False]
    if volume.listing != "none":
        assert set(volume.keys("catalog")) == {"digits", "deep/one"}
        assert list(volume.keys("cat")) == list(volume.keys("elsewhere")) == []


def test_volume_goes_to_another_process(volume):
    assert pickle.loads(pickle.dumps(volume)).read("catalog/digits") == b"0123456789"


def test_a_key_is_put_once(dataset):
    assert dataset.volume.put_if_absent("a/b", b"first")
    assert not open_folder(dataset.path).volume.put_if_absent("a/b", b"second")
    assert dataset.volume.read("a/b") == b"first"


def test_a_put_whose_answer_was_lost_has_won(dataset):
    assert dataset.volume.put_if_absent("a/b", b"first")
    assert dataset.volume.put_if_absent("a/b", b"first")


def test_a_clip_is_uploaded_before_its_record(dataset, object_store):
    object_store.requests.clear()
    write_example(dataset, 0)
    put = [request for request in object_store.requests if request.startswith("PUT")]
    assert "/staging/" in put[0]
    assert "/commits/" in put[-1]
    assert all("/clips/" in request for request in put[1:-1])
    assert not any("list-type" in request for request in object_store.requests)


def test_an_interrupted_upload_is_swept_once_the_clip_exists(dataset):
    name = f"{example_id(3)}.0123"
    clip = f"clips/{example_id(3)[:3]}/{name}.zarr"
    staged = dataset.volume.stage(name) / "clip"
    staged.mkdir()
    (staged / "zarr.json").write_bytes(b"{}")
    dataset.volume.publish(name, "clip", clip)
    # Its writer is gone without a word; another machine cannot know that, and it could still commit.
    another = open_folder(dataset.path)
    assert sweep(another, older_than_s=3600) == 0
    assert sweep(another, older_than_s=-1.0) == 0
    assert another.volume.read(f"{clip}/zarr.json") == b"{}"
    assert write_example(another, 3)
    assert list(leftovers(another)) == [clip]
    assert sweep(another, older_than_s=3600) == 0
    assert sweep(another, older_than_s=-1.0) == 1
    assert list(leftovers(another)) == list(another.volume.names("staging")) == []
    assert validate(another) == []


def test_what_a_dead_writer_staged_here_is_swept(dataset):
    staged = dataset.volume.stage("attempt")
    another = open_folder(dataset.path).volume
    assert list(another.abandoned(-1.0)) == []
    assert staged.is_dir()
    dataset.volume.release("attempt")
    staged.mkdir()  # as a killed process leaves it: without its lock
    assert list(another.abandoned(-1.0)) == []
    assert not staged.exists()


@pytest.mark.slow
def test_killed_writers_lose_corrupt_and_double_nothing(dataset, tmp_path):
    context = multiprocessing.get_context("spawn")
    rng, log, wanted = random.Random(3), tmp_path / "committed.txt", range(30)
    address = str(dataset.path)

    def start():
        writer = context.Process(target=write_examples, args=(address, wanted), kwargs={"log": log}, daemon=True)
        writer.start()
        return writer

    for _ in range(10):
        writer, before = start(), len(log.read_text()) if log.exists() else 0
        while writer.is_alive() and not (log.exists() and len(log.read_text()) > before):
            time.sleep(0.01)  # it has come to write
        time.sleep(rng.uniform(0.0, 0.3))
        writer.kill()
        writer.join()
    assert list(leftovers(dataset)), "no kill hit a writer in the middle of a clip"
    reported = log.read_text().split()
    assert {example_id(int(number)) for number in reported} <= committed_ids(dataset), "lost"
    assert validate(dataset) == [], "corrupt"
    last = start()
    last.join()
    assert last.exitcode == 0
    assert max(collections.Counter(log.read_text().split()).values()) == 1, "committed twice"
    assert committed_ids(dataset) == {example_id(number) for number in wanted}
    sweep(dataset, older_than_s=-1.0)
    assert list(leftovers(dataset)) == list(dataset.volume.names("staging")) == []
    assert validate(dataset) == [], "corrupt"


def test_a_dataset_keeps_its_profile(dataset):
    assert create_dataset(dataset.path, profile="portable") == dataset
    with pytest.raises(StoreError, match="exists with profile 'portable'"):
        create_dataset(dataset.path, profile="archive")


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("s3://bucket/a/", "s3://bucket/a"),
        ("S3:/bucket/a", "s3://bucket/a"),
        ("http:/host:80/v1/datasets/a", "http://host:80/v1/datasets/a"),
        ("https://host/a", "https://host/a"),
    ],
)
def test_addresses_are_told_from_paths(given, address, tmp_path):
    assert location_of(given) == Url(address)
    assert str(location_of(given) / "b/c") == f"{address}/b/c"
    assert location_of(given).name == "a"
    assert location_of(tmp_path) == tmp_path
    assert not isinstance(location_of("s3/bucket"), Url)
