"""Video files: their frames one at a time, and at another frame rate."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError, StoreError

__all__ = ["frames_at", "read_frames", "video_fps", "video_frame_count"]

UInt8 = npt.NDArray[np.uint8]


def video_fps(path: Path) -> float:
    """Return the frame rate that a video file states [1/s].

    Raises:
        StoreError: It cannot be opened, or states none.
    """
    return _stated(path, cv2.CAP_PROP_FPS, "frame rate")


def video_frame_count(path: Path) -> int:
    """Return the number of frames that a video file states.

    Raises:
        StoreError: It cannot be opened, or states none.
    """
    return int(_stated(path, cv2.CAP_PROP_FRAME_COUNT, "number of frames"))


def read_frames(path: Path, *, limit: int | None = None) -> Iterator[UInt8]:
    """Yield a video file's frames, `(height, width, 3)` uint8 RGB, at most `limit` of them.

    Raises:
        StoreError: It cannot be opened.
    """
    capture = _opened(path)
    try:
        count = 0
        while limit is None or count < limit:
            read, frame = capture.read()
            if not read:
                return
            count += 1
            yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
    finally:
        capture.release()


def frames_at(path: Path, *, fps: float, duration: float) -> Iterator[UInt8]:
    """Yield the beginning of a video at another frame rate, between neighbours by linear blending.

    With n frames in the first `duration` seconds and m = ⌊duration · fps⌋ wanted, frame j is taken at (n−1) j/(m−1) of
    the old ones, so that first and last frames stay what they were; blends are cut to whole grey levels.

    Args:
        path: A video file.
        fps: Frame rate wanted [1/s].
        duration: What is read of it [s]; all of it where it is shorter.

    Raises:
        SpecError: The rate or the duration is out of range.
        StoreError: The file cannot be read.

    **Source**: google-deepmind/physics-IQ-benchmark, `fps_changer.py`.
    """
    if not (fps > 0.0 and duration > 0.0):
        raise SpecError(f"fps is {fps} and duration {duration} s; give both above zero")
    old_fps = video_fps(path)
    length = min(duration, video_frame_count(path) / old_fps)
    old_count, new_count = int(length * old_fps), int(length * fps)
    source = read_frames(path, limit=old_count)
    current = following = next(source, None)
    if current is None or following is None:
        raise StoreError(f"{path} has no frame in its first {length:g} s; is the file whole?")
    index = -1  # of `current`: one before the first frame, which is `following`
    for number in range(new_count):
        place = number * (old_count - 1) / (new_count - 1) if new_count > 1 else 0.0
        while index < int(place):
            current, index = following, index + 1
            following = next(source, following)
        weight = place - int(place)
        blend = (1.0 - weight) * current.astype(np.float32) + weight * following.astype(np.float32)
        yield blend.astype(np.uint8)


def _opened(path: Path) -> cv2.VideoCapture:
    if not path.is_file():
        raise StoreError(f"{path} is not there")
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise StoreError(f"{path} cannot be opened as a video; MP4 with H.264 or MPEG-4 can")
    return capture


def _stated(path: Path, quantity: int, name: str) -> float:
    capture = _opened(path)
    try:
        value = float(capture.get(quantity))
    finally:
        capture.release()
    if not value > 0.0:
        raise StoreError(f"{path} states no {name}; write it anew with one")
    return value
