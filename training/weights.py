"""What learned estimators and trackers need: packages, and weights where PyTorch keeps what it fetched."""

import importlib
from pathlib import Path
from typing import Any

from simfactory.errors import SpecError

__all__ = ["need_package", "need_weights"]


def need_weights(user: str, file: str, *, source: str) -> Path:
    """Return the path of a file of weights in `$TORCH_HOME/hub/checkpoints`, by default below `~/.cache`.

    Args:
        user: What needs it, for the message.
        file: Its name.
        source: Where it can be had.

    Raises:
        SpecError: It is not there; the message says where it belongs.
    """
    import torch

    path = Path(torch.hub.get_dir()) / "checkpoints" / file
    if not path.is_file():
        raise SpecError(f"{user} needs its weights: put {file} from {source} at {path}")
    return path


def need_package(user: str, module: str, *, install: str) -> Any:  # Any: a module
    """Return an imported module.

    Args:
        user: What needs it, for the message.
        module: Its dotted name.
        install: What installs it.

    Raises:
        SpecError: It cannot be imported; the message says how to get it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SpecError(f"{user} needs {module.partition('.')[0]} ({error}): {install}") from error
