"""The conformance suite of the clip store, and small deterministic clips to test it and its users with."""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from simfactory.dataset import Clip, open_dataset
from simfactory.errors import CorruptClip, StoreError
from simfactory.signals import Precision, Signal
from simfactory.store import (
    ClipWriter,
    DatasetFolder,
    clip_id,
    committed_ids,
    is_committed,
    leftovers,
    open_folder,
    sweep,
    validate,
)
from simfactory.store.commit import clip_key
from simfactory.store.precision import Array
from simfactory.store.reader import Engine

__all__ = [
    "EXAMPLE_SIGNALS",
    "StoreContract",
    "example_arrays",
    "example_frame",
    "example_id",
    "expected_example",
    "write_example",
    "write_examples",
]

_NAN, _INF = float("nan"), float("inf")
_FLOW = Precision(dtype="int16", scale=1 / 64, scale_max=1 / 8)
_IMAGE = ("time", "y", "x")
_FRAMES, _HEIGHT, _WIDTH = 11, 12, 20

EXAMPLE_SIGNALS: tuple[Signal, ...] = (
    Signal(name="rgb", dims=(*_IMAGE, "channel"), dtype="uint8", unit="1", description="Colour, sRGB."),
    Signal(
        name="depth",
        dims=_IMAGE,
        dtype="float32",
        unit="m",
        description="Distance along the optical axis, inf where nothing is hit.",
        fill=_INF,
        precision=Precision(dtype="float16"),
    ),
    Signal(
        name="flow_forward",
        dims=("time", "uv", "y", "x"),
        dtype="float32",
        unit="px",
        description="Displacement to the next frame, NaN where undefined.",
        fill=_NAN,
        precision=_FLOW,
    ),
    Signal(
        name="scene_flow",
        dims=("time", "xyz", "y", "x"),
        dtype="float32",
        unit="m",
        description="Displacement in the world to the next frame, NaN where undefined.",
        fill=_NAN,
        precision=Precision(dtype="int16", scale=1e-4, scale_max=0.1),
    ),
    Signal(
        name="normal",
        dims=(*_IMAGE, "xyz"),
        dtype="float32",
        unit="1",
        description="Surface normal in the world, NaN where nothing is hit.",
        fill=_NAN,
        precision=Precision(dtype="int8", scale=1 / 127),
    ),
    Signal(name="instance", dims=_IMAGE, dtype="uint16", unit="id", description="Instance id, 0 = sky."),
    Signal(name="mask", dims=_IMAGE, dtype="uint8", unit="1", description="Bits; 5: flow saturated."),
    Signal(
        name="points/position",
        dims=("point", "xyzt"),
        dtype="float32",
        unit="m",
        description="Moving surface points in the world, time last.",
        ragged=True,
    ),
    Signal(
        name="points/instance",
        dims=("point",),
        dtype="uint16",
        unit="id",
        description="Instance of each point.",
        ragged=True,
    ),
    Signal(name="camera/K", dims=("time", "row", "column"), dtype="float32", unit="px", description="Intrinsics."),
    Signal(
        name="camera/camera_to_world",
        dims=("time", "world", "camera"),
        dtype="float64",
        unit="m",
        description="Pose of the camera in the world.",
    ),
    Signal(
        name="tracks/position",
        dims=("xyz", "point", "time"),
        dtype="float32",
        unit="m",
        description="Material points in the world.",
    ),
    Signal(name="tracks/visible", dims=("point", "time"), dtype="bool", unit="1", description="Seen by this camera."),
    Signal(name="bodies/mass", dims=("body",), dtype="float32", unit="kg", description="Mass of each body."),
    Signal(name="time", dims=("time",), dtype="float64", unit="s", description="Time of each frame."),
)


def example_id(number: int) -> str:
    """Return the id of example clip `number`."""
    return clip_id({"example": number})


def example_frame(number: int, frame: int, *, height: int = _HEIGHT, width: int = _WIDTH) -> dict[str, Array]:
    """Return one frame of example clip `number`: a striped wall that drifts, under a sky of two rows."""
    rng = np.random.default_rng([number, frame])
    v, u = np.mgrid[:height, :width].astype(np.float32)
    sky = v < 2
    rgb = np.stack([(u * 7 + frame * 3 + number) % 256, v * 11 % 256, (u + v) * 5 % 256], axis=-1)
    flow = np.stack([u * 0.37 - frame, np.sin(v) * 3.0]).astype(np.float32)
    motion = rng.normal(0, 0.3, (3, height, width)).astype(np.float32)
    normal = rng.normal(size=(height, width, 3)).astype(np.float32)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    count = (number + frame) % 5
    return {
        "rgb": rgb.astype(np.uint8),
        "depth": np.where(sky, np.float32(_INF), 2 + u * 0.731 + v),
        "flow_forward": np.where(sky, np.float32(_NAN), flow),
        "scene_flow": np.where(sky, np.float32(_NAN), motion),
        "normal": np.where(sky[..., None], np.float32(_NAN), normal),
        "instance": np.where(sky, 0, 1 + u // 5).astype(np.uint16),
        "mask": np.where(sky, 0, 1).astype(np.uint8),
        "points/position": rng.normal(size=(count, 4)).astype(np.float32),
        "points/instance": np.arange(count, dtype=np.uint16),
        "camera/K": np.array([[width, 0, width / 2], [0, width, height / 2], [0, 0, 1]], dtype=np.float32),
        "camera/camera_to_world": np.array([[1, 0, 0, 0], [0, 0, 1, -3], [0, -1, 0, 1], [0, 0, 0, 1.0]]),
    }


def example_arrays(number: int, *, frame_count: int = _FRAMES) -> dict[str, Array]:
    """Return the whole-clip arrays of example clip `number`."""
    rng = np.random.default_rng(number)
    return {
        "tracks/position": rng.normal(size=(3, 6, frame_count)).astype(np.float32),
        "tracks/visible": rng.random((6, frame_count)) < 0.7,
        "bodies/mass": rng.random(4).astype(np.float32),
        "time": np.arange(frame_count) / 24.0,
    }


def write_example(
    dataset: str | os.PathLike[str],
    number: int,
    *,
    frame_count: int = _FRAMES,
    height: int = _HEIGHT,
    width: int = _WIDTH,
    signals: Sequence[Signal] = EXAMPLE_SIGNALS,
) -> bool:
    """Write and commit example clip `number`; return whether this attempt became the clip."""
    names = {signal.name for signal in signals}
    with ClipWriter(
        dataset,
        example_id(number),
        signals=signals,
        frame_count=frame_count,
        height=height,
        width=width,
        attributes={"fps": 24.0},
    ) as writer:
        for frame in range(frame_count):
            slices = example_frame(number, frame, height=height, width=width)
            writer.append({name: values for name, values in slices.items() if name in names})
        whole = example_arrays(number, frame_count=frame_count)
        return writer.commit(
            arrays={name: values for name, values in whole.items() if name in names},
            attributes={"caption": f"Example {number}.", "spec": {"seed": number}, "quality": {"ok": True}},
            row={
                "scene": "example",
                "category": ("rigid", "cloth")[number % 2],
                "tier": "single",
                "backend": "mock",
                "seed": 7,
                "index": number,
                "camera": "ring_0",
                "split": "train",
                "fps": 24.0,
            },
        )


def write_examples(
    dataset: str | os.PathLike[str], numbers: Sequence[int], *, log: Path, begun: Event | None = None
) -> None:
    """Write every example clip of `numbers` that is not committed yet.

    Args:
        dataset: Its folder or address.
        numbers: Of the clips.
        log: File that gets a line for each clip committed.
        begun: Set before the first clip, when all that a process does once is done.
    """
    if begun is not None:
        begun.set()
    for number in numbers:
        if not is_committed(dataset, example_id(number)) and write_example(dataset, number):
            with log.open("a") as file:
                file.write(f"{number}\n")


def expected_example(number: int, *, frame_count: int = _FRAMES) -> dict[str, Array]:
    """Return what example clip `number` holds, exactly, by array name."""
    frames = [example_frame(number, frame) for frame in range(frame_count)]
    ragged = {signal.name for signal in EXAMPLE_SIGNALS if signal.ragged}
    joined = {
        name: np.concatenate([f[name] for f in frames]) if name in ragged else np.stack([f[name] for f in frames])
        for name in frames[0]
    }
    counts = [len(f["points/instance"]) for f in frames]
    return {**joined, **example_arrays(number, frame_count=frame_count), "points/offsets": np.cumsum([0, *counts])}


class StoreContract(ABC):
    """What every kind of dataset promises; a test class derives from it and says how one is made."""

    @abstractmethod
    def create(self, path: Path) -> DatasetFolder:
        """Return a new, empty dataset open for writing: at `path`, or at an address that is as much its own."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> DatasetFolder:
        """Return an empty dataset."""
        return self.create(tmp_path / "dataset")

    @pytest.mark.parametrize("engine", ["tensorstore", "zarr"])
    def test_clip_reads_back_within_its_bounds(self, folder: DatasetFolder, engine: Engine) -> None:
        """Every value comes back within half a step, every missing value as missing."""
        assert write_example(folder, 3)
        clip = open_dataset(folder, engine=engine)[example_id(3)]
        for name, wanted in expected_example(3).items():
            found = clip.read(name)
            assert found.dtype == wanted.dtype or wanted.dtype == np.float64
            relative, absolute = _bound(clip, name)
            np.testing.assert_allclose(
                _numbers(found), _numbers(wanted), rtol=relative, atol=absolute, equal_nan=True, err_msg=name
            )

    @pytest.mark.parametrize("start", [0, 3, 8])
    def test_window_is_a_cut_of_the_whole(self, folder: DatasetFolder, start: int) -> None:
        """A window equals the same frames of the whole arrays."""
        write_example(folder, 3)
        clip = open_dataset(folder)[0]
        window = clip.window(start, 3)
        edges = clip.read("points/offsets")
        np.testing.assert_array_equal(window["points/offsets"], edges[start : start + 4] - edges[start])
        for name, signal in clip.signals.items():
            whole, axis = clip.read(name), signal.dims.index("time") if "time" in signal.dims else None
            if signal.ragged:
                whole = whole[edges[start] : edges[start + 3]]
            elif axis is not None:
                whole = np.take(whole, range(start, start + 3), axis=axis)
            elif name == "points/offsets":
                continue
            np.testing.assert_array_equal(window[name], whole, err_msg=name)

    def test_committed_clip_validates(self, folder: DatasetFolder) -> None:
        """A committed clip has no findings and leaves no traces of its making."""
        write_example(folder, 3)
        assert validate(folder) == []
        assert list(folder.volume.names("staging")) == []
        assert list(leftovers(folder)) == []

    def test_second_commit_of_an_id_loses(self, folder: DatasetFolder) -> None:
        """The first attempt stays; the second one is told so and removed."""
        assert [write_example(folder, 1), write_example(folder, 1)] == [True, False]
        assert validate(folder) == []
        assert list(leftovers(folder)) == []

    def test_racing_attempts_have_one_winner(self, folder: DatasetFolder) -> None:
        """Of attempts that are all complete before any commits, exactly one becomes the clip."""
        writers = [_half_written(folder, 5, frames=_FRAMES) for _ in range(4)]
        wins = [w.commit(arrays=example_arrays(5), attributes={}, row={}) for w in writers]
        assert wins == [True, False, False, False]
        assert validate(folder) == []
        assert list(leftovers(folder)) == []

    def test_failed_writer_leaves_nothing(self, folder: DatasetFolder) -> None:
        """An exception inside the block removes the attempt."""
        with pytest.raises(RuntimeError, match="simulation"), _half_written(folder, 5):
            raise RuntimeError("simulation failed")
        assert list(folder.volume.names("staging")) == []
        assert committed_ids(folder) == set()

    def test_sweep_spares_attempts_at_work(self, folder: DatasetFolder) -> None:
        """Only attempts whose writer is gone are swept, however old they are."""
        with _half_written(folder, 5) as writer:
            assert sweep(open_folder(folder.path), older_than_s=-1.0) == 0
            for frame in range(4, _FRAMES):
                writer.append(example_frame(5, frame))
            assert writer.commit(arrays=example_arrays(5), attributes={}, row={})

    def test_same_input_makes_the_same_bytes(self, folder: DatasetFolder, tmp_path: Path) -> None:
        """Two datasets that were given the same frames hold the same files."""
        other = self.create(tmp_path / "other")
        for dataset in (folder, other):
            write_example(dataset, 2)
        records = [open_dataset(dataset)[0].record["files"] for dataset in (folder, other)]
        assert records[0] == records[1]

    @pytest.mark.parametrize("engine", ["tensorstore", "zarr"])
    def test_damage_is_found_on_reading_and_by_validation(self, folder: DatasetFolder, engine: Engine) -> None:
        """A flipped byte in a chunk raises when read, and is reported with its file."""
        write_example(folder, 3)
        clip = open_dataset(folder, engine=engine)[0]
        file = f"{clip_key(clip.id, str(clip.record['attempt']))}/rgb/c.0.0.0.0"
        data = bytearray(folder.volume.read(file))
        data[len(data) // 4] ^= 0x10
        folder.volume.remove(file)
        assert folder.volume.put_if_absent(file, bytes(data))
        with pytest.raises(CorruptClip, match="rgb"):
            clip.read("rgb")
        assert [finding.path for finding in validate(folder)] == ["rgb/c.0.0.0.0"]

    def test_malformed_frames_name_the_signal(self, folder: DatasetFolder) -> None:
        """A wrong shape is refused with what was given and what is wanted, and ends the attempt."""
        frame = example_frame(0, 0)
        with (
            pytest.raises(StoreError, match=r"depth: given shape \(12, 19\).*y=12, x=20"),
            _half_written(folder, 0) as w,
        ):
            w.append({**frame, "depth": frame["depth"][:, :-1]})
        assert list(folder.volume.names("staging")) == []


def _half_written(folder: DatasetFolder, number: int, *, frames: int = 4) -> ClipWriter:
    writer = ClipWriter(
        folder,
        example_id(number),
        signals=EXAMPLE_SIGNALS,
        frame_count=_FRAMES,
        height=_HEIGHT,
        width=_WIDTH,
        attributes={},
    )
    for frame in range(frames):
        writer.append(example_frame(number, frame))
    return writer


def _numbers(values: Array) -> NDArray[np.float64]:
    """Return `values` as numbers that can be subtracted: booleans too."""
    return values.astype(np.float64)


def _bound(clip: Clip, name: str) -> tuple[float, float]:
    """Return the promised relative and absolute tolerance: half a step and float32's own rounding, or exact."""
    if name not in clip.encodings:
        return 0.0, 0.0
    encoding = clip.encodings[name]
    if encoding.scale is not None:
        return 2**-22, encoding.scale / 2
    return 2**-11 if encoding.stored == np.float16 else 0.0, 0.0
