"""RAFT: a learned optical flow, from torchvision."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
import numpy.typing as npt

from training.estimators.base import FlowEstimator, Frames, need_frames
from training.weights import need_package, need_weights

if TYPE_CHECKING:
    import torch

__all__ = ["ESTIMATOR"]

_FILE = "raft_large_C_T_SKHT_V2-ff5fadd5.pth"
_SOURCE = "https://download.pytorch.org/models/"
_MULTIPLE, _SMALLEST = 8, 128  # [px] of height and width that the network takes


@final
class Raft(FlowEstimator):
    """`raft_large`, weights C_T_SKHT_V2. Neither torchvision nor weights could be had here: it has not been run.

    **Source**: Teed and Deng 2020, "RAFT: recurrent all-pairs field transforms for optical flow".
    """

    version = f"raft, {_FILE}"

    def __init__(self, model: Any, device: str) -> None:  # Any: torchvision is not installed where types are checked
        self._model, self._device = model, device

    @classmethod
    def load(cls, *, device: str = "cpu") -> Self:
        """Return one; see `Estimator.load`."""
        import torch

        networks = need_package("raft", "torchvision.models.optical_flow", install="pip install torchvision")
        path = need_weights("raft", _FILE, source=_SOURCE)
        model = networks.raft_large()
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        return cls(model.to(device).eval(), device)

    def flow(self, frames: Frames) -> npt.NDArray[np.float32]:
        """Return `(time, 2, height, width)` [px]; see `FlowEstimator.flow`. Pictures are padded at right and bottom.

        Raises:
            SpecError: The frames are no video.
        """
        import torch

        need_frames(frames)
        height, width = frames.shape[1:3]
        found = np.full((len(frames), 2, height, width), np.nan, np.float32)
        for index, (this, following) in enumerate(pairwise(frames)):
            with torch.no_grad():
                flow = self._model(self._input(this), self._input(following))[-1]
            found[index] = flow[0, :, :height, :width].float().cpu().numpy()
        return found

    def _input(self, frame: Frames) -> "torch.Tensor":
        """Return a frame `(1, 3, height, width)` in [−1, 1], padded to what the network takes."""
        import torch

        picture = torch.from_numpy(frame).to(self._device).permute(2, 0, 1)[None].float() / 127.5 - 1.0
        bottom, right = (max(_SMALLEST, -(-n // _MULTIPLE) * _MULTIPLE) - n for n in frame.shape[:2])
        return torch.nn.functional.pad(picture, (0, right, 0, bottom), mode="replicate")


ESTIMATOR = Raft
