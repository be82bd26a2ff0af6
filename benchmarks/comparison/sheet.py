"""The sheet: pictures in rows, captions under them; kept pictures are cut out of it again."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["draw_sheet", "picture_in_sheet"]

SIDE, GAP, LINE = 256, 8, 15  # [px]
LINES = 4
PAPER, INK = 255, 40

UInt8 = npt.NDArray[np.uint8]


def _corner(row: int, column: int) -> tuple[int, int]:
    """Return the top and left of a picture [px]."""
    return GAP + row * (SIDE + LINES * LINE + 2 * GAP), GAP + column * (SIDE + GAP)


def draw_sheet(rows: list[list[tuple[UInt8, list[str]]]], path: Path) -> None:
    """Write a PNG of rows of pictures `(256, 256, 3)` with their captions, at most four lines each."""
    bottom, right = _corner(len(rows), max(map(len, rows)))
    sheet = np.full((bottom, right, 3), PAPER, np.uint8)
    for row, cells in enumerate(rows):
        for column, (picture, caption) in enumerate(cells):
            top, left = _corner(row, column)
            sheet[top : top + SIDE, left : left + SIDE] = picture
            for number, text in enumerate(caption):
                place = (left + 1, top + SIDE + (number + 1) * LINE)
                cv2.putText(sheet, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.39, (INK, INK, INK), 1, cv2.LINE_AA)
    path.parent.mkdir(parents=True, exist_ok=True)
    smallest = [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FAST_FILTERS]
    cv2.imwrite(str(path), np.ascontiguousarray(sheet[..., ::-1]), smallest)


def picture_in_sheet(path: Path, row: int, column: int) -> UInt8:
    """Return a picture of a sheet `(256, 256, 3)`, sRGB."""
    top, left = _corner(row, column)
    sheet = cv2.imread(str(path))
    if sheet is None:
        raise SystemExit(f"there is no sheet {path} to keep pictures of: run once without --keep-others")
    return np.asarray(sheet[top : top + SIDE, left : left + SIDE, ::-1], np.uint8)
