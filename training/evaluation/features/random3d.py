"""Features of a fixed random network: they need no weights from elsewhere, and mean little."""

from itertools import pairwise
from typing import Self, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from training.evaluation.features.base import FeatureExtractor

__all__ = ["EXTRACTOR"]

WIDTHS = (3, 16, 32)  # channels of the layers
SEED = 20_26


@final
class Random3d(FeatureExtractor):
    """Three-dimensional convolutions with fixed random weights; means and deviations of what they say.

    The distance of such features tells videos with other colours, textures and motion apart. It is no FVD: figures are
    comparable within one run alone, so it is called `fvd_random`.
    """

    label = "fvd_random"
    version = "random3d 1"

    def __init__(self, device: str) -> None:
        generator = torch.Generator().manual_seed(SEED)
        self.kernels = [
            (torch.randn(after, before, 3, 3, 3, generator=generator) / (27 * before) ** 0.5).to(device)
            for before, after in pairwise(WIDTHS)
        ]
        self.device = device

    @classmethod
    def load(cls, *, device: str = "cpu") -> Self:
        """Return one on a device; its weights are drawn on the CPU, the same everywhere."""
        return cls(device)

    @torch.no_grad()
    def features(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Return `(96,)`; see `FeatureExtractor.features`."""
        values: Tensor = torch.from_numpy(frames.copy()).to(self.device).permute(3, 0, 1, 2)[None].float() / 127.5 - 1.0
        found = []
        for kernel in self.kernels:
            padded = functional.pad(values, (1, 1, 1, 1, 1, 1), mode="replicate")
            values = functional.relu(functional.conv3d(padded, kernel, stride=(1, 2, 2)))
            flat = values[0].flatten(1)
            found += [flat.mean(dim=1), flat.std(dim=1)]
        return torch.cat(found).double().cpu().numpy()


EXTRACTOR = Random3d
