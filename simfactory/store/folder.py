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
from simfactory.store.location import Location, location_of
from simfactory.store.volumes import open_volume

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
        path: The dataset's folder, or its address.
        profile: How precisely its clips are stored, `portable` or `archive`.
        volume: The medium behind the folder.
    """

    path: Location
    profile: Profile
    volume: Volume = field(compare=False)

    def __fspath__(self) -> str:
        """Return the folder as a string, so that the handle can stand where a path can."""
        return str(self.path)


def open_folder(path: str | os.PathLike[str], *, token: str | None = None) -> DatasetFolder:
    """Return the handle of an existing dataset.

    Args:
        path: Its folder, `s3://bucket/prefix`, or `http(s)://…/v1/datasets/NAME`.
        token: For HTTP: what the service asks for; None = the environment's SIMFACTORY_TOKEN, if any.

    Raises:
        StoreError: There is no dataset, it cannot be reached, its description is damaged, or its schema is not ours.
    """
    if isinstance(path, DatasetFolder):
        return path
    root = location_of(path)
    volume = open_volume(root, token=token)
    try:
        description = json.loads(volume.read(_DESCRIPTION))
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
    return DatasetFolder(root, cast(Profile, profile), volume)


def describe_folder(path: Location, *, profile: Profile, licences: Mapping[str, str]) -> DatasetFolder:
    """Create `dataset.json` unless it exists; return the handle, whatever profile it turns out to have.

    Args:
        path: The dataset's folder, made if missing, or its address in an object store.
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
    data = json.dumps(document, indent=2).encode()
    if isinstance(path, Path):
        _describe_locally(path, data)
    else:
        open_volume(path).put_if_absent(_DESCRIPTION, data)
    return open_folder(path)


def _describe_locally(path: Path, description: bytes) -> None:
    fresh = not path.exists()
    try:
        with disk_errors(path):
            path.mkdir(parents=True, exist_ok=True)
        open_volume(path).put_if_absent(_DESCRIPTION, description)
    except BaseException:
        if fresh:
            _remove_empty(path)
        raise


def _remove_empty(path: Path) -> None:
    for folder in (path / "staging", path):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
