"""`simfactory view` on the command line, and the recordings it makes for Rerun, read back."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from api.local_rerun import viewer_command
from api.testing.clips import make_clips
from simfactory.dataset import Clip, open_dataset
from simfactory.errors import StoreError
from simfactory.exporters import find_exporter


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    options = {"backend": "mock", "clips": 1, "views": 1, "frames": 6, "size": 48}
    return make_clips(tmp_path_factory.mktemp("view") / "data", scene="bounce", **options)


@pytest.fixture(scope="module")
def clip(dataset) -> Clip:
    return open_dataset(dataset)[0]


def view(*arguments, **options) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "simfactory", "view", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120.0, **options)


def children(process: int) -> set[int]:
    """Return the processes that a process started and that run."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            if int(status.read_text().rpartition(")")[2].split()[1]) == process:
                found.add(int(status.parent.name))
    return found


def listeners(process: int) -> list[tuple[str, int]]:
    """Return the addresses, as the kernel writes them, and ports at which a process and its children listen."""
    sockets = set()
    for each in {process, *children(process)}:
        for link in Path(f"/proc/{each}/fd").glob("*"):
            with contextlib.suppress(OSError):  # closed meanwhile
                sockets.add(os.readlink(link))  # noqa: PTH115  # no path: the name of a socket
    found = []
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in sockets:
                address, _, port = local.partition(":")
                found.append((address, int(port, 16)))
    return found


def chunks(path: Path) -> dict[str, dict[float, dict]]:
    """Return the rows of a recording: entity → time [s] → component → value."""
    from rerun.chunk import RrdReader

    rows: dict[str, dict[float, dict]] = {}
    for chunk in RrdReader(path).stream():
        batch = chunk.to_record_batch()
        if "time" not in batch.schema.names:
            continue
        times = [each.total_seconds() for each in batch["time"].to_pylist()]
        for k, moment in enumerate(times):
            row = {name: batch[name][k].as_py() for name in batch.schema.names if ":" in name}
            rows.setdefault(str(chunk.entity_path), {}).setdefault(round(moment, 6), {}).update(row)
    return rows


@pytest.fixture(scope="module")
def recording(dataset, clip, tmp_path_factory) -> dict[str, dict[float, dict]]:
    out = tmp_path_factory.mktemp("rerun") / "new" / "clip.rrd"
    done = view(dataset, "--rerun", "--out", out)
    assert (done.returncode, done.stdout.strip()) == (0, str(out)), done.stderr
    assert [each.name for each in out.parent.iterdir()] == ["clip.rrd"]
    return chunks(out)


def test_a_recording_has_a_row_for_each_frame(recording, clip):
    times = [round(frame / clip.fps, 6) for frame in range(clip.frame_count)]
    for entity in ("image/rgb", "image/depth", "image/instance", "image/flow_forward"):
        assert sorted(recording[f"/world/camera/{entity}"]) == times
    assert sorted(recording["/world/points"]) == times


def test_depth_comes_back_bit_by_bit(recording, clip):
    for frame in range(clip.frame_count):
        row = recording["/world/camera/image/depth"][round(frame / clip.fps, 6)]
        data = np.asarray(row["DepthImage:buffer"][0], np.uint8).view(np.float32).reshape(clip.height, clip.width)
        np.testing.assert_array_equal(data, clip.window(frame, 1, modalities=["depth"])["depth"][0])
        assert row["DepthImage:meter"] == [1.0]


def test_points_ids_and_colours_come_back(recording, clip):
    for frame in range(clip.frame_count):
        row = recording["/world/points"][round(frame / clip.fps, 6)]
        stored = clip.window(frame, 1, modalities=["points"])
        places = np.asarray(row["Points3D:positions"], np.float32).reshape(-1, 3)
        np.testing.assert_array_equal(places, stored["points/position"][:, :3])
        assert (row["Points3D:class_ids"] or []) == stored["points/instance"].tolist()
    row = recording["/world/camera/image/rgb"][0.0]
    image = np.asarray(row["Image:buffer"][0], np.uint8).reshape(clip.height, clip.width, 3)
    np.testing.assert_array_equal(image, clip.window(0, 1, modalities=["rgb"])["rgb"][0])


def test_camera_and_bodies_come_back(recording, clip):
    window = clip.window(0, clip.frame_count, modalities=["camera", "bodies"])
    for frame in range(clip.frame_count):
        moment = round(frame / clip.fps, 6)
        row = recording["/world/camera"][moment]
        pose = window["camera/camera_to_world"][frame]
        np.testing.assert_allclose(row["Transform3D:translation"][0], pose[:3, 3], atol=1e-6)
        np.testing.assert_allclose(np.reshape(row["Transform3D:mat3x3"][0], (3, 3)).T, pose[:3, :3], atol=1e-6)
        lens = np.reshape(recording["/world/camera/image"][moment]["Pinhole:image_from_camera"][0], (3, 3)).T
        np.testing.assert_allclose(lens, window["camera/K"][frame], rtol=1e-6)
        for index, identity in enumerate(window["bodies/instance"]):
            body = recording[f"/world/bodies/{identity}"][moment]
            np.testing.assert_allclose(body["Transform3D:translation"][0], window["bodies/position"][frame, index])
    dynamic = np.flatnonzero(np.isfinite(window["bodies/mass"]))
    curve = recording[f"/plots/speed/{window['bodies/instance'][dynamic[0]]}"]
    speed = np.linalg.norm(window["bodies/linear_velocity"][:, dynamic[0]], axis=-1)
    np.testing.assert_allclose([curve[key]["Scalars:scalars"][0] for key in sorted(curve)], speed, rtol=1e-6)


def test_the_rerun_viewer_listens_on_the_loopback_alone(dataset):
    command = [sys.executable, "-m", "simfactory", "view", str(dataset), "--rerun", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        address = process.stdout.readline()
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)", address)[1])
        deadline = time.monotonic() + 60.0
        found: list[tuple[str, int]] = []
        while port not in {each for _, each in found} or len(found) < 2:
            assert process.poll() is None
            assert time.monotonic() < deadline, f"the viewer does not listen: {found}"
            time.sleep(0.05)
            found = listeners(process.pid)
        assert {host for host, _ in found} == {"0100007F"}, found
        viewers = children(process.pid)
        assert len(viewers) == 1
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20.0)
    assert process.returncode == 0
    assert not any(Path(f"/proc/{viewer}").exists() for viewer in viewers)  # none is left behind


def test_the_viewer_is_never_told_to_listen_elsewhere(tmp_path):
    for desktop in (True, False):
        command = viewer_command(tmp_path / "clip.rrd", 1234, 1235, desktop=desktop)
        assert command[command.index("--bind") + 1] == "127.0.0.1"


def test_without_rerun_the_error_says_what_to_install(clip, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(StoreError, match=r"pip install 'simfactory\[rerun\]'"):
        find_exporter("rerun").export(clip, tmp_path / "clip.rrd")
    assert list(tmp_path.iterdir()) == []


def test_view_says_what_is_wrong_with_its_arguments(dataset, tmp_path):
    for arguments, words in (
        ((dataset, "--out", tmp_path / "x.rrd"), "--rerun"),
        ((tmp_path / "nowhere", "--no-browser"), "nowhere"),
    ):
        done = view(*arguments)
        assert done.returncode != 0
        assert words in done.stderr
        assert "Traceback" not in done.stderr
