"""Wan's causal autoencoder, which other models share."""

import torch
from torch import Tensor

from training.model.pipeline import PipelineBackbone, PipelineParts
from training.model.shape import TokenGrid

__all__ = ["WanCodecBackbone"]


class WanCodecBackbone(PipelineBackbone):
    """A backbone over latents of Wan's autoencoder, scaled to mean 0 and deviation 1.

    The autoencoder is causal: the first latent of a video is that of its first frame.
    """

    @staticmethod
    def token_grid(parts: PipelineParts) -> TokenGrid:
        """Return the grid that the autoencoder and the network's patches make."""
        return TokenGrid(
            patch=tuple(parts.transformer.config.patch_size),
            temporal_stride=parts.vae.config.scale_factor_temporal,
            spatial_stride=parts.vae.config.scale_factor_spatial,
        )

    def _scaled(self, latents: Tensor) -> Tensor:
        mean, deviation = self._statistics(latents)
        return (latents - mean) / deviation

    def _unscaled(self, latents: Tensor) -> Tensor:
        mean, deviation = self._statistics(latents)
        return latents * deviation + mean

    def _statistics(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        config = self.parts.vae.config
        mean, deviation = (
            torch.tensor(values).to(latents).reshape(1, -1, 1, 1, 1)
            for values in (config.latents_mean, config.latents_std)
        )
        return mean, deviation
