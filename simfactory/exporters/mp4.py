"""An MP4 preview of a clip: its signals side by side, at the clip's own frame rate."""

import tempfile
from pathlib import Path
from typing import final

import numpy as np

from simfactory.dataset import Clip
from simfactory.errors import StoreError
from simfactory.exporters.base import Exporter
from simfactory.exporters.painting import Image, Painter, painters, save_bytes

__all__ = ["EXPORTER"]

_CODEC = "mp4v"
_BLOCK = 8
_SAMPLED = 4


@final
class _Mp4(Exporter):
    suffix = ".mp4"

    def export(self, clip: Clip, path: Path) -> Path:
        frames = sorted({k * (clip.frame_count - 1) // _SAMPLED for k in range(_SAMPLED + 1)})
        painted = painters(clip, frames)
        with tempfile.TemporaryDirectory() as folder:
            video = Path(folder, f"clip{self.suffix}")
            self._encode(clip, painted, video)
            save_bytes(path, video.read_bytes())
        return path

    def _encode(self, clip: Clip, painted: dict[str, Painter], video: Path) -> None:
        import cv2

        size = (_even(clip.width * len(painted)), _even(clip.height))
        writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*_CODEC), clip.fps, size)
        try:
            if not writer.isOpened():
                raise StoreError(f"{video}: this OpenCV cannot write MP4 video; install opencv-python-headless")
            for start in range(0, clip.frame_count, _BLOCK):
                length = min(_BLOCK, clip.frame_count - start)
                window = clip.window(start, length, modalities=list(painted))
                for k in range(length):
                    picture = np.concatenate([paint(window[name][k]) for name, paint in painted.items()], axis=1)
                    writer.write(np.ascontiguousarray(_padded(picture, size)[..., ::-1]))
        finally:
            writer.release()


def _even(size: int) -> int:
    """Round up to an even number: video chroma is stored at half resolution."""
    return size + size % 2


def _padded(picture: Image, size: tuple[int, int]) -> Image:
    width, height = size
    return np.pad(picture, ((0, height - picture.shape[0]), (0, width - picture.shape[1]), (0, 0)), mode="edge")


EXPORTER = _Mp4()
