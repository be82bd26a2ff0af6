"""A dataset on another machine, over HTTP or in an object store, reads as the local one does, part by part."""

import json
import multiprocessing
import pickle
import shutil
import socket
from pathlib import Path

import pytest

from simfactory import catalog
from simfactory.cli.inspect import inspect
from simfactory.cli.locate import locate
from simfactory.cli.preview import preview_folder
from simfactory.dataset import open_clip, open_dataset
from simfactory.errors import ClipNotFound, CorruptClip, StoreError
from simfactory.store import create_dataset, open_folder, validate
from simfactory.testing.store import example_id, write_example

WINDOW = ["rgb", "depth", "flow_forward", "instance"]
LONG = example_id(9)


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    """A local dataset: two short clips, and one of five chunks of frames."""
    folder = create_dataset(tmp_path_factory.mktemp("original") / "films")
    for number in range(2):
        write_example(folder, number)
    write_example(folder, 9, frame_count=40, height=64, width=64)
    catalog.update(folder)
    return folder


@pytest.fixture(params=["http", "s3"])
def remote(request, original, monkeypatch):
    """The same dataset elsewhere: its address, what holds its files, and the requests they were asked for."""
    if request.param == "http":
        service = request.getfixturevalue("dataset_service")
        shutil.copytree(original.path, service.root / "films")
        monkeypatch.setenv("SIMFACTORY_TOKEN", service.token)
        address = f"{service.address}/films"
        return address, open_folder(service.root / "films").volume, service.requests
    service = request.getfixturevalue("object_store")
    address = f"s3://bucket/{request.node.name}/films"
    volume = create_dataset(address).volume
    volume.remove("dataset.json")
    for key in original.volume.keys(""):
        assert volume.put_if_absent(key, original.volume.read(key))
    service.requests.clear()
    return address, volume, service.requests


def first_window(dataset):
    return dataset[LONG].window(4, 8, modalities=WINDOW)


@pytest.mark.parametrize("engine", ["tensorstore", "zarr"])
def test_remote_dataset_says_what_the_local_one_says(original, remote, engine):
    local, other = open_dataset(original), open_dataset(remote[0], engine=engine)
    assert (other.ids, other.rows(), other.profile) == (local.ids, local.rows(), local.profile)
    assert other.where(category="cloth", index=1).ids == [example_id(1)]
    assert open_dataset(remote[0], split="test").ids == []
    for clip, wanted in zip(other, local, strict=True):
        assert str(clip.path) == f"{remote[0]}/{wanted.path.relative_to(original.path)}"
        assert (clip.attributes, clip.signals, clip.encodings) == (wanted.attributes, wanted.signals, wanted.encodings)
        assert (clip.record, clip.stored_bytes()) == (wanted.record, wanted.stored_bytes())
        for physical in (True, False):
            found, expected = (one.window(3, 7, physical=physical) for one in (clip, wanted))
            assert found.keys() == expected.keys()
            for name, values in expected.items():
                assert (found[name].dtype, found[name].tobytes()) == (values.dtype, values.tobytes()), name


def test_window_costs_one_request_an_array_once_the_indexes_are_known(remote):
    address, _, requests = remote
    dataset = open_dataset(address)
    clip = dataset[LONG]
    counts = []
    for read in (
        lambda: clip.attributes,
        *(lambda start=start: clip.window(start, 8, modalities=WINDOW) for start in (0, 20, 29)),
    ):
        requests.clear()
        read()
        counts.append(len(requests))
    assert counts == [1, 8, 4, 4]  # 29: two chunks of each array, in one range


def test_opening_lists_the_catalogue_and_no_record_or_clip(remote):
    address, _, requests = remote
    requests.clear()
    assert len(open_dataset(address)) == 3
    assert len(requests) == 3  # the description, the list of parts, the part
    assert not any("commits" in request or "clips" in request for request in requests)


def test_a_window_fetches_its_chunks_only(remote, monkeypatch):
    clip = open_dataset(remote[0], engine="zarr")[LONG]
    fetched = []
    kind = type(clip._folder.volume)
    read = kind.read

    def counting(self, key, **part):
        data = read(self, key, **part)
        fetched.append((key, len(data)))
        return data

    monkeypatch.setattr(kind, "read", counting)
    clip.window(8, 8, modalities=["rgb"])
    sizes = {name: entry["bytes"] for name, entry in clip.record["files"].items()}
    chunks = sum(size for key, size in fetched if key.endswith("rgb/c.0.0.0.0"))
    assert 0 < chunks < sizes["rgb/c.0.0.0.0"] / 3


def read_elsewhere(dataset):
    return {name: values.tobytes() for name, values in first_window(dataset).items()}


def test_remote_dataset_reads_in_spawned_workers(original, remote):
    dataset = open_dataset(remote[0])
    first_window(dataset)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(read_elsewhere, (dataset,)) == read_elsewhere(open_dataset(original))


def test_remote_clip_opens_by_its_address(remote):
    clip = open_dataset(remote[0])[0]
    assert open_clip(str(clip.path)).record == clip.record
    with pytest.raises(ClipNotFound, match="never committed"):
        open_clip(f"{remote[0]}/clips/{clip.id[:3]}/{clip.id}.another.zarr")


def test_the_command_line_takes_addresses(remote, capsys):
    inspect(Path(remote[0]), as_json=True)
    record = json.loads(capsys.readouterr().out)
    assert (record["dataset"], record["clips"]) == (remote[0], 3)
    inspect(Path(record["clip_paths"][0]), as_json=True)
    assert json.loads(capsys.readouterr().out)["clip"] == example_id(0)
    assert locate(Path(record["clip_paths"][0]))[0] == Path(remote[0])
    assert preview_folder(Path(remote[0])) == Path("previews")


@pytest.mark.parametrize("engine", ["tensorstore", "zarr"])
@pytest.mark.parametrize("name", ["rgb/c.0.0.0.0", "zarr.json"])
def test_a_missing_file_is_a_corrupt_clip(remote, engine, name):
    address, volume, _ = remote
    clip = open_dataset(address, engine=engine)[LONG]
    volume.remove(f"{str(clip.path).removeprefix(address + '/')}/{name}")
    with pytest.raises(CorruptClip, match=name):
        clip.window(0, 8, modalities=["rgb"])


@pytest.mark.parametrize("engine", ["tensorstore", "zarr"])
def test_flipped_bits_are_a_corrupt_clip(remote, engine):
    address, volume, _ = remote
    clip = open_dataset(address, engine=engine)[LONG]
    key = f"{str(clip.path).removeprefix(address + '/')}/rgb/c.0.0.0.0"
    data = bytearray(volume.read(key))
    data[40] ^= 0x10
    volume.remove(key)
    assert volume.put_if_absent(key, bytes(data))
    with pytest.raises(CorruptClip, match="rgb"):
        clip.window(0, 8, modalities=["rgb"])


def test_a_missing_dataset_is_said_to_be_missing(remote):
    with pytest.raises(StoreError, match="other: no dataset here"):
        open_dataset(remote[0].replace("films", "other"))


@pytest.mark.parametrize("scheme", ["http", "s3"])
def test_a_host_that_does_not_answer_is_named(scheme, object_store, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    with pytest.raises(StoreError, match=address if scheme == "http" else f"check AWS_ENDPOINT_URL .{address}"):
        open_dataset(f"{address}/v1/datasets/films" if scheme == "http" else "s3://bucket/films")


@pytest.mark.parametrize("engine", ["tensorstore", "zarr"])
def test_a_service_that_ends_while_it_is_read_is_no_corrupt_clip(original, dataset_service, engine):
    shutil.copytree(original.path, dataset_service.root / "films")
    clip = open_dataset(f"{dataset_service.address}/films", token=dataset_service.token, engine=engine)[LONG]
    assert clip.frame_count == 40
    dataset_service.stop()
    with pytest.raises(StoreError, match="films") as raised:
        clip.window(0, 8, modalities=["rgb"])
    assert not isinstance(raised.value, CorruptClip)


@pytest.mark.parametrize("engine", ["tensorstore", "zarr"])
def test_a_token_that_expires_while_it_is_read_is_no_corrupt_clip(original, dataset_service, engine):
    shutil.copytree(original.path, dataset_service.root / "films")
    clip = open_dataset(f"{dataset_service.address}/films", token=dataset_service.token, engine=engine)[LONG]
    assert clip.frame_count == 40
    dataset_service.token = "another"
    with pytest.raises(StoreError, match="films") as raised:
        clip.window(0, 8, modalities=["rgb"])
    assert not isinstance(raised.value, CorruptClip)


@pytest.mark.parametrize(("token", "said"), [("", "without a token .401"), ("wrong", "refuses this token .403")])
def test_a_service_that_refuses_says_how_to_give_the_token(original, dataset_service, token, said):
    shutil.copytree(original.path, dataset_service.root / "films")
    with pytest.raises(StoreError, match=f"{said}.*SIMFACTORY_TOKEN"):
        open_dataset(f"{dataset_service.address}/films", token=token)


def test_the_token_goes_to_workers_and_is_not_shown(original, dataset_service, monkeypatch):
    shutil.copytree(original.path, dataset_service.root / "films")
    monkeypatch.delenv("SIMFACTORY_TOKEN", raising=False)
    dataset = open_dataset(f"{dataset_service.address}/films", token=dataset_service.token)
    copy = pickle.loads(pickle.dumps(dataset))
    assert copy[0].caption == "Example 0."
    assert dataset_service.token not in repr(dataset) + repr(dataset[0]) + str(dataset[0].path)


def test_a_token_for_a_folder_is_refused(original):
    with pytest.raises(StoreError, match="a token is for datasets at http"):
        open_dataset(original.path, token="x")


def test_credentials_that_are_refused_are_named(object_store, monkeypatch):
    create_dataset("s3://bucket/guarded")
    monkeypatch.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0)
    with pytest.raises(StoreError, match=r"refuses these credentials.*AWS_ACCESS_KEY_ID"):
        open_dataset("s3://bucket/guarded")


def test_a_missing_bucket_is_named(object_store):
    for opening in (open_dataset, create_dataset):
        with pytest.raises(StoreError, match="there is no bucket 'nowhere'"):
            opening("s3://nowhere/films")
    with pytest.raises(StoreError, match="names no bucket"):
        open_dataset("s3:///films")


def test_served_datasets_are_read_only(original, dataset_service, monkeypatch):
    shutil.copytree(original.path, dataset_service.root / "films")
    monkeypatch.setenv("SIMFACTORY_TOKEN", dataset_service.token)
    address = f"{dataset_service.address}/films"
    with pytest.raises(StoreError, match="read only"):
        create_dataset(address)
    with pytest.raises(StoreError, match="read only"):
        write_example(address, 5)
    with pytest.raises(StoreError, match="check it where it lies"):
        validate(address)
    with pytest.raises(StoreError, match="cannot be listed over HTTP"):
        catalog.update(address)


def test_a_served_dataset_shows_clips_as_they_are_committed(original, dataset_service, monkeypatch):
    shutil.copytree(original.path, dataset_service.root / "films")
    monkeypatch.setenv("SIMFACTORY_TOKEN", dataset_service.token)
    address = f"{dataset_service.address}/films"
    before = len(open_dataset(address))
    write_example(dataset_service.root / "films", 5)
    assert len(open_dataset(address)) == before + 1


def test_a_bucket_shows_clips_once_the_catalogue_lists_them(object_store):
    folder = create_dataset("s3://bucket/growing")
    write_example(folder, 0)
    assert open_dataset(folder).ids == [example_id(0)]  # no part yet: the records are listed
    catalog.update(folder)
    write_example(folder, 1)
    assert open_dataset(folder).ids == [example_id(0)]
    assert catalog.update(folder) == 1
    assert sorted(open_dataset(folder).ids) == sorted(example_id(number) for number in (0, 1))
