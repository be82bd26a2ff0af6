"""Arrays made from assets, kept in the asset folder so that they are made once."""

import os
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simfactory.assets.record import asset_root, asset_roots

__all__ = ["keep_arrays", "kept_arrays"]

Arrays = dict[str, npt.NDArray[Any]]  # Any: several dtypes


def keep_arrays(digest: str, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:  # Any: several dtypes
    """Write arrays to `DIGEST.NAME.npz` in the asset folder; readers see the whole file or none."""
    target = asset_root() / f"{digest}.{name}.npz"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    with partial.open("wb") as stream:
        np.savez_compressed(stream, **dict(arrays))  # type: ignore[arg-type] # its stub knows no mapping of arrays
    partial.replace(target)


def kept_arrays(digest: str, name: str) -> Arrays | None:
    """Return the arrays kept under a name, None if there are none or they cannot be read; do not write to them."""
    for root in asset_roots():
        path = root / f"{digest}.{name}.npz"
        try:
            stat = path.stat()
            return _load(path, stat.st_mtime_ns, stat.st_size)
        except (OSError, ValueError, zipfile.BadZipFile):
            continue
    return None  # made again


@lru_cache(maxsize=64)
def _load(path: Path, _changed: int, _size: int) -> Arrays:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
