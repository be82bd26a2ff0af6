"""Consecutive frames of a signal, painted and stacked in one picture: one request instead of many."""

from functools import lru_cache

import cv2
import numpy as np

from api.problems import ProblemError
from simfactory.dataset import Clip
from simfactory.exporters.painting import PAINTED, Ranges, painters, painting_ranges

__all__ = ["STRIP_MAX", "painted_names", "ranges_of", "strip"]

STRIP_MAX = 64  # frames
HEIGHT_MAX = 16_383  # of a WebP picture [px]
SAMPLED = 64  # frames whose values decide on the ranges
QUALITY = 92
LOSSLESS = 101
LOSSLESS_NAMES = {"instance"}  # a colour in between would be the id of something else


def painted_names(clip: Clip) -> list[str]:
    """Return the signals that can be painted, in the order in which they are shown."""
    return [name for name in PAINTED if name in clip.signals]


def ranges_of(clip: Clip, name: str) -> Ranges:
    """Return the ranges of a signal, the same for all frames of the clip, so that nothing flickers.

    Raises:
        CorruptClip: Its bytes are damaged.
    """
    return _ranges(_Same(clip), name)


def strip(clip: Clip, modality: str, start: int, count: int) -> bytes:
    """Return frames of a signal as one WebP picture, the first on top.

    Raises:
        ProblemError: The clip does not have it, or the picture would be too high.
        CorruptClip: Its bytes are damaged.
    """
    names = painted_names(clip)
    if modality not in names:
        known = ", ".join(names) or "nothing that can be painted"
        raise ProblemError(404, f"clip {clip.id} has no picture of {modality!r}; it has {known}")
    if count * clip.height > HEIGHT_MAX:
        raise ProblemError(422, f"{count} frames of {clip.height} px are too high; ask for {HEIGHT_MAX // clip.height}")
    paint = painters(clip, [], names=[modality], ranges=ranges_of(clip, modality))[modality]
    frames = clip.window(start, count, modalities=[modality])[modality]
    stacked = np.concatenate([paint(frame) for frame in frames])
    options = [cv2.IMWRITE_WEBP_QUALITY, LOSSLESS if modality in LOSSLESS_NAMES else QUALITY]
    _, encoded = cv2.imencode(".webp", np.ascontiguousarray(stacked[..., ::-1]), options)
    return encoded.tobytes()


class _Same:
    """A clip that equals every other object of the same clip: what an id names never changes."""

    def __init__(self, clip: Clip) -> None:
        self.clip = clip

    def __hash__(self) -> int:
        return hash(self.clip.path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.clip.path == self.clip.path


@lru_cache(maxsize=2048)
def _ranges(same: _Same, name: str) -> Ranges:
    clip = same.clip
    frames = sorted({round(k) for k in np.linspace(0, clip.frame_count - 1, min(SAMPLED, clip.frame_count))})
    return painting_ranges(clip, frames, names=[name])
