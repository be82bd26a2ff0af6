"""Dense inverse search: optical flow by OpenCV, which is always there and needs no weights."""

from itertools import pairwise
from typing import Self, final

import cv2
import numpy as np
import numpy.typing as npt

from training.estimators.base import FlowEstimator, Frames, need_frames

__all__ = ["ESTIMATOR"]

_SMALLEST = 32  # [px]: below it the coarsest level of the pyramid holds no patch


@final
class DisFlow(FlowEstimator):
    """Flow of the grey levels of neighbouring frames, on the CPU.

    Flat regions get no flow of their own, and edges of moving objects are blurred: it is a measure of what can be seen
    to move, not a truth.

    **Source**: T. Kroeger et al., "Fast Optical Flow using Dense Inverse Search" (2016); OpenCV's `DISOpticalFlow` with
    its preset MEDIUM.
    """

    version = f"dis_flow, OpenCV {cv2.__version__}"

    @classmethod
    def load(cls, *, device: str = "cpu") -> Self:
        """Return one; it computes on the CPU, whatever the device."""
        return cls()

    def flow(self, frames: Frames) -> npt.NDArray[np.float32]:
        """Return `(time, 2, height, width)` [px]; see `FlowEstimator.flow`. Small frames are enlarged for it.

        Raises:
            SpecError: The frames are no video.
        """
        need_frames(frames)
        height, width = frames.shape[1:3]
        scale = max(1, -(-_SMALLEST // min(height, width)))
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        found = np.full((len(frames), 2, height, width), np.nan, np.float32)
        grey = [self._grey(frame, scale) for frame in frames]
        for index, (this, following) in enumerate(pairwise(grey)):
            motion = search.calc(this, following, np.zeros((*this.shape, 2), np.float32))
            if scale > 1:
                motion = cv2.resize(motion, (width, height), interpolation=cv2.INTER_AREA) / scale
            found[index] = motion.transpose(2, 0, 1)
        return found

    @staticmethod
    def _grey(frame: Frames, scale: int) -> Frames:
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        if scale > 1:
            grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        return np.asarray(grey, np.uint8)


ESTIMATOR = DisFlow
