"""What there is: clips, datasets, base scenes, sets of meshes."""

from typing import Any

from simfactory.protocol.base import ApiModel, Count

__all__ = ["AssetSet", "Clip", "ClipPage", "Dataset", "DatasetVersion", "Scene"]


class Clip(ApiModel):
    """A committed clip, as the catalogue knows it."""

    id: str
    dataset: str
    job: str | None
    category: str
    scene: str
    tier: str
    split: str
    seed: int
    index: int
    camera: str
    rig: str
    backend: str
    preset: str
    frame_count: int
    fps: float
    width: int
    height: int
    modalities: list[str]
    caption: str
    bytes: int
    committed: float


class ClipPage(ApiModel):
    """Clips in the order they were committed; `next` continues."""

    items: list[Clip]
    next: str | None = None


class DatasetVersion(ApiModel):
    """A frozen list of clips: `digest` is that of its manifest."""

    version: Count
    created: float
    clips: Count
    digest: str


class Dataset(ApiModel):
    """A dataset: what it holds, counted."""

    name: str
    profile: str
    created: float
    clips: Count
    frames: Count
    bytes: Count
    categories: dict[str, int]
    splits: dict[str, int]
    versions: list[DatasetVersion]


class Scene(ApiModel):
    """A base scene."""

    name: str
    category: str
    tiers: list[str]
    split: str
    description: str
    phenomena: list[str]


class AssetSet(ApiModel):
    """Uploaded meshes that a job can name: digests of canonical meshes."""

    id: str
    name: str
    created: float
    meshes: list[dict[str, Any]]  # Any: mesh records
