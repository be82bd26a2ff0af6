"""A full disk is one clear error, and nothing half-written stays."""

import errno
import os
import subprocess

import numpy as np
import pytest

from simfactory.errors import ResourceError, StoreError
from simfactory.signals import Signal
from simfactory.store import ClipWriter, committed_ids, create_dataset, validate
from simfactory.testing.store import example_id, write_example

NOISE = Signal(name="rgb", dims=("time", "y", "x", "channel"), dtype="uint8", unit="1", description="d")


def files(folder):
    return {path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*") if not path.is_dir()}


def fail_after(monkeypatch, name, calls, code):
    """Let `os.<name>` fail with `code` from its call number `calls` on."""
    original, count = getattr(os, name), 0

    def failing(*args, **kwargs):
        nonlocal count
        count += 1
        if count > calls:
            raise OSError(code, os.strerror(code))
        return original(*args, **kwargs)

    monkeypatch.setattr(os, name, failing)


@pytest.mark.parametrize("name", ["write", "fsync", "link", "mkdir"])
@pytest.mark.parametrize("calls", [0, 1, 5, 20, 44])
def test_a_disk_that_fills_up_anywhere_leaves_only_whole_clips(folder, monkeypatch, name, calls):
    write_example(folder, 0)
    before = files(folder)
    with monkeypatch.context() as patch:
        fail_after(patch, name, calls, errno.ENOSPC)
        try:
            won = write_example(folder, 1)
        except ResourceError as error:
            won = False
            assert str(folder.path) in str(error)  # noqa: PT017 - some of these counts are never reached
            assert "bytes needed" in str(error)  # noqa: PT017
            assert "bytes free" in str(error)  # noqa: PT017
    if not won:
        record = f"commits/{example_id(1)[:3]}/{example_id(1)}.json"
        assert files(folder) == before or record in files(folder)
    assert list(folder.volume.names("staging")) == []
    assert validate(folder) == []
    write_example(folder, 1)
    assert committed_ids(folder) == {example_id(0), example_id(1)}


@pytest.mark.parametrize(("code", "kind"), [(errno.EDQUOT, ResourceError), (errno.EIO, StoreError)])
def test_a_disk_that_refuses_is_named(folder, monkeypatch, code, kind):
    with monkeypatch.context() as patch:
        fail_after(patch, "write", 3, code)
        with pytest.raises(kind, match=str(folder.path)):
            write_example(folder, 1)
    assert files(folder) == {"dataset.json"}


def test_a_dataset_that_does_not_fit_leaves_no_folder(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        fail_after(patch, "write", 0, errno.ENOSPC)
        with pytest.raises(ResourceError):
            create_dataset(tmp_path / "dataset")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    """A real disk of one megabyte, where this user may mount one."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], capture_output=True)
    if mounted.returncode:
        pytest.skip("may not mount a file system")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_a_really_full_disk_is_a_resource_error(small_disk):
    folder = create_dataset(small_disk / "dataset")
    rng = np.random.default_rng(0)

    def write():
        with ClipWriter(
            folder, example_id(0), signals=[NOISE], frame_count=40, height=128, width=128, attributes={}
        ) as writer:
            for _ in range(40):
                writer.append({"rgb": rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)})

    with pytest.raises(ResourceError, match=r"disk is full \(\d+ bytes needed, \d+ bytes free\)"):
        write()
    assert files(folder) == {"dataset.json"}
