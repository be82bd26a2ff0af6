"""Other formats that hold the same clips, and a reader of windows for each: what the loader is put beside.

Every format keeps the elements that the store keeps (uint8 colour, float16 depth, int16 flow, uint16 ids) and has a
reader without detours: files stay open, only the wanted frames are decoded, and nothing is checked.
"""

import io
import tarfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import numpy.typing as npt
import tensorstore
import zarr

from simfactory.dataset import Clip

SIGNALS = ("rgb", "depth", "flow_forward", "instance")
CHUNK = 8  # frames, as in the store
Array = npt.NDArray[Any]  # Any: of several types
Window = dict[str, Array]


class Reader(ABC):
    """Writes clips in its format when it is made, and reads windows of them."""

    name: str

    @abstractmethod
    def __init__(self, clips: list[Clip], folder: Path) -> None:
        """Write the clips below a folder, if the format is not the store's own."""

    @abstractmethod
    def window(self, clip: int, start: int, length: int) -> Window:
        """Return the stored elements of a window."""


class Tensorstore(Reader):
    """tensorstore with its defaults on the store's arrays."""

    name = "tensorstore"

    def __init__(self, clips: list[Clip], folder: Path) -> None:
        self._arrays = [
            {
                name: tensorstore.open(
                    {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{clip.path}/{name}"}}
                ).result()
                for name in SIGNALS
            }
            for clip in clips
        ]

    def window(self, clip: int, start: int, length: int) -> Window:
        """Return the stored elements of a window."""
        pending = {name: array[start : start + length].read() for name, array in self._arrays[clip].items()}
        return {name: np.asarray(future.result()) for name, future in pending.items()}


class Zarr(Reader):
    """zarr-python on the store's arrays."""

    name = "zarr-python"

    def __init__(self, clips: list[Clip], folder: Path) -> None:
        groups = [zarr.open_group(clip.path, mode="r") for clip in clips]
        self._arrays = [{name: group[name] for name in SIGNALS} for group in groups]

    def window(self, clip: int, start: int, length: int) -> Window:
        """Return the stored elements of a window."""
        return {name: array[start : start + length] for name, array in self._arrays[clip].items()}


class Hdf5(Reader):
    """One HDF5 file a clip, chunks of the same eight frames, shuffled and gzipped: what HDF5 has everywhere."""

    name = "HDF5"

    def __init__(self, clips: list[Clip], folder: Path) -> None:
        folder.mkdir(parents=True)
        self._files = []
        for number, clip in enumerate(clips):
            path = folder / f"{number}.h5"
            with h5py.File(path, "w") as file:
                for name, values in whole(clip).items():
                    chunks = (CHUNK, *values.shape[1:])
                    file.create_dataset(name, data=values, chunks=chunks, compression="gzip", shuffle=True)
            self._files.append(h5py.File(path, "r"))

    def window(self, clip: int, start: int, length: int) -> Window:
        """Return the stored elements of a window."""
        file = self._files[clip]
        return {name: file[name][start : start + length] for name in SIGNALS}


class WebDataset(Reader):
    """One tar a clip as WebDataset has it: of each frame a lossless WebP and an npz, found by their offsets."""

    name = "WebDataset"

    def __init__(self, clips: list[Clip], folder: Path) -> None:
        folder.mkdir(parents=True)
        self._files = []
        for number, clip in enumerate(clips):
            path = folder / f"{number}.tar"
            values = whole(clip)
            with tarfile.open(path, "w") as tar:
                for frame in range(clip.frame_count):
                    # Above 100 OpenCV's WebP is lossless.
                    picture = cv2.imencode(".webp", values["rgb"][frame][..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 101])[1]
                    truth = io.BytesIO()
                    np.savez_compressed(truth, **{name: values[name][frame] for name in SIGNALS if name != "rgb"})
                    _add(tar, f"{frame:05d}.rgb.webp", picture.tobytes())
                    _add(tar, f"{frame:05d}.truth.npz", truth.getvalue())
            with tarfile.open(path) as tar:
                places = {member.name: (member.offset_data, member.size) for member in tar}
            self._files.append((path.open("rb"), places))

    def window(self, clip: int, start: int, length: int) -> Window:
        """Return the stored elements of a window."""
        file, places = self._files[clip]
        frames: dict[str, list[Array]] = {name: [] for name in SIGNALS}
        for frame in range(start, start + length):
            for suffix in ("rgb.webp", "truth.npz"):
                offset, size = places[f"{frame:05d}.{suffix}"]
                file.seek(offset)
                content = file.read(size)
                if suffix == "rgb.webp":
                    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
                    frames["rgb"].append(picture[..., ::-1])
                else:
                    with np.load(io.BytesIO(content)) as truth:
                        for name in truth.files:
                            frames[name].append(truth[name])
        return {name: np.stack(values) for name, values in frames.items()}


READERS = (Tensorstore, Zarr, Hdf5, WebDataset)


def whole(clip: Clip) -> Window:
    """Return the stored elements of all frames."""
    return dict(clip.window(0, clip.frame_count, modalities=SIGNALS, physical=False))


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def stored_bytes(reader: Reader, clips: list[Clip], folder: Path) -> int:
    """Return what the four signals take in a format [bytes]."""
    if folder.is_dir():
        return sum(file.stat().st_size for file in folder.iterdir())
    return sum(clip.stored_bytes()[name] for clip in clips for name in SIGNALS)
