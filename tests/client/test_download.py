"""Files and whole datasets that come over connections that break, and bytes that are not what was promised."""

import json
import shutil

import pytest

from simfactory import catalog
from simfactory.client import FileEntry, export
from simfactory.client.downloads import local_path
from simfactory.dataset import open_dataset
from simfactory.errors import CorruptClip, ServiceError, StoreError
from simfactory.signals import Signal
from simfactory.store import (
    ClipWriter,
    clip_id,
    committed_ids,
    create_dataset,
    leftovers,
    read_runs,
    record_run,
    validate,
)
from simfactory.testing.store import example_id
from tests.client.service import Fault

CLIP = example_id(0)


def rgb_of(client):
    return next(entry for entry in client.clip_files(CLIP) if entry.path.startswith("rgb/c"))


def test_download_goes_on_within_a_file(service, client, tmp_path):
    service.fail("GET", "/rgb/c", Fault(cut=100), Fault(cut=50), Fault(status=503))
    root = client.download_clip(CLIP, tmp_path)
    ranges = [headers.get("range") for headers in service.asked("GET", "/rgb/c")]
    assert ranges == [None, "bytes=100-", "bytes=150-", "bytes=150-"]
    assert {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} == {
        entry.path for entry in client.clip_files(CLIP)
    }


def test_download_goes_on_after_a_call_that_gave_up(service, client, tmp_path):
    service.fail("GET", "/rgb/c", Fault(cut=100), *[Fault(status=503)] * 9)
    with pytest.raises(ServiceError, match="told to fail"):
        client.download_clip(CLIP, tmp_path)
    service.faults.clear()
    count = len(service.seen)
    client.download_clip(CLIP, tmp_path)
    assert service.asked("GET", "/rgb/c")[-1]["range"] == "bytes=100-"
    files = len(client.clip_files(CLIP))
    assert len(service.seen) - count < files + 2, "files that were whole are not fetched again"


def test_rest_of_another_file_is_thrown_away(client, tmp_path):
    entry = rgb_of(client)
    part = tmp_path / f"{CLIP}.zarr" / f"{entry.path}.part"
    part.parent.mkdir(parents=True)
    for rest in (b"x" * 10, b"x" * (entry.bytes + 10)):
        part.write_bytes(rest)
        client.download_clip(CLIP, tmp_path)
        part.with_suffix("").unlink()


def test_bytes_that_are_not_the_promised_ones_are_not_kept(service, client, tmp_path):
    service.fail("GET", "/rgb/c", Fault(spoilt=True))
    with pytest.raises(CorruptClip, match=r"rgb/c.*SHA-256"):
        client.download_clip(CLIP, tmp_path)
    assert not list(tmp_path.rglob("rgb/c*"))
    client.download_clip(CLIP, tmp_path)


def test_more_bytes_than_promised_are_refused(client, tmp_path):
    path = f"commits/{CLIP[:3]}/{CLIP}.json"
    with pytest.raises(CorruptClip, match="10 bytes"):
        client.download_dataset_file("walls", FileEntry(path=path, bytes=10), tmp_path / "record")
    assert not (tmp_path / "record").exists()


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "a//b", "a\\b", ""])
def test_files_do_not_leave_their_folder(tmp_path, path):
    with pytest.raises(ServiceError, match="leads out of its folder"):
        local_path(tmp_path, path)


def ids(client, **wanted):
    return [clip.id for clip in client.clips(dataset="walls", **wanted)]


def test_export_is_a_sound_dataset(client, tmp_path):
    out = tmp_path / "copy"
    sizes = []
    done = export(client, "walls", ids(client), out, done=sizes.append)
    assert (done.clips, done.fetched, done.bytes, len(sizes)) == (3, 3, sum(sizes), 3)
    assert validate(out) == []
    assert list(leftovers(out)) == []
    assert not list((out / "staging").iterdir())
    assert {clip.id for clip in open_dataset(out)} == {example_id(number) for number in range(3)}
    assert len(catalog.read_table(out)) == 3
    again = export(client, "walls", ids(client), out)
    assert (again.clips, again.fetched, again.bytes) == (3, 0, 0)


def test_export_that_broke_off_goes_on(service, client, tmp_path):
    out = tmp_path / "copy"
    service.fail("GET", "/rgb/c", Fault(cut=100), *[Fault(status=503)] * 9)
    with pytest.raises(ServiceError):
        export(client, "walls", ids(client), out)
    assert committed_ids(out) == set()
    service.faults.clear()
    export(client, "walls", ids(client), out)
    assert "bytes=100-" in [headers.get("range") for headers in service.asked("GET", "/rgb/c")]
    assert validate(out) == []
    assert list(leftovers(out)) == []


def test_export_that_was_killed_before_the_record_goes_on(client, tmp_path):
    out = tmp_path / "copy"
    export(client, "walls", ids(client), out)
    (out / "commits" / CLIP[:3] / f"{CLIP}.json").unlink()
    assert export(client, "walls", ids(client), out).fetched == 1
    assert validate(out) == []


def test_spoilt_file_keeps_its_clip_out(service, client, tmp_path):
    service.fail("GET", "/rgb/c", Fault(spoilt=True))
    with pytest.raises(CorruptClip):
        export(client, "walls", [CLIP], tmp_path / "copy")
    assert committed_ids(tmp_path / "copy") == set()


def test_export_does_not_mix_profiles_nor_exports(client, tmp_path):
    create_dataset(tmp_path / "exact", profile="archive")
    with pytest.raises(StoreError, match="has profile 'archive'"):
        export(client, "walls", [], tmp_path / "exact")

    def nested(size):
        with pytest.raises(StoreError, match="another export"):
            export(client, "walls", [], tmp_path / "copy")

    export(client, "walls", [CLIP], tmp_path / "copy", done=nested)


def test_hostile_ids_are_not_fetched(client, tmp_path):
    with pytest.raises(ServiceError, match="no clip id"):
        export(client, "walls", ["../../x"], tmp_path / "copy")


def test_sibling_figures_and_run_records_come_along(service, client, tmp_path, small_data):
    service.data = tmp_path / "data"
    shutil.copytree(small_data, service.data)
    there, group, identity = service.data / "walls", "ab" * 16, clip_id({"of": "a group"})
    record_run(there, {"category": "rigid"})
    (there / "siblings").mkdir()
    (there / "siblings" / f"{group}.json").write_text(json.dumps({"group": group}))
    signal = Signal(name="time", dims=("time",), dtype="float64", unit="s", description="Time.")
    options = {"signals": [signal], "frame_count": 2, "height": 4, "width": 4, "attributes": {"fps": 24.0}}
    with ClipWriter(there, identity, **options) as writer:
        for _ in range(2):
            writer.append({})
        row = dict.fromkeys(("scene", "category", "tier", "backend", "camera", "split"), "x")
        spec = {"sibling": {"group": group}}
        assert writer.commit(
            arrays={"time": [0.0, 1.0]}, attributes={"spec": spec}, row={**row, "seed": 1, "index": 1, "fps": 24.0}
        )
    export(client, "walls", ids(client), tmp_path / "copy")
    assert json.loads((tmp_path / "copy" / "siblings" / f"{group}.json").read_bytes()) == {"group": group}
    assert read_runs(tmp_path / "copy") == [{"category": "rigid"}]
