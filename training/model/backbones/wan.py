"""Wan 2.1 and 2.2 as a backbone: text to video, text and image to video, two experts."""

import math
from collections.abc import Sequence
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from simfactory.errors import SpecError
from training.model.backbone import hold_first_frame
from training.model.pipeline import Part, PipelineParts
from training.model.shape import BackboneShape
from training.model.wan_codec import WanCodecBackbone

__all__ = ["BACKBONE", "WanBackbone"]


class WanBackbone(WanCodecBackbone):
    """A flow model whose time runs from 0 to 1000, over latents of a causal autoencoder.

    A first frame enters as Wan 2.2 TI2V has it: its latent is put in as it is, and its tokens have time 0. Networks
    that were trained without (T2V) learn it with the adapter [ours]. Networks with channels for an image (I2V) get them
    instead. Of two experts the first one, for t at or above the boundary, is the network that is trained.

    **Source**: Wan team, "Wan: Open and Advanced Large-Scale Video Generative Models" (2025), and diffusers' pipelines.
    """

    kind: ClassVar[str] = "wan"
    pipelines: ClassVar[tuple[str, ...]] = ("WanPipeline", "WanImageToVideoPipeline")
    adapter_targets: ClassVar[tuple[str, ...]] = ("to_q", "to_k", "to_v", "to_out.0", "ffn.net.0.proj", "ffn.net.2")

    @classmethod
    def from_parts(cls, parts: PipelineParts) -> Self:
        """Return the backbone of a pipeline.

        Raises:
            SpecError: The model needs an image encoder.
        """
        network = parts.transformer.config
        if network.image_dim is not None:
            raise SpecError(
                f"{parts.model} needs an image encoder for its first frame (Wan 2.1 I2V); use a model of Wan 2.2"
            )
        shape = BackboneShape(
            grid=cls.token_grid(parts),
            latent_channels=network.out_channels,
            block_count=network.num_layers,
            inner_width=network.num_attention_heads * network.attention_head_dim,
            text_width=network.text_dim,
            attention_count=2,
            expansion=network.ffn_dim / (network.num_attention_heads * network.attention_head_dim),
        )
        return cls(shape, parts)

    def __init__(self, shape: BackboneShape, parts: PipelineParts) -> None:
        super().__init__(shape, parts)
        self.transformer_2: Part = parts.transformer_2
        self.time_scale = float(parts.scheduler.config.num_train_timesteps)
        self.boundary = parts.index.get("boundary_ratio")
        self.shows_image = parts.transformer.config.in_channels != shape.latent_channels

    def forward(self, x_t: Tensor, t: Tensor, *, first_frame: Tensor | None, text: Tensor) -> Tensor:
        """Return the velocity; see `Backbone.forward`.

        Raises:
            SpecError: The model needs a first frame, and there is none.
        """
        if self.shows_image:
            if first_frame is None:
                raise SpecError("this model (I2V) makes videos of images: give a first frame")
            return self._velocity(torch.cat([x_t, first_frame], dim=1), t, t, text)
        if first_frame is None:
            return self._velocity(x_t, t, t, text)
        given = first_frame.shape[2]
        shown = torch.cat([first_frame, x_t[:, :, given:]], dim=2)
        time, height, width = x_t.shape[2:]
        count, *places = self.shape.grid.token_shape((time, height, width))
        times = t[:, None, None].repeat(1, count, math.prod(places))
        times[:, : given // self.shape.grid.patch[0]] = 0
        velocity = self._velocity(shown, t, times.flatten(1), text)
        return hold_first_frame(velocity, x_t, t, first_frame)

    def _velocity(self, latents: Tensor, t: Tensor, times: Tensor, text: Tensor) -> Tensor:
        """Return the velocity of one expert, or of both for their parts of a batch."""
        inputs = (latents.to(self.transformer.dtype), times * self.time_scale, text)
        if self.transformer_2 is None or self.boundary is None:
            return self._run(self.transformer, *inputs)
        is_high = t >= self.boundary
        if is_high.all():
            return self._run(self.transformer, *inputs)
        if not is_high.any():
            return self._run(self.transformer_2, *inputs)
        high = self._run(self.transformer, *(tensor[is_high] for tensor in inputs))
        low = self._run(self.transformer_2, *(tensor[~is_high] for tensor in inputs))
        order = torch.cat([is_high.nonzero(), (~is_high).nonzero()]).flatten().argsort()
        return torch.cat([high, low])[order]

    def _run(self, expert: Part, latents: Tensor, times: Tensor, text: Tensor) -> Tensor:
        (velocity,) = expert(hidden_states=latents, timestep=times, encoder_hidden_states=text, return_dict=False)
        result: Tensor = velocity
        return result

    def _block_copies(self, index: int) -> Sequence[nn.Module]:
        experts = [self.transformer] if self.transformer_2 is None else [self.transformer, self.transformer_2]
        return [expert.blocks[index] for expert in experts]

    @torch.no_grad()
    def encode_first_frame(self, frame: Tensor, *, frame_count: int) -> Tensor:
        """Return the frame's latent; for I2V mask and latents of the frame followed by grey ones, as its channels."""
        if not self.shows_image:
            return self.encode(frame.unsqueeze(2))
        stride = self.shape.grid.temporal_stride
        video = torch.cat([frame.unsqueeze(2), frame.new_zeros(*frame.shape[:2], frame_count - 1, *frame.shape[2:])], 2)
        latents = self.encode(video)
        mask = latents.new_zeros(len(latents), stride, *latents.shape[2:])
        mask[:, :, 0] = 1
        return torch.cat([mask, latents], dim=1)

    def _cleaned(self, prompt: str) -> str:
        from diffusers.pipelines.wan.pipeline_wan import prompt_clean

        cleaned: str = prompt_clean(prompt)
        return cleaned


BACKBONE = WanBackbone
