"""Drops shots under titles, subtitles or watermarks: lines of strokes that stay where they are."""

import cv2
import numpy as np
import numpy.typing as npt

from training.videos.filters.base import Context, ShotFilter
from training.videos.shot import SIDE, Shot

__all__ = ["FILTER"]

UInt8 = npt.NDArray[np.uint8]

_EDGE = 60  # of 255, least morphological gradient of a stroke
_STAYS = 0.75  # share of the pictures that must show a stroke at a place
_HEIGHTS = (0.012, 0.16)  # of a line of text, of the longer side
_ASPECT = 1.8  # width over height of a line, at least
_FILLED = (0.35, 0.95)  # share of a line's box that strokes and their insides cover
_STROKES = 0.9  # edges that a row of a line crosses per height of the line, at least


def _measure(shot: Shot, context: Context) -> dict[str, float]:
    """Return the share of the picture that lines of standing text cover.

    A heuristic: strong edges that three quarters of the pictures have at one place, joined sideways into boxes as
    wide and as full of strokes as lines of text. Text that moves with the scene is not found, nor is large text of
    few letters; regular patterns before a camera that stands still may be taken for text.
    """
    edges = np.stack([cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) for gray in shot.gray])
    stays = ((edges >= _EDGE).mean(axis=0) >= _STAYS).astype(np.uint8)
    return {"text": sum(_line_areas(stays)) / stays.size}


def _line_areas(stays: UInt8) -> list[int]:
    """Return the areas of the lines of text in a map of strokes [px]."""
    side = max(stays.shape)
    reach = max(3, round(0.02 * side * SIDE / max(side, SIDE)))
    joined = cv2.morphologyEx(stays, cv2.MORPH_CLOSE, np.ones((3, reach), np.uint8))
    _, _, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    areas = []
    for left, top, width, height, area in boxes[1:].tolist():
        if not (max(5.0, _HEIGHTS[0] * side) <= height <= _HEIGHTS[1] * side and width >= _ASPECT * height):
            continue
        if not _FILLED[0] <= area / (width * height) <= _FILLED[1]:
            continue
        rows = stays[top : top + height, left : left + width].astype(np.int8)
        crossings = np.abs(np.diff(rows, axis=1)).sum(axis=1)
        if float(np.median(crossings)) >= _STROKES * width / height:
            areas.append(width * height)
    return areas


FILTER = ShotFilter(
    name="text", drops="titles, subtitles and watermarks", cost=2, ranges={"text": (0.0, 0.002)}, measure=_measure
)
