"""Denoising with Open Image Denoise, one tile at a time; the only importer of pyoidn."""

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt

from simfactory.errors import BackendUnavailable

__all__ = ["Denoiser", "check_denoiser"]

Float32 = npt.NDArray[np.float32]


def check_denoiser(preset: str) -> None:
    """Refuse a preset that denoises where the package for it is missing.

    Raises:
        BackendUnavailable: pyoidn is not installed, or it cannot be loaded.
    """
    _package(preset)


class Denoiser:
    """Open Image Denoise on one CPU thread: its time is then that of the process, and no core of others is taken.

    Images are in HDR mode, guided by albedo and normals.

    Source: A. Áfra, "Intel Open Image Denoise", version 2.
    """

    def __init__(self, *, preset: str, quality: str) -> None:
        """Start the package.

        Args:
            preset: Who asks, for the message where the package is missing.
            quality: `fast`, `balanced` or `high`.

        Raises:
            BackendUnavailable: pyoidn is not installed.
        """
        oidn = _package(preset)
        self._device = oidn.Device(oidn.OIDN_DEVICE_TYPE_CPU)
        self._device.set_int("numThreads", 1)
        self._device.set_bool("setAffinity", False)
        self._device.commit()
        self._filter = oidn.Filter(self._device, oidn.OIDN_FILTER_TYPE_RT)
        self._filter.set_bool("hdr", True)
        self._filter.set_bool("cleanAux", True)
        self._filter.set_quality(getattr(oidn, f"OIDN_QUALITY_{quality.upper()}"))
        names = (oidn.OIDN_IMAGE_COLOR, oidn.OIDN_IMAGE_ALBEDO, oidn.OIDN_IMAGE_NORMAL, oidn.OIDN_IMAGE_OUTPUT)
        self._names, self._format = names, oidn.OIDN_FORMAT_FLOAT3
        self._images: list[Float32] = []
        self._check()

    def denoise(self, color: Float32, albedo: Float32, normal: Float32) -> Float32:
        """Return an image of light without noise `(height, width, 3)`; valid until the next call.

        Args:
            color: `(height, width, 3)` linear light.
            albedo: `(height, width, 3)` 0–1, without noise.
            normal: `(height, width, 3)` world frame, without noise.
        """
        if not self._images or self._images[0].shape != color.shape:
            self._resize(color.shape)
        for image, values in zip(self._images, (color, albedo, normal), strict=False):
            image[:] = values
        self._filter.execute()
        self._check()
        return self._images[-1]

    def close(self) -> None:
        """Free the filter's memory."""
        self._filter.release()
        self._device.release()

    def _resize(self, shape: tuple[int, ...]) -> None:
        """Give the filter images of another size: half a millisecond, beside some 60 for 256x256 pixels."""
        self._images = [np.zeros(shape, np.float32) for _ in self._names]
        for name, image in zip(self._names, self._images, strict=True):
            self._filter.set_image(name, image, self._format)
        self._filter.commit()
        self._check()

    def _check(self) -> None:
        error = self._device.get_error()
        if error is not None:
            raise BackendUnavailable(f"Open Image Denoise failed: {error}; preset 'draft' works without it")


def _package(preset: str) -> Any:  # Any: pyoidn is untyped
    try:
        return importlib.import_module("pyoidn")
    except (ImportError, OSError) as error:
        raise BackendUnavailable(
            f"preset {preset!r} denoises with pyoidn, which cannot be loaded ({error}): "
            "pip install 'simfactory[render]', or use preset 'draft', which works without it"
        ) from error
