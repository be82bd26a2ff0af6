"""Pictures of predictions beside the truth: one row a signal, one column a frame."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from simfactory.exporters.painting import paint_frame
from training.data import Batch
from training.model import Backbone
from training.objectives import StepResult

__all__ = ["prediction_picture"]

COLUMNS = 6
LEAST_HEIGHT = 64  # of a frame [px]: smaller ones are enlarged

Image = npt.NDArray[np.uint8]


@torch.no_grad()
def prediction_picture(backbone: Backbone, batch: Batch, result: StepResult) -> bytes:
    """Return a PNG of the batch's first clip: frames and the model's estimate; depth and flow, true and predicted.

    True and predicted signals share one scale of colours.

    Args:
        backbone: Decodes the estimate.
        batch: The batch.
        result: What the model said of it.
    """
    import cv2

    count = batch["rgb"].shape[1]
    frames = torch.linspace(0, count - 1, min(COLUMNS, count)).round().long()
    estimate = backbone.decode(result.clean[:1]).float().clamp(-1, 1)[0].transpose(0, 1)
    rows = [_colors(batch["rgb"][0], frames), _colors(estimate, frames)]
    if result.geometry is not None:
        pairs = (("depth", result.geometry.depth), ("flow_forward", result.geometry.flow))
        truth = {"depth": batch.tensors.get("depth"), "flow_forward": _flow(batch)}
        rows += [_pair(name, true, said, frames) for name, said in pairs if (true := truth[name]) is not None]
    picture = np.concatenate(rows, axis=0)
    scale = max(1, LEAST_HEIGHT // batch["rgb"].shape[-2])
    large = picture.repeat(scale, axis=0).repeat(scale, axis=1)
    _, png = cv2.imencode(".png", np.ascontiguousarray(large[..., ::-1]))
    return png.tobytes()


def _flow(batch: Batch) -> Tensor | None:
    motion = batch.tensors.get("motion")
    return None if motion is None else motion[:, :, :2]


def _pair(name: str, true: Tensor, said: Tensor, frames: Tensor) -> Image:
    """Return two rows, the truth above what the model says."""
    both = np.concatenate([_strip(true[0], frames), _strip(said[0], frames)], axis=-2)
    return paint_frame({name: both})[name]


def _colors(video: Tensor, frames: Tensor) -> Image:
    """Return the row of a video `(frame, 3, height, width)` in −1 … 1."""
    strip = (_strip(video, frames) + 1.0) * 127.5
    return np.asarray(strip.round().clip(0, 255).transpose(1, 2, 0), dtype=np.uint8)


def _strip(values: Tensor, frames: Tensor) -> npt.NDArray[np.float32]:
    """Return frames of `(frame, …, height, width)` side by side."""
    chosen = values.detach().float().cpu().numpy()[frames.numpy()]
    return np.concatenate(list(chosen), axis=-1)
