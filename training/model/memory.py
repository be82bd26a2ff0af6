"""How much memory training takes: an estimate before the first step."""

from dataclasses import dataclass

from training.model.backbone import Backbone

__all__ = ["MemoryEstimate", "TrainingLoad", "estimate_memory", "training_load"]

GIGABYTE, MEGABYTE = 1e9, 1e6

# Values that a block keeps for the backward pass, for each token and channel: an attention its normed and modulated
# input, query, key, value, what it mixed, what it put out; a feed-forward layer the same without the middle, and its
# wide layer before and after the activation. Counted in the modules of the backbones here.
PER_ATTENTION = 8.0
PER_FEED_FORWARD = 4.0
PER_EXPANSION = 2.0
# Embedding and output.
AROUND_BLOCKS = 12.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingLoad:
    """What decides the memory of a step.

    Attributes:
        parameter_count: Of the network.
        trainable_count: Those that gradients reach.
        token_count: Tokens of a batch.
        inner_width: Channels of a token, D.
        block_count: Blocks.
        attention_count: Attentions in a block.
        expansion: Width of a feed-forward layer in D.
        value_bytes: Of a weight and an activation [B].
        recomputes: Only what enters a block is kept.
        shard_count: Devices that share weights, gradients and the optimiser's state (FSDP).
    """

    parameter_count: int
    trainable_count: int
    token_count: int
    inner_width: int
    block_count: int
    attention_count: int
    expansion: float
    value_bytes: int = 4
    recomputes: bool = False
    shard_count: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryEstimate:
    """Memory of a training step on one device [B].

    Attributes:
        weights: Of the network.
        gradients: Of what is trained.
        optimiser: Adam's two moments of what is trained, in float32, and a float32 copy of it where it is of less.
        activations: What the forward pass keeps for the backward pass.
    """

    weights: float
    gradients: float
    optimiser: float
    activations: float

    @property
    def total(self) -> float:
        """The sum [B]."""
        return self.weights + self.gradients + self.optimiser + self.activations

    def __str__(self) -> str:
        unit, size = ("GB", GIGABYTE) if self.total >= GIGABYTE else ("MB", MEGABYTE)
        parts = ", ".join(
            f"{name} {getattr(self, name) / size:.2f}" for name in ("weights", "gradients", "optimiser", "activations")
        )
        return f"about {self.total / size:.2f} {unit} a device ({parts})"


def estimate_memory(load: TrainingLoad) -> MemoryEstimate:
    """Return what a step of training takes, without autoencoder, text encoder and heads.

    Attention is taken to keep no matrix of scores (fused kernels do not). The estimate is meant to be within a factor
    of 1.5 of what is measured.
    """
    block = load.attention_count * PER_ATTENTION + PER_FEED_FORWARD + PER_EXPANSION * load.expansion
    kept = load.block_count + block if load.recomputes else load.block_count * block
    full_copy = 4 if load.value_bytes < 4 else 0
    return MemoryEstimate(
        weights=load.parameter_count * load.value_bytes / load.shard_count,
        gradients=load.trainable_count * load.value_bytes / load.shard_count,
        optimiser=load.trainable_count * (8 + full_copy) / load.shard_count,
        activations=load.token_count * load.inner_width * (kept + AROUND_BLOCKS) * load.value_bytes,
    )


def training_load(
    backbone: Backbone,
    *,
    batch_size: int,
    frame_count: int,
    size: tuple[int, int],
    recomputes: bool = False,
    shard_count: int = 1,
) -> TrainingLoad:
    """Return the load of training a backbone as it is, with what gradients reach now.

    Args:
        backbone: The model, with its adapter.
        batch_size: Clips of a step on one device.
        frame_count: Frames of a clip.
        size: Rows and columns [px].
        recomputes: See `Backbone.recompute_activations`.
        shard_count: Devices that share the weights.

    Raises:
        SpecError: The model does not take clips of this size.
    """
    shape = backbone.shape
    time, height, width = shape.grid.token_shape(shape.grid.latent_shape(frame_count, *size))
    parameters = list(backbone.parameters())
    return TrainingLoad(
        parameter_count=sum(parameter.numel() for parameter in parameters),
        trainable_count=sum(parameter.numel() for parameter in backbone.trainable.values()),
        token_count=batch_size * time * height * width,
        inner_width=shape.inner_width,
        block_count=shape.block_count,
        attention_count=shape.attention_count,
        expansion=shape.expansion,
        value_bytes=parameters[0].element_size(),
        recomputes=recomputes,
        shard_count=shard_count,
    )
