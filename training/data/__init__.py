"""Data: windows of clips as tensors, in an order that can be repeated and continued."""

from training.data.cached_windows import CachedWindows, Codec
from training.data.camera_motion import camera_rays, depth_change
from training.data.checks import check_sources
from training.data.curriculum import TIERS, Curriculum, Stage
from training.data.framing import Framing
from training.data.latent_frames import (
    check_latent_length,
    frames_of_latent,
    from_latent_groups,
    latent_count,
    latent_of_frame,
    to_latent_groups,
)
from training.data.loader import LoaderState, WindowLoader
from training.data.outputs import OUTPUTS, Output, needed_modalities
from training.data.query import ClipQuery, select_clips
from training.data.sample import Batch, Sample, collate
from training.data.sampler import WindowSampler
from training.data.source import Source, open_source
from training.data.time_order import TimeOrder, TimeOrders
from training.data.window_dataset import Transform, WindowDataset
from training.data.windows import WindowKey, Windows

__all__ = [
    "OUTPUTS",
    "TIERS",
    "Batch",
    "CachedWindows",
    "ClipQuery",
    "Codec",
    "Curriculum",
    "Framing",
    "LoaderState",
    "Output",
    "Sample",
    "Source",
    "Stage",
    "TimeOrder",
    "TimeOrders",
    "Transform",
    "WindowDataset",
    "WindowKey",
    "WindowLoader",
    "WindowSampler",
    "Windows",
    "camera_rays",
    "check_latent_length",
    "check_sources",
    "collate",
    "depth_change",
    "frames_of_latent",
    "from_latent_groups",
    "latent_count",
    "latent_of_frame",
    "needed_modalities",
    "open_source",
    "select_clips",
    "to_latent_groups",
]
