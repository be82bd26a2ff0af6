"""The clip store: datasets of Zarr clips that appear whole, exactly once, or not at all."""

from simfactory.store.canonical import JSON, canonical_json, clip_id, digest
from simfactory.store.commit import (
    committed_ids,
    create_dataset,
    is_committed,
    leftovers,
    read_record,
    sweep,
)
from simfactory.store.folder import CLIP_SCHEMA, GRACE_S, PROFILES, DatasetFolder, Profile, open_folder
from simfactory.store.precision import Stored
from simfactory.store.reader import ClipArrays, open_arrays
from simfactory.store.rejections import read_rejections, record_rejection
from simfactory.store.row import COLUMNS, SOURCES, ClipSource
from simfactory.store.runs import read_runs, record_run
from simfactory.store.validate import Finding, validate
from simfactory.store.writer import ClipWriter

__all__ = [
    "CLIP_SCHEMA",
    "COLUMNS",
    "GRACE_S",
    "JSON",
    "PROFILES",
    "SOURCES",
    "ClipArrays",
    "ClipSource",
    "ClipWriter",
    "DatasetFolder",
    "Finding",
    "Profile",
    "Stored",
    "canonical_json",
    "clip_id",
    "committed_ids",
    "create_dataset",
    "digest",
    "is_committed",
    "leftovers",
    "open_arrays",
    "open_folder",
    "read_record",
    "read_rejections",
    "read_runs",
    "record_rejection",
    "record_run",
    "sweep",
    "validate",
]
