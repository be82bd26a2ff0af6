"""A PNG that shows a clip at a glance: one row per signal, columns are frames evenly spaced in time."""

from pathlib import Path
from typing import final

import numpy as np

from simfactory.dataset import Clip
from simfactory.errors import StoreError
from simfactory.exporters.base import Exporter
from simfactory.exporters.painting import Image, Painter, painters, save_bytes

__all__ = ["EXPORTER"]

_COLUMNS = 6
_GAP = 4
_LABEL = 18


@final
class _ContactSheet(Exporter):
    suffix = ".png"

    def export(self, clip: Clip, path: Path) -> Path:
        import cv2

        count = min(_COLUMNS, clip.frame_count)
        frames = sorted({round(k * (clip.frame_count - 1) / max(count - 1, 1)) for k in range(count)})
        rows = [_row(clip, name, paint, frames) for name, paint in painters(clip, frames).items()]
        sheet = np.concatenate(rows)
        done, data = cv2.imencode(self.suffix, sheet[..., ::-1])
        if not done:
            raise StoreError(f"{path}: OpenCV could not encode a PNG of {sheet.shape[1]} x {sheet.shape[0]} pixels")
        save_bytes(path, data.tobytes())
        return path


def _row(clip: Clip, name: str, paint: Painter, frames: list[int]) -> Image:
    import cv2

    height, width = clip.height, clip.width
    row = np.full((_LABEL + height + _GAP, len(frames) * (width + _GAP) - _GAP, 3), 255, dtype=np.uint8)
    for column, frame in enumerate(frames):
        left = column * (width + _GAP)
        row[_LABEL : _LABEL + height, left : left + width] = paint(clip.window(frame, 1, modalities=[name])[name][0])
        text = f"{name} {frame}" if column == 0 else str(frame)
        cv2.putText(row, text, (left + 2, _LABEL - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return row


EXPORTER = _ContactSheet()
