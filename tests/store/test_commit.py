"""Ids, commit records, attempts that never finished, and what is left of them."""

import json
import os
import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import ClipNotFound, CorruptClip, StoreError
from simfactory.store import (
    clip_id,
    committed_ids,
    create_dataset,
    digest,
    is_committed,
    leftovers,
    open_folder,
    read_record,
    sweep,
    validate,
)
from simfactory.store.commit import clip_key
from simfactory.store.local import LocalVolume
from simfactory.testing.store import example_id, write_example

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), values, min_size=2, max_size=4))
def test_id_depends_on_content_and_not_on_order(identity):
    backwards = dict(reversed(list(identity.items())))
    assert clip_id(identity) == clip_id(backwards) == clip_id(json.loads(json.dumps(identity)))
    assert clip_id(identity) != clip_id({**identity, next(iter(identity)): "something else entirely"})
    assert len(clip_id(identity)) == 32


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes", object()])
def test_id_of_something_that_is_no_json_is_refused(value):
    with pytest.raises(StoreError, match="not plain JSON"):
        clip_id({"value": value})


def test_record_holds_what_the_clip_was_made_of(written):
    record = read_record(written, example_id(2))
    assert record["clip_id"] == example_id(2)
    assert record["quality"] == {"ok": True}
    assert record["spec_hash"] == digest({"seed": 2})
    assert {"python", "numpy", "numcodecs"} <= record["versions"].keys()
    assert sum(file["bytes"] for file in record["files"].values()) == record["row"]["bytes"]
    assert (written.path / clip_key(example_id(2), record["attempt"])).is_dir()


def test_unknown_clip_is_not_found(written):
    assert not is_committed(written, "0" * 32)
    with pytest.raises(ClipNotFound):
        read_record(written, "0" * 32)


def test_damaged_record_is_corrupt_and_never_swept(folder):
    write_example(folder, 0)
    record = folder.path / f"commits/{example_id(0)[:3]}/{example_id(0)}.json"
    record.write_bytes(record.read_bytes()[:50])
    with pytest.raises(CorruptClip, match="damaged commit record"):
        read_record(folder, example_id(0))
    assert [finding.clip_id for finding in validate(folder)] == [example_id(0)]
    assert list(leftovers(folder)) == []


def killed_attempt(folder, name, *, published):
    """Leave what a SIGKILL leaves: a staged attempt, possibly renamed into place already."""
    other = LocalVolume(folder.path)
    (other.stage(name) / "clip").mkdir()
    if published:
        clip, attempt = name.split(".")
        other.publish(name, "clip", clip_key(clip, attempt))
    for descriptor in other._locks.values():
        os.close(descriptor)


@pytest.mark.parametrize("published", [False, True])
def test_sweep_removes_what_a_killed_writer_left(folder, published):
    killed_attempt(folder, f"{example_id(0)}.attempt", published=published)
    assert len(list(leftovers(folder))) == published
    assert sweep(folder, older_than_s=0.0) == 1
    assert list(leftovers(folder)) == []
    assert list(folder.volume.names("staging")) == []


def test_sweep_keeps_a_clip_whose_writer_died_just_after_the_record(folder):
    write_example(folder, 0)
    attempt = read_record(folder, example_id(0))["attempt"]
    killed_attempt(folder, f"{example_id(0)}.{attempt}", published=False)
    assert sweep(folder, older_than_s=0.0) == 1
    assert validate(folder) == []


def test_sweep_waits_for_the_grace_time(folder):
    killed_attempt(folder, f"{example_id(0)}.attempt", published=False)
    assert sweep(folder, older_than_s=3600.0) == 0
    long_ago = time.time() - 7200
    for path in (folder.path / "staging").rglob("*"):
        os.utime(path, (long_ago, long_ago))
    create_dataset(folder.path)
    assert list(folder.volume.names("staging")) == []


def test_creating_again_opens_the_same_dataset(folder):
    write_example(folder, 0)
    assert create_dataset(folder.path) == folder
    assert committed_ids(folder) == {example_id(0)}


def test_handle_goes_to_another_process_without_its_attempts(folder):
    folder.volume.stage("attempt")
    copy = pickle.loads(pickle.dumps(folder))
    assert copy == folder
    copy.volume.put_if_absent("key", b"")
    assert list(copy.volume.abandoned(-1.0)) == []
    folder.volume.release("attempt")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "simfactory.dataset/1"}'])
def test_damaged_description_is_a_store_error(folder, content):
    (folder.path / "dataset.json").write_text(content)
    with pytest.raises(StoreError, match="damaged"):
        open_folder(folder.path)


def test_later_schema_is_refused(folder):
    (folder.path / "dataset.json").write_text('{"schema": "simfactory.dataset/2", "profile": "portable"}')
    with pytest.raises(StoreError, match="this version reads"):
        open_folder(folder.path)


def test_key_is_created_only_once(folder):
    assert folder.volume.put_if_absent("a/b", b"first")
    assert not folder.volume.put_if_absent("a/b", b"second")
    assert folder.volume.read("a/b") == b"first"
    assert list(folder.volume.names("staging")) == []
