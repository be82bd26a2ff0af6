"""Cosmos Predict2 (video to world) as a backbone."""

from typing import ClassVar, Self

import torch
from torch import Tensor

from training.model.backbone import hold_first_frame
from training.model.pipeline import PipelineParts
from training.model.shape import BackboneShape
from training.model.wan_codec import WanCodecBackbone

__all__ = ["BACKBONE", "CosmosBackbone"]

# What the pipeline says that given frames are: almost, not quite, without noise.
GIVEN_NOISE = 1e-4


class CosmosBackbone(WanCodecBackbone):
    """A model in the terms of σ that predicts velocities all the same.

    It takes x₀ + σ ε scaled by 1/(1 + σ), which is x_t at t = σ/(1 + σ), and its pipeline reads x₀ as x_t − t F: so its
    output F is the velocity, and its time is t. A mask channel says which latents are given; those are put in as they
    are.

    **Source**: T. Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models" (2022), eq. (7),
    with the coefficients of diffusers' `Cosmos2VideoToWorldPipeline`.
    """

    kind: ClassVar[str] = "cosmos"
    pipelines: ClassVar[tuple[str, ...]] = ("Cosmos2VideoToWorldPipeline",)
    adapter_targets: ClassVar[tuple[str, ...]] = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2")
    block_list: ClassVar[str] = "transformer_blocks"

    frame_rate = 16
    """Frames per second that positions in time are scaled by [Hz]; the pipeline's own default."""

    @classmethod
    def from_parts(cls, parts: PipelineParts) -> Self:
        """Return the backbone of a pipeline."""
        network = parts.transformer.config
        shape = BackboneShape(
            grid=cls.token_grid(parts),
            latent_channels=network.out_channels,
            block_count=network.num_layers,
            inner_width=network.num_attention_heads * network.attention_head_dim,
            text_width=network.text_embed_dim,
            attention_count=2,
            expansion=network.mlp_ratio,
        )
        return cls(shape, parts)

    def __init__(self, shape: BackboneShape, parts: PipelineParts) -> None:
        super().__init__(shape, parts)
        # The network resizes a mask of padding with torchvision, which we do not need: nothing is padded here.
        self.pads = bool(parts.transformer.config.concat_padding_mask)
        self.transformer.register_to_config(concat_padding_mask=False)

    def forward(self, x_t: Tensor, t: Tensor, *, first_frame: Tensor | None, text: Tensor) -> Tensor:
        """Return the velocity; see `Backbone.forward`."""
        batch, _, time, height, width = x_t.shape
        given = 0 if first_frame is None else first_frame.shape[2]
        shown = x_t if first_frame is None else torch.cat([first_frame, x_t[:, :, given:]], dim=2)
        mask = x_t.new_zeros(batch, 1, time, height, width)
        mask[:, :, :given] = 1
        times = t.reshape(-1, 1, 1, 1, 1).repeat(1, 1, time, 1, 1)
        times[:, :, :given] = GIVEN_NOISE / (1 + GIVEN_NOISE)
        padding = [torch.zeros_like(mask)] if self.pads else []
        (velocity,) = self.transformer(
            hidden_states=torch.cat([shown, mask, *padding], dim=1).to(self.transformer.dtype),
            timestep=times.to(self.transformer.dtype),
            encoder_hidden_states=text,
            fps=self.frame_rate,
            return_dict=False,
        )
        result: Tensor = velocity
        return result if first_frame is None else hold_first_frame(result, x_t, t, first_frame)

    def _network_config(self) -> dict[str, object]:
        return {**super()._network_config(), "concat_padding_mask": self.pads}


BACKBONE = CosmosBackbone
