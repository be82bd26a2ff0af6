"""What an extractor of video features is, and how extractors are found: every module here with an `EXTRACTOR`."""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError

__all__ = ["FeatureExtractor", "extractor_names", "load_extractor"]

_PACKAGE = __name__.rpartition(".")[0]


class FeatureExtractor(ABC):
    """Turns videos into vectors whose statistics are compared.

    Attributes:
        label: What the Fréchet distance of its features is called.
        version: Name and version of what decides its answers: only figures of one version can be compared.
    """

    label: ClassVar[str]
    version: str

    @classmethod
    @abstractmethod
    def load(cls, *, device: str = "cpu") -> Self:
        """Return one, ready to be used on a device.

        Raises:
            SpecError: A package or weights are missing; the message says how to get them.
        """

    @abstractmethod
    def features(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Return `(feature,)` of a video.

        Args:
            frames: `(time, height, width, 3)` uint8, sRGB.
        """


def extractor_names() -> tuple[str, ...]:
    """Return the names of the extractors, in alphabetical order."""
    return tuple(sorted({module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])} - {"base"}))


def load_extractor(name: str, *, device: str = "cpu") -> FeatureExtractor:
    """Return an extractor, ready to be used.

    Raises:
        SpecError: There is none of this name, or its packages or weights are missing.
    """
    if name not in extractor_names():
        raise SpecError(f"there is no extractor {name!r}; choose one of {', '.join(extractor_names())}")
    found = importlib.import_module(f"{_PACKAGE}.{name}").EXTRACTOR
    if not (isinstance(found, type) and issubclass(found, FeatureExtractor)):
        raise TypeError(f"{_PACKAGE}.{name}.EXTRACTOR is {found!r}, not a class of extractors")
    return found.load(device=device)
