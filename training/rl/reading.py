"""What a model's heads read from clips that its policy sampled."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self, final

import torch
from torch import Tensor

from training.model import Geometry, TrainedModel, velocity_and_geometry
from training.noising import noised

__all__ = ["SampledScenes", "read_scenes"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class SampledScenes:
    """Sampled clips as they are judged.

    Attributes:
        rgb: `(sample, frame, 3, height, width)` in −1 … 1.
        geometry: What the heads read, `(sample, frame, …)`.
    """

    rgb: Tensor
    geometry: Geometry

    @classmethod
    def joined(cls, parts: Sequence["SampledScenes"]) -> Self:
        """Return several as one."""
        geometry = {
            field.name: torch.cat([getattr(part.geometry, field.name) for part in parts]) for field in fields(Geometry)
        }
        return cls(rgb=torch.cat([part.rgb for part in parts]), geometry=Geometry(**geometry))


@torch.no_grad()
def read_scenes(
    model: TrainedModel, latents: Tensor, first_frame: Tensor, *, time: float, generator: torch.Generator
) -> SampledScenes:
    """Return sampled latents decoded, and what the heads read from them.

    One pass at x_t with a small t, the clip's own first frame and no caption: what is said of the geometry comes from
    the clip, not from its description. All samples get the same noise, so that they differ in nothing else.

    Args:
        model: With heads; its weights now are those that read.
        latents: `(sample, channel, time, height, width)`.
        first_frame: What `Backbone.encode_first_frame` returned, of each sample.
        time: t, one of those that the heads were trained at.
        generator: Of the noise, on the CPU.
    """
    assert model.heads is not None  # looked at before the run
    noise = torch.randn(1, *latents.shape[1:], generator=generator).to(latents).expand_as(latents)
    _, geometry = velocity_and_geometry(
        model.backbone,
        model.heads,
        noised(latents, noise, time),
        torch.full((len(latents),), time, device=latents.device),
        first_frame=first_frame,
        text=model.backbone.encode_text([""] * len(latents)),
    )
    rgb = model.backbone.decode(latents).float().clamp(-1.0, 1.0).transpose(1, 2)
    return SampledScenes(rgb=rgb, geometry=geometry)
