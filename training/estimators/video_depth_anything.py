"""Video-Depth-Anything: learned depth of whole videos, in metres."""

from typing import Any, ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt

from training.estimators.base import DepthEstimator, Frames, need_frames
from training.weights import need_package, need_weights

__all__ = ["ESTIMATOR"]

_FILE = "metric_video_depth_anything_vits.pth"
_SOURCE = "https://huggingface.co/depth-anything/Metric-Video-Depth-Anything-Small"
_SIZES = {"encoder": "vits", "features": 64, "out_channels": [48, 96, 192, 384]}
_INSTALL = "put a checkout of https://github.com/DepthAnything/Video-Depth-Anything on PYTHONPATH"
_FPS = 24.0  # [1/s]; it is only handed through


@final
class VideoDepthAnything(DepthEstimator):
    """The small metric model. Neither its code nor its weights could be had here: it has not been run.

    **Source**: Chen et al. 2025, "Video Depth Anything: consistent depth estimation for super-long videos".
    """

    quantity: ClassVar[Literal["depth", "disparity"]] = "depth"
    metric: ClassVar[bool] = True
    version = f"video_depth_anything, {_FILE}"

    def __init__(self, model: Any, device: str) -> None:  # Any: its code has no types
        self._model, self._device = model, device

    @classmethod
    def load(cls, *, device: str = "cpu") -> Self:
        """Return one; see `Estimator.load`."""
        import torch

        code = need_package("video_depth_anything", "video_depth_anything.video_depth", install=_INSTALL)
        path = need_weights("video_depth_anything", _FILE, source=_SOURCE)
        model = code.VideoDepthAnything(**_SIZES, metric=True)
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        return cls(model.to(device).eval(), device)

    def depth(self, frames: Frames) -> npt.NDArray[np.float32]:
        """Return `(time, height, width)` [m]; see `DepthEstimator.depth`.

        Raises:
            SpecError: The frames are no video.
        """
        need_frames(frames)
        kind = self._device.partition(":")[0]  # it asks for the name of a kind of device
        depth, _ = self._model.infer_video_depth(frames, _FPS, device=kind, fp32=kind == "cpu")
        return np.asarray(depth, np.float32)


ESTIMATOR = VideoDepthAnything
