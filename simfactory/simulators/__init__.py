"""Simulator backends: one folder each, discovered; nothing is listed by hand."""

import importlib
import pkgutil
from collections.abc import Sequence
from typing import cast

from simfactory.errors import BackendError, BackendUnavailable
from simfactory.lasting import lasting
from simfactory.simulators.base import Simulator

__all__ = ["Simulator", "backend_class", "backend_names", "check_backends", "create_simulator"]


def backend_names() -> tuple[str, ...]:
    """Return the names of all backends in this folder, installed or not."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg))


def check_backends(names: Sequence[str]) -> None:
    """Refuse names of no backend, without importing any.

    Raises:
        BackendError: There is no backend of this name, or no name.
    """
    unknown = [name for name in names if name not in backend_names()]
    if unknown or not names:
        raise BackendError(f"unknown backends {unknown or 'none'}; choose from {', '.join(backend_names())}")


def backend_class(name: str) -> type[Simulator]:
    """Return a backend's class.

    Raises:
        BackendError: There is no backend of this name.
        BackendUnavailable: Its packages are not installed; the message names them and the remedy.
    """
    if name not in backend_names():
        raise BackendError(f"unknown backend {name!r}; choose one of {', '.join(backend_names())}")
    try:
        with lasting():
            module = importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("simfactory"):
            raise
        raise BackendUnavailable(
            f"{name!r} needs {error.name}, which is not installed: pip install 'simfactory[{name}]'"
        ) from error
    return cast(type[Simulator], module.BACKEND)


def create_simulator(name: str, *, device: str = "cpu") -> Simulator:
    """Return a new simulator of a backend.

    Args:
        name: Backend, e.g. `newton`.
        device: `cpu` or a CUDA device such as `cuda:0`; backends without a device ignore it.

    Raises:
        BackendError: Unknown backend.
        BackendUnavailable: Its packages are not installed.
    """
    return backend_class(name)(device=device)  # type: ignore[call-arg]  # every backend takes a device
