"""CoTracker3, a learned tracker that looks at all points of a clip together."""

from typing import Any, Self, final

import numpy as np

from training.trackers.base import Array, PointTracker, TrackSet, UInt8, checked_queries
from training.weights import need_package, need_weights

__all__ = ["TRACKER", "CoTracker3"]

_WEIGHTS = "scaled_offline.pth"
_WINDOW = 60  # frames: what these weights were trained for


@final
class CoTracker3(PointTracker):
    """The scaled offline model. Its package and weights could not be had here: it has not been run.

    **Source**: Karaev et al. 2024, "CoTracker3: simpler and better point tracking by pseudo-labelling real videos".
    """

    version = f"cotracker3, {_WEIGHTS}"

    def __init__(self, model: Any, device: str) -> None:  # Any: a package without types
        self._model, self._device = model, device

    @classmethod
    def load(cls, *, device: str = "cpu") -> Self:
        """Return one; see `PointTracker.load`."""
        install = "pip install git+https://github.com/facebookresearch/co-tracker"
        path = need_weights("cotracker3", _WEIGHTS, source="https://huggingface.co/facebook/cotracker3")
        predictor = need_package("cotracker3", "cotracker.predictor", install=install)
        model = predictor.CoTrackerPredictor(checkpoint=str(path), offline=True, v2=False, window_len=_WINDOW)
        return cls(model.to(device).eval(), device)

    def track(self, frames: UInt8, points: Array, at: Array) -> TrackSet:
        """Follow points; see `PointTracker`. The model counts pixels from their centres, raster positions do not."""
        import torch

        places, starts = checked_queries(frames, points, at)
        if not len(places):
            shape = (0, len(frames))
            return TrackSet(position=np.zeros((*shape, 2), np.float32), visible=np.zeros(shape, np.bool_))
        video = torch.from_numpy(frames).permute(0, 3, 1, 2)[None].float().to(self._device)
        queries = np.concatenate([starts[:, None], places - 0.5], axis=-1, dtype=np.float32)
        with torch.no_grad():
            asked = torch.from_numpy(queries)[None].to(self._device)
            tracks, visible = self._model(video, queries=asked, backward_tracking=True)
        return TrackSet(
            position=tracks[0].permute(1, 0, 2).cpu().numpy().astype(np.float32) + np.float32(0.5),
            visible=visible[0].T.cpu().numpy().astype(np.bool_),
        )


TRACKER = CoTracker3
