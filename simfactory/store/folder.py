"""A dataset folder: its description `dataset.json`, and the handle that writers and readers share."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, cast

from simfactory.errors import StoreError
from simfactory.store.base import Volume
from simfactory.store.disk import disk_errors
from simfactory.store.local import LocalVolume

__all__ = [
    "CLIP_SCHEMA",
    "DATASET_SCHEMA",
    "GRACE_S",
    "PROFILES",
    "DatasetFolder",
    "Profile",
    "describe_folder",
    "open_folder",
]

Profile: TypeAlias = Literal["portable", "archive"]
PROFILES: tuple[Profile, ...] = ("portable", "archive")
DATASET_SCHEMA = "simfactory.dataset/1"
CLIP_SCHEMA = "simfactory.clip/1"
GRACE_S = 3600.0
_DESCRIPTION = "dataset.json"
_CONVENTIONS = {
    "world": "right-handed, z up, metres, seconds, kilograms, kelvin",
    "quaternion": "xyzw",
    "camera": "OpenCV: x right, y down, z forward; camera_to_world",
    "pixel": "the centre of pixel (column u, row v) is (u + 0.5, v + 0.5)",
    "depth": "z along the optical axis, inf where nothing is hit",
    "flow": "(du, dv) of the same surface point, x right, y down",
}


@dataclass(frozen=True, slots=True)
class DatasetFolder(os.PathLike[str]):
    """One dataset: where it is, how it stores, and the volume its bytes go through.

    Attributes:
        path: The dataset's folder.
        profile: How precisely its clips are stored, `portable` or `archive`.
        volume: The medium behind the folder.
    """

    path: Path
    profile: Profile
    volume: Volume = field(compare=False)

    def __fspath__(self) -> str:
        """Return the folder as a string, so that the handle can stand where a path can."""
        return str(self.path)


def open_folder(path: str | os.PathLike[str]) -> DatasetFolder:
    """Return the handle of an existing dataset.

    Raises:
        StoreError: There is no dataset, its description is damaged, or its schema is not ours.
    """
    if isinstance(path, DatasetFolder):
        return path
    root = Path(path)
    try:
        description = json.loads((root / _DESCRIPTION).read_bytes())
        schema, profile = description["schema"], description["profile"]
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError(f"{root}: no dataset here ({_DESCRIPTION} is missing); `generate --out` makes one") from None
    except OSError as error:
        raise StoreError(f"{root / _DESCRIPTION}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"{root / _DESCRIPTION}: damaged ({error}); restore it from another copy") from error
    if schema != DATASET_SCHEMA or profile not in PROFILES:
        raise StoreError(
            f"{root}: schema {schema!r} with profile {profile!r}; this version reads {DATASET_SCHEMA!r} with {PROFILES}"
        )
    return DatasetFolder(root, cast(Profile, profile), LocalVolume(root))


def describe_folder(path: Path, *, profile: Profile, licences: Mapping[str, str]) -> DatasetFolder:
    """Create `dataset.json` unless it exists; return the handle, whatever profile it turns out to have.

    Args:
        path: The dataset's folder; made if missing.
        profile: How precisely a new dataset stores.
        licences: What may be done with which part of a new dataset, e.g. `{"textures": "CC0-1.0"}`.

    Raises:
        StoreError: The folder cannot be written, or the profile is unknown.
        ResourceError: The disk is full.
    """
    if profile not in PROFILES:
        raise StoreError(f"profile {profile!r} is unknown; choose one of {', '.join(PROFILES)}")
    document = {
        "schema": DATASET_SCHEMA,
        "clip_schema": CLIP_SCHEMA,
        "profile": profile,
        "conventions": _CONVENTIONS,
        "licences": dict(licences),
    }
    fresh = not path.exists()
    try:
        with disk_errors(path):
            path.mkdir(parents=True, exist_ok=True)
        LocalVolume(path).put_if_absent(_DESCRIPTION, json.dumps(document, indent=2).encode())
    except BaseException:
        if fresh:
            _remove_empty(path)
        raise
    return open_folder(path)


def _remove_empty(path: Path) -> None:
    for folder in (path / "staging", path):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
