"""The metadata documents of a clip: Zarr v3 groups and arrays, and the way from a signal to them and back."""

import json
import math
from collections.abc import Mapping
from typing import TypeAlias, cast

import numpy as np

from simfactory.errors import StoreError
from simfactory.signals import Precision, Signal
from simfactory.store.canonical import JSON
from simfactory.store.folder import CLIP_SCHEMA
from simfactory.store.precision import Encoding

__all__ = [
    "CLIP_SCHEMA",
    "Document",
    "array_document",
    "consolidate",
    "document_bytes",
    "encoding_of",
    "group_document",
    "signal_of",
]

Document: TypeAlias = dict[str, JSON]
_NOT_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def group_document(attributes: Mapping[str, JSON]) -> Document:
    """Return the metadata document of a group."""
    return {"zarr_format": 3, "node_type": "group", "attributes": dict(attributes)}


def array_document(signal: Signal, encoding: Encoding, storage: Mapping[str, JSON], *, saturated: int) -> Document:
    """Return the metadata document of a stored signal.

    Args:
        signal: What the array means.
        encoding: How its values became stored elements.
        storage: Shape, chunk grid and codecs.
        saturated: Number of values that were beyond the stored range.
    """
    precision = signal.precision
    attributes: Document = {
        "unit": signal.unit,
        "description": signal.description,
        "memory_dtype": encoding.memory.name,
        "missing": _number_json(signal.fill),
        "ragged": signal.ragged,
        "precision": {"dtype": precision.dtype, "scale": precision.scale, "scale_max": precision.scale_max},
    }
    if encoding.scale is not None:
        attributes["scale_factor"] = encoding.scale
        if encoding.missing is not None:
            attributes["_FillValue"] = int(encoding.stored_missing)
    if saturated:
        attributes["saturated"] = saturated
    return {
        "zarr_format": 3,
        "node_type": "array",
        "data_type": encoding.stored.name,
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
        "fill_value": _fill_json(encoding),
        "dimension_names": list(signal.dims),
        "storage_transformers": [],
        "attributes": attributes,
        **storage,
    }


def consolidate(root: Document, members: Mapping[str, Document]) -> Document:
    """Return the root document with every member's document inside, so that one read opens a clip."""
    metadata: Document = {path: dict(document) for path, document in sorted(members.items())}
    return {**root, "consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": metadata}}


def document_bytes(document: Document) -> bytes:
    """Return a document as it is stored: the same bytes for the same content."""
    try:
        return json.dumps(document, sort_keys=True, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise StoreError(f"attributes are not plain JSON: {error}; give finite numbers and strings") from error


def signal_of(name: str, document: Document) -> Signal:
    """Return the signal that an array document describes.

    Raises:
        StoreError: The document lacks something that the schema promises.
    """
    try:
        attributes = cast(Document, document["attributes"])
        precision = cast(Document, attributes["precision"])
        return Signal(
            name=name,
            dims=tuple(str(axis) for axis in cast(list[JSON], document["dimension_names"])),
            dtype=str(attributes["memory_dtype"]),
            unit=str(attributes["unit"]),
            description=str(attributes["description"]),
            fill=_number(attributes["missing"]),
            precision=Precision(
                dtype=str(precision["dtype"]),
                scale=_number(precision["scale"]),
                scale_max=_number(precision["scale_max"]),
            ),
            ragged=bool(attributes["ragged"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{name}: its metadata does not follow {CLIP_SCHEMA}: {error!r}") from error


def encoding_of(name: str, document: Document) -> Encoding:
    """Return how the array that a document describes was stored."""
    signal = signal_of(name, document)
    attributes = cast(Document, document["attributes"])
    return Encoding(
        memory=np.dtype(signal.dtype),
        stored=np.dtype(str(document["data_type"])),
        scale=_number(attributes.get("scale_factor")),
        missing=signal.fill,
    )


def _fill_json(encoding: Encoding) -> JSON:
    if encoding.stored.kind == "b":
        return False
    return _number_json(encoding.stored_missing) if encoding.stored.kind == "f" else int(encoding.stored_missing)


def _number_json(value: float | None) -> JSON:
    if value is None or math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _number(value: JSON) -> float | None:
    if value is None:
        return None
    if isinstance(value, str):
        return _NOT_NUMBERS[value]
    if isinstance(value, int | float):
        return value
    raise TypeError(f"{value!r} is not a number")
