"""The embedded video model: a small diffusion transformer over pixels that needs no weights from elsewhere."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from simfactory.errors import SpecError
from training.model.backbone import Backbone, hold_first_frame
from training.model.embedding import TimeEmbedding, grid_positions
from training.model.modulation import Modulation, ZeroLinear
from training.model.shape import BackboneShape, TokenGrid
from training.noising import standardised, velocity_from_residual

__all__ = ["BACKBONE", "TINY_SIZES", "TinyBackbone", "TinyConfig"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TinyConfig:
    """Sizes of the embedded model.

    Attributes:
        width: Channels of a token, D; at least twice the values of a patch.
        block_count: Transformer blocks.
        head_count: Heads of each attention; divides the width.
        patch: Frames, rows and columns in a token.
        attention: `factorised`: tokens look at those of their frame, then at those of their place; `full`: at all.
        expansion: Width of the feed-forward layers in D.
        word_bins: Bins that words are hashed into.
        seed: Of the first weights.
    """

    width: int = 192
    block_count: int = 4
    head_count: int = 6
    patch: tuple[int, int, int] = (2, 4, 4)
    attention: Literal["factorised", "full"] = "factorised"
    expansion: int = 4
    word_bins: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
        if self.width % (2 * self.head_count):
            raise SpecError(f"a width of {self.width} with {self.head_count} heads; the heads' width must be even")
        if self.attention not in ("factorised", "full"):
            raise SpecError(f"attention {self.attention!r}; choose factorised or full")


# 0.5, 4 and 54 million parameters: for tests and trials, for clips of 64×64×16 on CPUs, for a GPU.
TINY_SIZES = {
    "micro": TinyConfig(width=96, block_count=2, head_count=4, patch=(1, 4, 4)),
    "tiny": TinyConfig(),
    "small": TinyConfig(width=512, block_count=8, head_count=8),
}
# Deviations of pixels in −1 … 1: from the clip's first frame, and from grey; of clips of rigid bodies and of ropes they
# are 0.09 to 0.12 and 0.36 [measured].
CHANGE_DEVIATION = 0.1
VIDEO_DEVIATION = 0.36


class TinyBackbone(Backbone):
    """A diffusion transformer over 3-D patches of pixels, modulated by time and text.

    The first frame enters as three more channels of every frame, beside a mask that is 1 where it is given; the network
    says by how much frames differ from it, and a new one that nothing does. Prompts are bags of hashed words. Clips of
    any size fit: what a patch reaches beyond is filled with the nearest pixels.

    **Source**: W. Peebles, S. Xie, "Scalable Diffusion Models with Transformers" (2023): blocks whose norms are
    shifted, scaled and gated by time, zero at first (adaLN-Zero).
    """

    kind: ClassVar[str] = "tiny"
    adapter_targets: ClassVar[tuple[str, ...]] = ("to_q", "to_k", "to_v", "to_out", "feed_forward.0", "feed_forward.2")

    def __init__(self, config: TinyConfig | None = None) -> None:
        config = config or TinyConfig()
        grid = TokenGrid(patch=config.patch)
        super().__init__(
            BackboneShape(
                grid=grid,
                latent_channels=3,
                inner_width=config.width,
                block_count=config.block_count,
                text_width=config.word_bins,
                attention_count=1 if config.attention == "full" else 2,
                expansion=config.expansion,
            )
        )
        self.config = config
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            self.transformer = TinyTransformer(config)

    @property
    def network(self) -> nn.Module:
        """The transformer."""
        return self.transformer

    @property
    def blocks(self) -> Sequence[nn.Module]:
        """Its blocks."""
        return list(self.transformer.blocks)

    def forward(self, x_t: Tensor, t: Tensor, *, first_frame: Tensor | None, text: Tensor) -> Tensor:
        """Return the velocity; see `Backbone.forward`."""
        given = torch.zeros_like(x_t[:, :1])
        if first_frame is None:
            shown, deviation = torch.zeros_like(x_t), VIDEO_DEVIATION
        else:
            # Every frame sees it: what stands still is there already, and only what changes is left to say.
            shown, deviation = first_frame[:, :, :1].expand_as(x_t), CHANGE_DEVIATION
            given[:, :, 0] = 1
        seen = standardised(x_t, t, mean=shown, deviation=deviation)
        residual: Tensor = self.transformer(torch.cat([seen, shown, given], dim=1), t, text)
        velocity = velocity_from_residual(x_t, residual, t, mean=shown, deviation=deviation)
        return velocity if first_frame is None else hold_first_frame(velocity, x_t, t, first_frame)

    def recompute_activations(self) -> None:
        """Keep only what enters each block; see `Backbone.recompute_activations`."""
        self.transformer.recomputes = True

    def encode(self, video: Tensor) -> Tensor:
        """Return the video: its latents are its pixels."""
        return video.detach()

    def decode(self, latents: Tensor) -> Tensor:
        """Return the latents: they are pixels."""
        return latents

    def encode_text(self, prompts: Sequence[str]) -> Tensor:
        """Return `(batch, 1, word_bins)`: the bag of each prompt's hashed words, of length 1; 0 without words."""
        bags = torch.zeros(len(prompts), 1, self.config.word_bins)
        for bag, prompt in zip(bags, prompts, strict=True):
            for word in re.findall(r"\w+", prompt.lower()):
                digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
                bag[0, int.from_bytes(digest, "little") % self.config.word_bins] += 1
        reference = next(self.parameters())
        lengths = torch.linalg.vector_norm(bags, dim=-1, keepdim=True).clamp(min=1)
        unit: Tensor = bags / lengths
        return unit.to(device=reference.device, dtype=reference.dtype)

    def _config(self) -> dict[str, object]:
        return asdict(self.config)

    @classmethod
    def _create(cls, config: dict[str, object], *, dtype: torch.dtype) -> Self:
        values = {**config, "patch": tuple(config["patch"])}  # type: ignore[arg-type]  # JSON has lists
        return cls(TinyConfig(**values)).to(dtype)  # type: ignore[arg-type]  # what _config wrote


class TinyTransformer(nn.Module):
    """The network: patches in, blocks, patches out.

    Args:
        config: Its sizes.
    """

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.config = config
        self.recomputes = False
        width = config.width
        self.embed_patch = nn.Conv3d(7, width, kernel_size=config.patch, stride=config.patch)
        self.embed_time = TimeEmbedding(width)
        self.embed_text = nn.Linear(config.word_bins, width, bias=False)
        self.blocks = nn.ModuleList(TinyBlock(config) for _ in range(config.block_count))
        self.norm_out = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate_out = Modulation(width, 2)
        self.project_out = ZeroLinear(width, 3 * config.patch[0] * config.patch[1] * config.patch[2])

    def forward(self, channels: Tensor, t: Tensor, text: Tensor) -> Tensor:
        """Return `(batch, 3, time, height, width)` from `(batch, 7, time, height, width)`."""
        time, height, width = channels.shape[2:]
        patch = self.config.patch
        fill = [
            side for size, step in zip((width, height, time), patch[::-1], strict=True) for side in (0, -size % step)
        ]
        tokens = self.embed_patch(functional.pad(channels, fill, mode="replicate"))
        batch, _, *grid = tokens.shape
        tokens = tokens.permute(0, 2, 3, 4, 1) + grid_positions(tuple(grid), self.config.width).to(tokens)
        condition = self.embed_time(t) + self.embed_text(text.mean(dim=1))
        for block in self.blocks:
            if self.recomputes and torch.is_grad_enabled():
                tokens = checkpoint(block, tokens, condition, use_reentrant=False)
            else:
                tokens = block(tokens, condition)
        shift, scale = self.modulate_out(condition)
        values = self.project_out(self.norm_out(tokens) * (1 + scale) + shift)
        values = values.reshape(batch, *grid, 3, *patch).permute(0, 4, 1, 5, 2, 6, 3, 7)
        filled: Tensor = values.reshape(batch, 3, *(size * step for size, step in zip(grid, patch, strict=True)))
        return filled[:, :, :time, :height, :width]


class TinyBlock(nn.Module):
    """Attention and a feed-forward layer, each shifted, scaled and gated by the condition.

    Args:
        config: Sizes; says which tokens look at which.
    """

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        width = config.width
        self.full = config.attention == "full"
        self.attentions = nn.ModuleList(TinyAttention(width, config.head_count) for _ in range(1 if self.full else 2))
        self.feed_forward = nn.Sequential(
            nn.Linear(width, config.expansion * width),
            nn.GELU(approximate="tanh"),
            nn.Linear(config.expansion * width, width),
        )
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate = Modulation(width, 3 * (len(self.attentions) + 1))

    def forward(self, tokens: Tensor, condition: Tensor) -> Tensor:
        """Return tokens of the same shape `(batch, time, height, width, channel)`."""
        batch, time, _, _, channels = tokens.shape
        modulation = self.modulate(condition)
        for index, attention in enumerate(self.attentions):
            shift, scale, gate = modulation[3 * index : 3 * index + 3]
            normed = self.norm(tokens) * (1 + scale) + shift
            if self.full:
                mixed = attention(normed.reshape(batch, -1, channels)).reshape(tokens.shape)
            elif index == 0:
                mixed = attention(normed.reshape(batch * time, -1, channels)).reshape(tokens.shape)
            else:
                places = normed.permute(0, 2, 3, 1, 4)
                mixed = attention(places.reshape(-1, time, channels)).reshape(places.shape).permute(0, 3, 1, 2, 4)
            tokens = tokens + gate * mixed
        shift, scale, gate = modulation[-3:]
        updated: Tensor = tokens + gate * self.feed_forward(self.norm(tokens) * (1 + scale) + shift)
        return updated


class TinyAttention(nn.Module):
    """Multi-head self-attention.

    Args:
        width: Channels.
        head_count: Heads.
    """

    def __init__(self, width: int, head_count: int) -> None:
        super().__init__()
        self.head_count = head_count
        self.to_q, self.to_k, self.to_v, self.to_out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return `(batch, token, channel)`."""
        query, key, value = (
            layer(tokens).unflatten(-1, (self.head_count, -1)).transpose(1, 2)
            for layer in (self.to_q, self.to_k, self.to_v)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        projected: Tensor = self.to_out(mixed.transpose(1, 2).flatten(2))
        return projected


BACKBONE = TinyBackbone
