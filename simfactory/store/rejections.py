"""Episodes that the quality gate refused, remembered so that a repeated run does not simulate them again."""

import json
import os

from simfactory.store.canonical import JSON, canonical_json, digest
from simfactory.store.folder import open_folder

__all__ = ["read_rejections", "record_rejection"]

_FOLDER = "rejections"


def record_rejection(
    dataset: str | os.PathLike[str], identity: dict[str, JSON], *, reasons: tuple[str, ...], spec: dict[str, JSON]
) -> None:
    """Record that an episode was refused.

    Args:
        dataset: Folder of an existing dataset.
        identity: What the refusal depends on: the scene's digest, backend and preset.
        reasons: Reason codes of the quality gate.
        spec: The refused spec (JSON).

    Raises:
        StoreError: The dataset cannot be written.
        ResourceError: The disk is full.
    """
    record = {**identity, "reasons": list(reasons), "spec": spec}
    open_folder(dataset).volume.put_if_absent(f"{_FOLDER}/{digest(identity)[:32]}.json", canonical_json(record))


def read_rejections(dataset: str | os.PathLike[str]) -> dict[str, tuple[str, ...]]:
    """Return the reasons of all refused episodes by the digest of their identity.

    Raises:
        StoreError: The dataset does not exist.
    """
    volume = open_folder(dataset).volume
    found: dict[str, tuple[str, ...]] = {}
    for name in volume.names(_FOLDER):
        record = json.loads(volume.read(f"{_FOLDER}/{name}"))
        found[name.removesuffix(".json")] = tuple(record["reasons"])
    return found
