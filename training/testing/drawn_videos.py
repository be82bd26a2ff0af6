"""Ordinary videos, drawn and encoded on the spot: textured squares that move, and everything that filters drop."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from simfactory.errors import StoreError

__all__ = ["blurred", "drawn_shot", "mixed", "panned", "shaken", "texture", "with_text", "write_video"]

UInt8 = npt.NDArray[np.uint8]

SQUARES = 3


def texture(seed: int, *, height: int, width: int, grain: int = 8) -> UInt8:
    """Return random colours `(height, width, 3)` that change every `grain` pixels, smooth between."""
    rough = np.random.default_rng(seed).integers(0, 255, (height // grain + 2, width // grain + 2, 3))
    return np.asarray(cv2.resize(rough.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def drawn_shot(
    seed: int, *, frames: int = 24, speed: float = 3.0, size: tuple[int, int] = (128, 192), grain: int = 24
) -> UInt8:
    """Return squares that cross the picture and turn round at its edges, `(frames, height, width, 3)`.

    Args:
        seed: Another shot for each.
        frames: Frames.
        speed: Of the squares [px per frame].
        size: Height and width [px].
        grain: Of the background [px].
    """
    height, width = size
    rng = np.random.default_rng(seed)
    side = height // 3
    squares = [texture(1000 * seed + number, height=side, width=side, grain=4) for number in range(SQUARES)]
    places, angles = rng.uniform(0.2, 0.8, (SQUARES, 2)), rng.uniform(0.0, 2.0 * np.pi, SQUARES)
    room = np.array([height - side, width - side])
    shot = np.repeat(texture(seed, height=height, width=width, grain=grain)[None], frames, axis=0)
    for frame, canvas in enumerate(shot):
        for square, place, angle in zip(squares, places, angles, strict=True):
            way = place * room + frame * speed * np.array([np.sin(angle), np.cos(angle)])
            top, left = np.abs((way + room) % (2 * room) - room).astype(int)
            canvas[top : top + side, left : left + side] = square
    return shot


def panned(seed: int, *, frames: int, shift: float, size: tuple[int, int] = (128, 192), grain: int = 8) -> UInt8:
    """Return a picture that moves to the left by `shift` [px per frame], the whole of it."""
    height, width = size
    picture = texture(seed, height=height, width=width + int(np.ceil(frames * abs(shift))) + 2, grain=grain)
    column, row = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = [cv2.remap(picture, column + np.float32(shift * k), row, cv2.INTER_LINEAR) for k in range(frames)]
    return np.stack(moved).astype(np.uint8)


def shaken(frames: UInt8, seed: int, *, by: int = 8) -> UInt8:
    """Return a shot of a camera that jumps by up to `by` pixels each frame."""
    steps = np.random.default_rng(seed).integers(-by, by + 1, (len(frames), 2))
    rolled = [
        np.roll(frame, (int(down), int(across)), (0, 1)) for frame, (down, across) in zip(frames, steps, strict=True)
    ]
    return np.stack(rolled)


def blurred(frames: UInt8, sigma: float) -> UInt8:
    """Return a shot out of focus: Gauss of a standard deviation [px]."""
    return np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in frames]).astype(np.uint8)


def mixed(one: UInt8, other: UInt8, *, begin: int, length: int) -> UInt8:
    """Return a dissolve of `length` frames from one shot into another."""
    share = np.clip((np.arange(len(one)) - begin) / length, 0.0, 1.0)[:, None, None, None]
    return (one * (1.0 - share) + other * share).astype(np.uint8)


def with_text(
    frames: UInt8,
    text: str,
    *,
    place: tuple[int, int],
    scale: float = 0.7,
    thickness: int = 2,
    font: int = cv2.FONT_HERSHEY_SIMPLEX,
) -> UInt8:
    """Return a shot under an outlined line of white text whose lower left corner is at `place` (x, y) [px]."""
    written = frames.copy()
    for frame in written:
        cv2.putText(frame, text, place, font, scale, (0, 0, 0), thickness + 2, cv2.LINE_AA)
        cv2.putText(frame, text, place, font, scale, (255, 255, 255), thickness, cv2.LINE_AA)
    return written


def write_video(
    path: Path, frames: Sequence[UInt8] | UInt8, *, fps: float = 24.0, codec: str = "mp4v", quality: int | None = None
) -> Path:
    """Encode a video.

    Args:
        path: The file, whose suffix names the container.
        frames: `(height, width, 3)` uint8 RGB each.
        fps: Frame rate [1/s].
        codec: Four letters.
        quality: From 0 to 100, of codecs that know it; None = the codec's own.

    Raises:
        StoreError: This OpenCV cannot write it.
    """
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (width, height))
    try:
        if not writer.isOpened():
            raise StoreError(f"{path}: this OpenCV cannot write {codec}; choose MJPG or mp4v")
        if quality is not None:
            writer.set(cv2.VIDEOWRITER_PROP_QUALITY, quality)
        for frame in frames:
            writer.write(np.ascontiguousarray(frame[..., ::-1]))
    finally:
        writer.release()
    return path
