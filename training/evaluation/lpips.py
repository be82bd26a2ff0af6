"""LPIPS: likeness of frames to a network's eye, where its package and weights are installed."""

import importlib
from typing import Any, Self, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from simfactory.errors import SpecError

__all__ = ["Lpips"]

UInt8 = npt.NDArray[np.uint8]


@final
class Lpips:
    """Perceptual distance of frames, with AlexNet.

    **Source**: Zhang et al. 2018, by the authors' package `lpips`.

    Args:
        network: The package's `LPIPS`.
    """

    def __init__(self, network: Any) -> None:  # Any: of a package without types
        self.network = network

    @classmethod
    def load(cls, *, device: str = "cpu") -> Self:
        """Return one on a device.

        Raises:
            SpecError: Its package or weights are missing.
        """
        try:
            package = importlib.import_module("lpips")
        except ImportError as error:
            raise SpecError(f"LPIPS needs the packages lpips and torchvision ({error}): pip install lpips") from error
        try:
            return cls(package.LPIPS(net="alex", verbose=False).to(device).eval())
        except OSError as error:
            raise SpecError(f"LPIPS needs AlexNet's weights, which torchvision could not fetch: {error}") from error

    def _input(self, frames: UInt8) -> Tensor:
        device = next(self.network.parameters()).device
        return torch.from_numpy(frames.copy()).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1.0

    @torch.no_grad()
    def distance(self, frames: UInt8, others: UInt8) -> float:
        """Return the mean distance of frames `(time, height, width, 3)` and others of the same clip [1]; 0 = the same.

        Raises:
            SpecError: The shapes differ.
        """
        if frames.shape != others.shape:
            raise SpecError(f"frames of shape {frames.shape} and {others.shape}; give both the same shape")
        return float(self.network(self._input(frames), self._input(others)).mean())
