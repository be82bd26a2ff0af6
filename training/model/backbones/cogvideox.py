"""CogVideoX as a backbone: its v-predictions become velocities."""

from typing import ClassVar, Self

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.model.pipeline import PipelineBackbone, PipelineParts
from training.model.prediction import schedule_positions, variance_preserving, velocity_from_v_prediction
from training.model.shape import BackboneShape, TokenGrid

__all__ = ["BACKBONE", "CogVideoXBackbone"]

# What the 1.5 image-to-video model is told beside the time, always.
OFFSET = 2.0


class CogVideoXBackbone(PipelineBackbone):
    """A variance-preserving model with v-prediction; see `training.model.prediction`.

    The image-to-video networks take the first frame as channels, zero after it. Those of text to video take none.

    **Source**: Z. Yang et al., "CogVideoX" (2024), and diffusers' pipelines.
    """

    kind: ClassVar[str] = "cogvideox"
    pipelines: ClassVar[tuple[str, ...]] = ("CogVideoXPipeline", "CogVideoXImageToVideoPipeline")
    adapter_targets: ClassVar[tuple[str, ...]] = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2")
    block_list: ClassVar[str] = "transformer_blocks"
    zero_after_text: ClassVar[bool] = False

    @classmethod
    def from_parts(cls, parts: PipelineParts) -> Self:
        """Return the backbone of a pipeline.

        Raises:
            SpecError: Its network predicts something else than v.
        """
        network, autoencoder = parts.transformer.config, parts.vae.config
        if parts.scheduler.config.prediction_type != "v_prediction":
            raise SpecError(
                f"{parts.model} predicts {parts.scheduler.config.prediction_type!r}; this backbone reads v_prediction"
            )
        grid = TokenGrid(
            patch=(network.patch_size_t or 1, network.patch_size, network.patch_size),
            temporal_stride=int(autoencoder.temporal_compression_ratio),
            spatial_stride=2 ** (len(autoencoder.block_out_channels) - 1),
            # Its decoder makes 4 frames of the first latent, too, where the count is even.
            latent_step=2,
            fills_front=True,
        )
        shape = BackboneShape(
            grid=grid,
            latent_channels=network.out_channels,
            block_count=network.num_layers,
            inner_width=network.num_attention_heads * network.attention_head_dim,
            text_width=network.text_embed_dim,
            attention_count=1,
            expansion=4.0,
        )
        return cls(shape, parts)

    def __init__(self, shape: BackboneShape, parts: PipelineParts) -> None:
        super().__init__(shape, parts)
        self.text_length = parts.transformer.config.max_text_seq_length  # type: ignore[misc]  # one model's own
        self.shows_image = parts.transformer.config.in_channels != shape.latent_channels

    def forward(self, x_t: Tensor, t: Tensor, *, first_frame: Tensor | None, text: Tensor) -> Tensor:
        """Return the velocity; see `Backbone.forward`.

        Raises:
            SpecError: A first frame is given that the network cannot take, or missing.
        """
        if (first_frame is None) == self.shows_image:
            wanted, given = ("an image-to-video", "no") if self.shows_image else ("a text-to-video", "a")
            raise SpecError(f"{wanted} model of CogVideoX got {given} first frame: choose the other kind of model")
        state = variance_preserving(x_t, t)
        shown = state.sample
        if first_frame is not None:
            rest = first_frame.new_zeros(*first_frame.shape[:2], x_t.shape[2] - 1, *first_frame.shape[3:])
            shown = torch.cat([shown, torch.cat([first_frame, rest], dim=2)], dim=1)
        # The 1.5 networks have patches of two latents; odd counts get one more in front, which is dropped again.
        filled = -x_t.shape[2] % self.shape.grid.patch[0]
        shown = torch.cat([shown[:, :, :filled], shown], dim=2)
        network = self.transformer
        (prediction,) = network(
            hidden_states=shown.transpose(1, 2).to(network.dtype),
            encoder_hidden_states=text,
            timestep=schedule_positions(t, self.parts.scheduler.alphas_cumprod),
            ofs=x_t.new_full((1,), OFFSET) if network.config.ofs_embed_dim else None,
            image_rotary_emb=self._rotary(x_t),
            return_dict=False,
        )
        return velocity_from_v_prediction(prediction.transpose(1, 2)[:, :, filled:], state)

    def _rotary(self, x_t: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return the cosines and sines of the tokens' places, where the network uses them."""
        from diffusers.models.embeddings import get_3d_rotary_pos_embed
        from diffusers.pipelines.cogvideo.pipeline_cogvideox import get_resize_crop_region_for_grid

        config = self.transformer.config
        if not config.use_rotary_positional_embeddings:
            return None
        time, height, width = x_t.shape[2:]
        count, *places = self.shape.grid.token_shape((time, height, width))
        base = (config.sample_height // config.patch_size, config.sample_width // config.patch_size)
        options = (
            {"crops_coords": get_resize_crop_region_for_grid(tuple(places), base[1], base[0])}
            if config.patch_size_t is None
            else {"crops_coords": None, "grid_type": "slice", "max_size": base}
        )
        cosines, sines = get_3d_rotary_pos_embed(
            embed_dim=config.attention_head_dim,
            grid_size=tuple(places),
            temporal_size=count,
            device=x_t.device,
            **options,
        )
        return cosines, sines

    @torch.no_grad()
    def encode_first_frame(self, frame: Tensor, *, frame_count: int) -> Tensor:
        """Return the frame's latent, scaled as the network's image channels are."""
        latents = self.encode(frame.unsqueeze(2))
        config = self.parts.vae.config
        # The 1.5 models were trained with images divided by the factor that videos are multiplied by.
        return latents / float(config.scaling_factor) ** 2 if config.invert_scale_latents else latents

    def _scaled(self, latents: Tensor) -> Tensor:
        return latents * float(self.parts.vae.config.scaling_factor)

    def _unscaled(self, latents: Tensor) -> Tensor:
        return latents / float(self.parts.vae.config.scaling_factor)


BACKBONE = CogVideoXBackbone
