"""Video models: backbones behind one contract, heads on their features, adapters, sampling, memory."""

from training.model.adapter import AdapterConfig
from training.model.backbone import Backbone, hold_first_frame
from training.model.backbones.tiny import TINY_SIZES, TinyBackbone, TinyConfig
from training.model.heads import Geometry, GeometryHeads, HeadsConfig, velocity_and_geometry
from training.model.memory import MemoryEstimate, TrainingLoad, estimate_memory, training_load
from training.model.registry import backbone_class, backbone_kinds, load_backbone
from training.model.sampling import euler_integrate, guided_velocity, sample_latents, sample_video, time_grid
from training.model.shape import BackboneShape, TokenGrid
from training.model.trained import ClipFormat, TrainedModel

__all__ = [
    "TINY_SIZES",
    "AdapterConfig",
    "Backbone",
    "BackboneShape",
    "ClipFormat",
    "Geometry",
    "GeometryHeads",
    "HeadsConfig",
    "MemoryEstimate",
    "TinyBackbone",
    "TinyConfig",
    "TokenGrid",
    "TrainedModel",
    "TrainingLoad",
    "backbone_class",
    "backbone_kinds",
    "estimate_memory",
    "euler_integrate",
    "guided_velocity",
    "hold_first_frame",
    "load_backbone",
    "sample_latents",
    "sample_video",
    "time_grid",
    "training_load",
    "velocity_and_geometry",
]
