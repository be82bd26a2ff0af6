"""Canonical JSON: one byte string per value, the form that identities and records are hashed in."""

import hashlib
import json
from collections.abc import Mapping
from typing import TypeAlias

from simfactory.errors import StoreError

__all__ = ["JSON", "canonical_json", "clip_id", "digest"]

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

_ID_LENGTH = 32


def canonical_json(value: object) -> bytes:
    """Return `value` as sorted, compact ASCII JSON.

    Raises:
        StoreError: The value holds something JSON cannot (an array, NaN, a set).
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
    except (TypeError, ValueError) as error:
        raise StoreError(f"not plain JSON: {error}; give finite numbers, strings, lists and dicts only") from error


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical JSON of `value`, in hex."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def clip_id(identity: Mapping[str, JSON]) -> str:
    """Return the id of the clip that `identity` determines, 32 hex characters.

    The identity holds everything that decides a clip's content: the spec without its cameras, this camera,
    the backend, the render preset, modalities, profile and schema. Key order does not matter.
    """
    return digest(dict(identity))[:_ID_LENGTH]
