"""Tables of the state of record: jobs, what of them is out, clips, datasets, events. SQLite or PostgreSQL."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "AssetSetRow",
    "ClipRow",
    "DatasetRow",
    "DistributionRow",
    "EventRow",
    "FailureRow",
    "IdempotencyRow",
    "JobRow",
    "KindRow",
    "MetaRow",
    "RateRow",
    "ReplacementRow",
    "ShardBinsRow",
    "ShardRow",
    "Table",
    "VersionRow",
]

Large = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only plain integers
Json = dict[str, Any]  # Any: JSON


class Table(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {Json: JSON, list[Any]: JSON, str: String, float: Float, bool: Boolean, int: Large}  # noqa: RUF012  # SQLAlchemy reads it from the class


class JobRow(Table):
    """A job; counters are kept up with every result, so that no page counts rows."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text, default="")
    priority: Mapped[str] = mapped_column(String(16))
    backend: Mapped[str] = mapped_column(String(64))
    dataset: Mapped[str] = mapped_column(String(64))
    request: Mapped[Json]
    tags: Mapped[list[Any]]  # Any: strings
    parts: Mapped[list[Any]]  # Any: [episodes or groups, clips] of each part
    part: Mapped[int] = mapped_column(default=0)  # where sampling goes on
    index: Mapped[int] = mapped_column(default=0)
    planned: Mapped[bool] = mapped_column(default=False)  # every first attempt has been handed out
    clips_wanted: Mapped[int] = mapped_column(default=0)
    clips_done: Mapped[int] = mapped_column(default=0)
    frames: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(default=0)
    replaced: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    reasons: Mapped[Json] = mapped_column(default=dict)
    trials: Mapped[Json] = mapped_column(default=dict)  # unit → [times it failed, workers it took], of the few that did
    created: Mapped[float]
    started: Mapped[float | None]
    finished: Mapped[float | None]
    version: Mapped[int] = mapped_column(default=0)  # counts changes, for ETags

    __table_args__ = (
        Index("jobs_by_time", "created", "id"),
        Index("jobs_by_state", "state", "created", "id"),
        Index("jobs_by_dataset", "dataset", "created", "id"),
    )


class ShardRow(Table):
    """Episodes that were handed out together and have no result yet; the row goes with the last result."""

    __tablename__ = "shards"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    job: Mapped[str] = mapped_column(String(32), index=True)
    queue: Mapped[str] = mapped_column(String(64))
    units: Mapped[list[Any]]  # Any: [part, index, attempt] of each that has no result yet
    alone: Mapped[bool] = mapped_column(default=False)  # nothing is put at risk beside it
    created: Mapped[float]


class ShardBinsRow(Table):
    """What a shard's episodes are like, until they are reported; the row goes with the shard, and never changes."""

    __tablename__ = "shard_bins"
    shard: Mapped[str] = mapped_column(String(32), ForeignKey("shards.id", ondelete="CASCADE"), primary_key=True)
    places: Mapped[Json]  # episode's attempt → parameter → bins of its values


class DistributionRow(Table):
    """How a job's episodes are distributed: see `distribution`."""

    __tablename__ = "distributions"
    job: Mapped[str] = mapped_column(String(32), primary_key=True)
    spans: Mapped[Json]  # parameter → [low, high] of its bins
    wanted_clips: Mapped[Json]  # category → tier → clips
    delivered_clips: Mapped[Json]
    requested: Mapped[int] = mapped_column(default=0)  # episodes, or groups of siblings
    delivered: Mapped[int] = mapped_column(default=0)
    requested_bins: Mapped[Json]  # parameter → values below, in each bin, above
    delivered_bins: Mapped[Json]


class ReplacementRow(Table):
    """An episode that is to be tried again: refused, broken, or left over by a worker that died."""

    __tablename__ = "replacements"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job: Mapped[str] = mapped_column(String(32), index=True)
    part: Mapped[int]
    index: Mapped[int]
    attempt: Mapped[int]
    alone: Mapped[bool] = mapped_column(default=False)  # it may have broken a worker
    last: Mapped[bool] = mapped_column(default=False)  # it did, twice: tried once more when all else is done


class FailureRow(Table):
    """An episode that was given up."""

    __tablename__ = "failures"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job: Mapped[str] = mapped_column(String(32), index=True)
    part: Mapped[int]
    index: Mapped[int]
    attempt: Mapped[int]
    reason: Mapped[str] = mapped_column(String(64))
    detail: Mapped[str] = mapped_column(Text)
    at: Mapped[float]


class KindRow(Table):
    """What many clips have in common, and lists can be filtered by: see `kinds`."""

    __tablename__ = "kinds"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    dataset: Mapped[str] = mapped_column(String(64))
    category: Mapped[str] = mapped_column(String(64))
    scene: Mapped[str] = mapped_column(String(64))
    tier: Mapped[str] = mapped_column(String(64))
    split: Mapped[str] = mapped_column(String(64))
    backend: Mapped[str] = mapped_column(String(64))
    preset: Mapped[str] = mapped_column(String(64))


class ClipRow(Table):
    """A committed clip. `number` orders them by when this catalogue heard of them."""

    __tablename__ = "clips"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32))
    dataset: Mapped[str] = mapped_column(String(64))
    job: Mapped[str | None] = mapped_column(String(32))
    kind: Mapped[int]
    category: Mapped[str] = mapped_column(String(64))
    scene: Mapped[str] = mapped_column(String(64))
    tier: Mapped[str] = mapped_column(String(16))
    split: Mapped[str] = mapped_column(String(16))
    seed: Mapped[int]
    index: Mapped[int]
    camera: Mapped[str] = mapped_column(String(64))
    rig: Mapped[str] = mapped_column(String(64))
    backend: Mapped[str] = mapped_column(String(64))
    preset: Mapped[str] = mapped_column(String(64))
    frame_count: Mapped[int]
    fps: Mapped[float]
    width: Mapped[int]
    height: Mapped[int]
    modalities: Mapped[list[Any]]  # Any: strings
    caption: Mapped[str] = mapped_column(Text)
    bytes: Mapped[int]
    committed: Mapped[float]

    __table_args__ = (
        Index("clips_by_id", "id", "dataset", unique=True),
        Index("clips_of_dataset", "dataset", "number"),
        Index("clips_of_job", "job", "number"),
        Index("clips_of_kind", "kind", "number"),
        Index("clips_of_job_and_kind", "job", "kind", "number"),
    )


class DatasetRow(Table):
    """A dataset and its counts."""

    __tablename__ = "datasets"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    profile: Mapped[str] = mapped_column(String(16))
    created: Mapped[float]
    clips: Mapped[int] = mapped_column(default=0)
    frames: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(default=0)
    categories: Mapped[Json] = mapped_column(default=dict)
    splits: Mapped[Json] = mapped_column(default=dict)


class VersionRow(Table):
    """A frozen list of a dataset's clips: all up to `last` in the catalogue's order."""

    __tablename__ = "versions"
    dataset: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created: Mapped[float]
    clips: Mapped[int]
    last: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))


class AssetSetRow(Table):
    """Uploaded meshes under one id."""

    __tablename__ = "asset_sets"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    created: Mapped[float]
    meshes: Mapped[list[Any]]  # Any: mesh records


class EventRow(Table):
    """Something that happened; the newest are kept."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[float]
    kind: Mapped[str] = mapped_column(String(32))
    job: Mapped[str | None] = mapped_column(String(32), index=True)
    data: Mapped[Json]


class IdempotencyRow(Table):
    """An answer to a request that named a key; `status` is 0 while it is in the making."""

    __tablename__ = "idempotency"
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(default=0)
    body: Mapped[Json | None] = mapped_column(JSON)
    location: Mapped[str] = mapped_column(String(200), default="")
    created: Mapped[float]


class MetaRow(Table):
    """Single values: where reading of the workers' results goes on, the key that signs cursors."""

    __tablename__ = "meta"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class RateRow(Table):
    """What clips cost here: sums from which rates follow."""

    __tablename__ = "rates"
    backend: Mapped[str] = mapped_column(String(64), primary_key=True)
    preset: Mapped[str] = mapped_column(String(64), primary_key=True)
    category: Mapped[str] = mapped_column(String(64), primary_key=True)
    device: Mapped[str] = mapped_column(String(16), primary_key=True)
    frames: Mapped[int] = mapped_column(default=0)
    pixels: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
