"""The objective of a run as one module: a batch goes in, its losses come out, from one pass of the model."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import final

import torch
from torch import Tensor, nn

from training.config import Config
from training.data import Batch
from training.losses import flow_matching_loss
from training.model import Backbone, Geometry, GeometryHeads, TrainedModel
from training.noising import clean_from_velocity, noised
from training.objectives.alignment import Alignment
from training.objectives.draws import Draws
from training.objectives.geometry import geometry_losses
from training.targets import targets_of

__all__ = ["Encoded", "Objective", "StepResult", "encoded"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Encoded:
    """A batch as the backbone takes it.

    Attributes:
        latents: x₀ `(batch, channel, time, height, width)`.
        first_frame: What `Backbone.encode_first_frame` returned.
        text: Embeddings of the captions `(batch, token, channel)`.
    """

    latents: Tensor
    first_frame: Tensor
    text: Tensor


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class StepResult:
    """What a batch costs, and what the model said of it.

    Attributes:
        total: The weighted sum of the losses, with a graph.
        losses: Each loss before its weight, without a graph.
        figures: What else is told of the batch, by the whole name of the metric.
        geometry: What the heads said, without a graph; None without them.
        clean: x̂₀, the model's estimate of the latents, without a graph.
    """

    total: Tensor
    losses: dict[str, Tensor]
    geometry: Geometry | None
    clean: Tensor
    figures: dict[str, Tensor] = field(default_factory=dict)


class Objective(nn.Module):
    """The losses of a stage on a backbone, its heads and its projections; its parameters are what is trained.

    base: L_FM. pretrain: λ_d ℓ(D) + λ_m ℓ(F) + … of the heads on a frozen backbone. sft: L_FM + λ_warp L_warp +
    λ_rgb L_rgb + λ_d L_D + λ_m L_F + λ_pix L_pix + λ_sem L_sem.

    **Source**: Phys4D, eq. (4) to (6); PhysisForcing, training objective.

    Args:
        model: The model; the backbone's parameters that ask for gradients are trained, and the heads.
        config: Stage, losses, seed.
    """

    def __init__(self, model: TrainedModel, config: Config) -> None:
        super().__init__()
        losses = config.losses
        self.config = config
        self.backbone: Backbone = model.backbone
        self.heads: GeometryHeads | None = model.heads if losses.needs_heads else None
        self.alignment: Alignment | None = None
        # The name under which accelerate looks for the modules that FSDP shards one by one.
        self._no_split_modules = [type(model.backbone.blocks[0]).__name__]
        if losses.pixel or losses.semantic:
            self.alignment = Alignment(model.backbone.shape, losses, seed=config.model.seed)

    @property
    def network_parameters(self) -> list[nn.Parameter]:
        """The backbone's parameters that are trained."""
        return list(self.backbone.trainable.values())

    @property
    def other_parameters(self) -> list[nn.Parameter]:
        """Those of heads and projections."""
        modules = [module for module in (self.heads, self.alignment) if module is not None]
        return [parameter for module in modules for parameter in module.parameters() if parameter.requires_grad]

    def forward(self, batch: Batch, given: Encoded, draws: Draws) -> StepResult:
        """Return the losses of a batch.

        Args:
            batch: With the outputs that `needed_outputs` names.
            given: The batch, encoded.
            draws: Noise and times.
        """
        clean = given.latents
        noise, times = draws.noise.to(clean), draws.times.to(device=clean.device, dtype=torch.float32)
        x_t = noised(clean, noise, times)
        first_frame = given.first_frame if draws.gives_first_frame else None
        with self.backbone.capture(self._blocks()) as features:
            velocity: Tensor = self.backbone(x_t, times, first_frame=first_frame, text=given.text)
        losses, geometry = self.config.losses, None
        found: dict[str, Tensor] = {}
        if losses.flow_matching:
            weight = torch.ones_like(clean[:1, :1, :, :1, :1])
            if first_frame is not None:
                weight[:, :, 0] = 0.0  # it is held exactly
            found["flow_matching"] = flow_matching_loss(velocity, clean, noise, weight=weight)
        if self.heads is not None:
            geometry = self._geometry(self.heads, features, times, batch)
            found |= geometry_losses(geometry, targets_of(batch), batch["rgb"], losses)
        if self.alignment is not None:
            found |= self.alignment(features[self.alignment.block], batch)
        weights = losses.weights()
        return StepResult(
            total=torch.stack([weights[name] * value for name, value in found.items()]).sum(),
            losses={name: value.detach() for name, value in found.items()},
            geometry=None if geometry is None else _detached(geometry),
            clean=clean_from_velocity(x_t, velocity.detach().to(x_t.dtype), times),
        )

    @staticmethod
    def _geometry(heads: GeometryHeads, features: dict[int, Tensor], times: Tensor, batch: Batch) -> Geometry:
        """Return what the heads say; in single precision, for half of it has no millimetres at 3 m."""
        size = (batch["rgb"].shape[-2], batch["rgb"].shape[-1])
        with torch.autocast(times.device.type, enabled=False):
            single = {index: values.float() for index, values in features.items()}
            geometry: Geometry = heads(single, times, frame_count=batch["rgb"].shape[1], size=size)
        return geometry

    def _blocks(self) -> Sequence[int]:
        blocks = set(self.heads.block_indices) if self.heads is not None else set()
        if self.alignment is not None:
            blocks.add(self.alignment.block)
        return sorted(blocks)


def _detached(geometry: Geometry) -> Geometry:
    return Geometry(**{each.name: getattr(geometry, each.name).detach() for each in fields(geometry)})


@torch.no_grad()
def encoded(backbone: Backbone, batch: Batch, keeps_text: Sequence[bool]) -> Encoded:
    """Return a batch as the backbone takes it: from the cache's tensors where they are, else encoded now.

    Args:
        backbone: The model.
        batch: With rgb.
        keeps_text: Whose caption is kept; the others get that of "".
    """
    reference = next(backbone.parameters())
    if "latents" in batch.tensors:
        text = batch["text"]
        if not all(keeps_text):
            kept = torch.tensor(keeps_text, device=text.device)[:, None, None]
            text = torch.where(kept, text, backbone.encode_text([""]).to(text))
        return Encoded(
            latents=batch["latents"].to(reference),
            first_frame=batch["first_frame"].to(reference),
            text=text.to(reference),
        )
    video = batch["rgb"].transpose(1, 2).to(reference)
    captions = [caption if kept else "" for caption, kept in zip(batch.captions, keeps_text, strict=True)]
    return Encoded(
        latents=backbone.encode(video),
        first_frame=backbone.encode_first_frame(video[:, :, 0], frame_count=video.shape[2]),
        text=backbone.encode_text(captions),
    )
