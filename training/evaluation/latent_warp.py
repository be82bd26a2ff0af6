"""Consistency over time of a video's latents along its flow."""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from training.evaluation.warp import RgbWarpMetrics, rgb_warp_metrics
from training.evaluation.worldline import chain_flow

__all__ = ["LatentVideo", "latent_warp"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class LatentVideo:
    """A video as an autoencoder sees it.

    Attributes:
        latents: `(latent, row, column, channel)`.
        temporal_stride: Frames in a latent; latent k ends with frame k · stride.
        spatial_stride: Pixels in a latent, in each direction.
    """

    latents: npt.NDArray[np.float32]
    temporal_stride: int
    spatial_stride: int


def latent_warp(video: LatentVideo, flow: npt.NDArray[np.float32]) -> RgbWarpMetrics:
    """Measure whether the next latent, brought back along the flow of its frames, is like this one.

    The flow of a latent is where its middle goes from the latent's last frame to the next latent's, chained frame by
    frame, in latents.

    Args:
        video: Of the frames.
        flow: `(time, height, width, 2)` forward flow; the last frame is not read [px].

    Raises:
        SpecError: Shapes differ, there are fewer than two latents, or nothing stays inside the frame.

    **Source**: Phys4D E.2.2; how flow is brought to latents is ours.
    """
    count, rows, columns = video.latents.shape[:3]
    step, pixels = video.temporal_stride, video.spatial_stride
    column, row = np.meshgrid((np.arange(columns) + 0.5) * pixels, (np.arange(rows) + 0.5) * pixels)
    middles = np.stack([column, row], axis=-1).reshape(-1, 2)
    moved = np.full((count, rows, columns, 2), np.nan)
    for latent in range(count - 1):
        path = chain_flow(middles, flow[latent * step : (latent + 1) * step + 1])
        moved[latent] = ((path[:, -1] - middles) / pixels).reshape(rows, columns, 2)
    return rgb_warp_metrics(video.latents, moved)
