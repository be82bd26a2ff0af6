"""Judges read scenes from colours: a model's heads, or an estimator, which knows of no policy.

Frozen heads do not keep a policy from being right for them alone: in a trial the reward stayed flat while the true
error grew by 0.83 px. What a second model or an estimator says shows it, as long as it is never learned from.
"""

from typing import Protocol, final

import numpy as np
import torch
from torch import Tensor

from training.estimators import FlowEstimator
from training.model import TrainedModel
from training.predicting import GEOMETRY_TIME, read_geometry
from training.rewards.scene import Scene4D, Truth4D

__all__ = ["FlowJudge", "HeadsJudge", "Judge"]


class Judge(Protocol):
    """Reads scenes from colours."""

    def __call__(self, rgb: Tensor, truth: Truth4D) -> Scene4D:
        """Return what is seen in `rgb` `(batch, frame, 3, height, width)`, −1 … 1, of imitations of some clips."""


@final
class HeadsJudge:
    """A model's heads read the clips, without any caption.

    Args:
        model: With heads: a copy of the policy's as they were before, or, to judge from outside, another model that was
            trained for itself.
        time: t at which it reads.
    """

    def __init__(self, model: TrainedModel, *, time: float = GEOMETRY_TIME) -> None:
        self.model = model
        self.time = time

    def __call__(self, rgb: Tensor, truth: Truth4D) -> Scene4D:
        """Return what its heads say."""
        found = [read_geometry(self.model, frames, time=self.time) for frames in _bytes(rgb)]
        depth = torch.stack([torch.from_numpy(_known(each.depth)) for each in found])
        flow = torch.stack([torch.from_numpy(_known(each.flow)) for each in found])
        change = torch.stack([torch.from_numpy(_known(each.depth_change)) for each in found])
        return Scene4D.of(depth.to(rgb.device), torch.cat([flow, change[:, :, None]], dim=2).to(rgb.device))


@final
class FlowJudge:
    """An estimator's flow, at the clips' true depths: only what moves in the picture is judged.

    What the estimator gets wrong is in all that it says, so its scenes compare with each other alone. DIS at 48 x 48 px
    is 1.2 px wrong of balls that move by 2 px, and 0.5 px of what rests: it orders clips by tracks and kinematics, but
    not by what asks where the background is.

    Args:
        estimator: Such as `dis_flow`, which needs no weights.
    """

    def __init__(self, estimator: FlowEstimator) -> None:
        self.estimator = estimator

    def __call__(self, rgb: Tensor, truth: Truth4D) -> Scene4D:
        """Return the flow that is seen, with true depths and true changes of depth."""
        flow = torch.stack([torch.from_numpy(self.estimator.flow(frames)) for frames in _bytes(rgb)]).to(rgb.device)
        return Scene4D.of(truth.depth, torch.cat([flow, truth.motion[:, :, 2:]], dim=2))


def _bytes(rgb: Tensor) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """Return each clip as `(frame, height, width, 3)` uint8."""
    values = ((rgb.float().clamp(-1.0, 1.0) + 1.0) * 127.5).round().to(torch.uint8)
    return [clip.permute(0, 2, 3, 1).contiguous().cpu().numpy() for clip in values]


def _known(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None,
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    assert values is not None  # the model has heads: reading would have been refused
    return values
