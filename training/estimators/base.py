"""What estimates depth or flow of a video from its colours alone, and how such estimators are found.

Every module of this folder with an `ESTIMATOR`, a class, is one, by its file name.
"""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError

__all__ = [
    "DepthEstimator",
    "Estimator",
    "FlowEstimator",
    "Frames",
    "depth_estimator_names",
    "flow_estimator_names",
    "load_depth_estimator",
    "load_flow_estimator",
    "need_frames",
    "need_packages",
]

Frames: TypeAlias = npt.NDArray[np.uint8]  # (time, height, width, 3), sRGB
Kind = TypeVar("Kind", bound="Estimator")

_NOT_ESTIMATORS = {"base"}
_PACKAGE = __name__.rpartition(".")[0]


class Estimator(ABC):
    """Something that estimates; made by `load`, which finds its packages and weights or says what to install.

    Attributes:
        version: Name and version of what decides its answers: method, weights, package. It enters the ids of clips that
            are labelled with it.
    """

    version: str

    @classmethod
    @abstractmethod
    def load(cls, *, device: str = "cpu") -> Self:
        """Return one that computes on a device, as torch names it.

        Raises:
            SpecError: A package or weights are missing; the message says how to get them.
        """


class DepthEstimator(Estimator):
    """Estimates how far each pixel is.

    Attributes:
        quantity: `depth` [m, or of unknown scale], or `disparity`, 1/depth up to a scale and a shift.
        metric: Whether its depth is in metres: otherwise it is compared after an alignment only.
    """

    quantity: ClassVar[Literal["depth", "disparity"]]
    metric: ClassVar[bool]

    @abstractmethod
    def depth(self, frames: Frames) -> npt.NDArray[np.float32]:
        """Return `(time, height, width)` of what `quantity` says; larger disparity is nearer.

        Args:
            frames: `(time, height, width, 3)` uint8, sRGB.
        """


class FlowEstimator(Estimator):
    """Estimates where each pixel's surface point goes."""

    @abstractmethod
    def flow(self, frames: Frames) -> npt.NDArray[np.float32]:
        """Return `(time, 2, height, width)` (du, dv) to the next frame [px], x right, y down; NaN in the last frame.

        Args:
            frames: `(time, height, width, 3)` uint8, sRGB.
        """


def depth_estimator_names() -> tuple[str, ...]:
    """Return the names of the depth estimators."""
    return _names(DepthEstimator)  # type: ignore[type-abstract]  # it is only compared with


def flow_estimator_names() -> tuple[str, ...]:
    """Return the names of the flow estimators."""
    return _names(FlowEstimator)  # type: ignore[type-abstract]  # it is only compared with


def load_depth_estimator(name: str, *, device: str = "cpu") -> DepthEstimator:
    """Return a depth estimator, ready to be used.

    Raises:
        SpecError: There is none of this name, or its packages or weights are missing.
    """
    return _found(name, DepthEstimator).load(device=device)  # type: ignore[type-abstract]  # as above


def load_flow_estimator(name: str, *, device: str = "cpu") -> FlowEstimator:
    """Return a flow estimator, ready to be used.

    Raises:
        SpecError: There is none of this name, or its packages or weights are missing.
    """
    return _found(name, FlowEstimator).load(device=device)  # type: ignore[type-abstract]  # as above


def need_packages(estimator: str, *packages: str) -> tuple[Any, ...]:  # Any: modules
    """Return imported packages, which an estimator's module must not import at its top.

    Raises:
        SpecError: One is not installed.
    """
    try:
        return tuple(importlib.import_module(package) for package in packages)
    except ImportError as error:
        raise SpecError(
            f"{estimator} needs {', '.join(packages)} ({error}): pip install {' '.join(packages)}"
        ) from error


def need_frames(frames: Frames) -> None:
    """Refuse what is no video.

    Raises:
        SpecError: The shape or the type is another.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or not frames.size:
        raise SpecError(
            f"frames of shape {frames.shape} and type {frames.dtype}; give (time, height, width, 3) uint8, sRGB"
        )


def _modules() -> list[str]:
    return sorted({module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])} - _NOT_ESTIMATORS)


def _names(kind: type[Estimator]) -> tuple[str, ...]:
    return tuple(name for name in _modules() if issubclass(_class_of(name), kind))


def _class_of(name: str) -> type[Estimator]:
    found = importlib.import_module(f"{_PACKAGE}.{name}").ESTIMATOR
    if not (isinstance(found, type) and issubclass(found, Estimator)):
        raise TypeError(f"{_PACKAGE}.{name}.ESTIMATOR is {found!r}, not a class of estimators")
    return found


def _found(name: str, kind: type[Kind]) -> type[Kind]:
    if name in _modules():
        found = _class_of(name)
        if issubclass(found, kind):
            return found
    raise SpecError(f"there is no {kind.__name__} {name!r}; choose one of {', '.join(_names(kind)) or 'none'}")
