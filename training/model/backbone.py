"""The contract that every video model keeps: it predicts velocities, shows its features, takes an adapter, is saved."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import ClassVar, Self, cast

import torch
from torch import Tensor, nn

from simfactory.errors import SpecError
from training.model.adapter import (
    AdapterConfig,
    adapter_state,
    add_adapter,
    disabled_adapter,
    has_adapter,
    load_adapter_state,
    plain_state,
)
from training.model.shape import BackboneShape

__all__ = ["Backbone", "hold_first_frame"]

CONFIG_FILE = "backbone.json"
NETWORK_FILE = "network.safetensors"
# The name that diffusers' own pipelines look for.
ADAPTER_FILE = "pytorch_lora_weights.safetensors"


class Backbone(nn.Module, ABC):
    """A video model seen as a velocity field over latents.

    x_t = (1 − t) x₀ + t ε with t = 1 noise and t = 0 data; the velocity is u = ε − x₀. A model trained for another
    prediction converts its own. Latents are `(batch, channel, time, height, width)`; videos are
    `(batch, 3, frame, height, width)` in −1 … 1.

    Call it with `x_t` and `t` by position; features are captured by hooks on it. Only the network is part of the
    module: its parameters are what is trained, moved and saved. Autoencoders and text encoders follow it to its device
    when they are asked.

    Attributes:
        shape: The sizes.
        adapter: What its adapter looks like, or None.
        rereads_network: Whether its first weights can be read again from where they came from.
        kind: Name of the file in `training/model/backbones/` that holds it.
        pipelines: Classes in the `model_index.json` of diffusers' folders that it reads.
        adapter_targets: Linear layers that get an adapter unless told otherwise.
    """

    kind: ClassVar[str]
    pipelines: ClassVar[tuple[str, ...]] = ()
    adapter_targets: ClassVar[tuple[str, ...]] = ()

    def __init__(self, shape: BackboneShape) -> None:
        super().__init__()
        self.shape = shape
        self.adapter: AdapterConfig | None = None
        self.rereads_network = False

    @abstractmethod
    def forward(self, x_t: Tensor, t: Tensor, *, first_frame: Tensor | None, text: Tensor) -> Tensor:
        """Return the velocity at x_t.

        Where a model is shown the first latents as they are, their velocity is (x_t − x₀)/t, which is exact and has no
        gradient; see `hold_first_frame`.

        Args:
            x_t: Noisy latents.
            t: `(batch,)` in 0 … 1.
            first_frame: What `encode_first_frame` returned; None = not given.
            text: What `encode_text` returned.

        Returns:
            Of the shape of `x_t`.
        """

    @property
    @abstractmethod
    def network(self) -> nn.Module:
        """The module whose parameters are trained; an adapter goes in here."""

    @property
    @abstractmethod
    def blocks(self) -> Sequence[nn.Module]:
        """The transformer blocks; each puts out its tokens `(batch, token, channel)`, alone or first in a tuple."""

    @abstractmethod
    def encode(self, video: Tensor) -> Tensor:
        """Return the latents of a video, without gradients."""

    @abstractmethod
    def decode(self, latents: Tensor) -> Tensor:
        """Return the video of latents; gradients pass."""

    @abstractmethod
    def encode_text(self, prompts: Sequence[str]) -> Tensor:
        """Return `(batch, token, text_width)` of prompts, without gradients; "" stands for no prompt."""

    @abstractmethod
    def _config(self) -> dict[str, object]:
        """Return what `_create` needs, as JSON."""

    @classmethod
    @abstractmethod
    def _create(cls, config: dict[str, object], *, dtype: torch.dtype) -> Self:
        """Return the model that `_config` describes, with the weights that it begins with."""

    @classmethod
    def from_pipeline(cls, model: str | Path, *, dtype: torch.dtype = torch.float32) -> Self:
        """Return the model in a folder of diffusers, or of a repository's name."""
        raise SpecError(f"{cls.kind!r} reads no folders of diffusers: {model}")

    def encode_first_frame(self, frame: Tensor, *, frame_count: int) -> Tensor:
        """Return what tells the model how a clip begins.

        Args:
            frame: `(batch, 3, height, width)` in −1 … 1.
            frame_count: Frames of the clip that it begins.
        """
        return self.encode(frame.unsqueeze(2))

    # ── features ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def capture(self, block_indices: Sequence[int]) -> Iterator[dict[int, Tensor]]:
        """Collect what blocks put out while the context lasts.

        Args:
            block_indices: Which blocks, from 0.

        Yields:
            A dict that each call of the model fills anew: block → `(batch, time, channel, height, width)` on the grid
            of tokens. Gradients pass.

        Raises:
            SpecError: There is no such block; or, from the model's call, its experts share the batch.
        """
        count = self.shape.block_count
        if wrong := [index for index in block_indices if not 0 <= index < count]:
            raise SpecError(f"no block {wrong}; the model has blocks 0 … {count - 1}")
        features: dict[int, Tensor] = {}
        shapes: list[tuple[int, ...]] = []

        def begin(_: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            batch, _channels, time, height, width = arguments[0].shape
            shapes[:] = [(batch, *self.shape.grid.token_shape((time, height, width)))]
            features.clear()

        def remember(index: int, output: Tensor | tuple[Tensor, ...]) -> None:
            tokens = output[0] if isinstance(output, tuple) else output
            if len(tokens) != shapes[0][0]:
                raise SpecError(
                    "the times of a batch belong to two experts, whose features cannot be captured together: draw them "
                    "all on one side of the boundary"
                )
            features[index] = tokens.reshape(*shapes[0], -1).permute(0, 1, 4, 2, 3)

        handles = [self.register_forward_pre_hook(begin)]
        for index in block_indices:
            handles += [
                block.register_forward_hook(lambda _module, _inputs, output, index=index: remember(index, output))
                for block in self._block_copies(index)
            ]
        try:
            yield features
        finally:
            for handle in handles:
                handle.remove()

    def _block_copies(self, index: int) -> Sequence[nn.Module]:
        """Return the modules that may act as a block: one, but for models with more than one expert."""
        return [self.blocks[index]]

    # ── what is trained ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def trainable(self) -> dict[str, nn.Parameter]:
        """The parameters that gradients reach, by name."""
        return {name: parameter for name, parameter in self.named_parameters() if parameter.requires_grad}

    @abstractmethod
    def recompute_activations(self) -> None:
        """Keep only what enters each block for the backward pass and compute the rest again, for less memory."""

    def freeze(self) -> None:
        """Let gradients reach no parameter."""
        self.requires_grad_(False)

    def add_adapter(self, config: AdapterConfig | None = None) -> None:
        """Add a low-rank adapter, zero at first, and freeze everything else.

        Raises:
            SpecError: It has one already, or a target matches no linear layer.
        """
        chosen = config or AdapterConfig()
        complete = replace(chosen, targets=chosen.targets or self.adapter_targets)
        self.freeze()
        add_adapter(self.network, complete)
        self.adapter = complete

    @property
    def has_new_adapter(self) -> bool:
        """Whether it has an adapter that changes nothing yet: B is 0 in all its layers."""
        parts = [value for name, value in self.named_parameters() if ".lora_B." in name]
        return bool(parts) and not any(bool(part.any()) for part in parts)

    def without_adapter(self) -> AbstractContextManager[None]:
        """Return a context in which the model is as it was before it got its adapter: the reference policy."""
        return disabled_adapter(self.network) if has_adapter(self.network) else nullcontext()

    # ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def save(self, folder: str | Path) -> None:
        """Write the model: its adapter if it has one, and its network unless that can be read again as it is.

        A pipeline whose weights were trained themselves counts as changed once it was saved and loaded: do that before
        an adapter is added to it.
        """
        from safetensors.torch import save_file

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        adapter = asdict(self.adapter) if self.adapter else None
        if adapter is None or not self.rereads_network:
            save_file(_contiguous(plain_state(self, merges=False)), folder / NETWORK_FILE)
        if adapter is not None:
            state = {f"transformer.{name}": value for name, value in adapter_state(self.network).items()}
            save_file(_contiguous(state), folder / ADAPTER_FILE)
        config = {"kind": self.kind, "config": self._config(), "adapter": adapter}
        (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path, *, dtype: torch.dtype = torch.float32) -> Self:
        """Return the model that `save` wrote, with the same weights bit for bit.

        Raises:
            SpecError: The folder holds none, or one of another kind.
        """
        from safetensors.torch import load_file

        folder = Path(folder)
        path = folder / CONFIG_FILE
        if not path.is_file():
            raise SpecError(f"{folder} holds no {CONFIG_FILE}: give a folder that a model was saved in")
        saved = json.loads(path.read_text(encoding="utf-8"))
        if saved["kind"] != cls.kind:
            raise SpecError(f"{folder} holds a model of kind {saved['kind']!r}, not {cls.kind!r}")
        backbone = cls._create(saved["config"], dtype=dtype)
        if (folder / NETWORK_FILE).is_file():
            backbone.load_state_dict(load_file(folder / NETWORK_FILE))
            backbone.rereads_network = False
        if saved["adapter"] is None:
            return backbone
        backbone.add_adapter(AdapterConfig(**{**saved["adapter"], "targets": tuple(saved["adapter"]["targets"])}))
        state = load_file(folder / ADAPTER_FILE)
        load_adapter_state(
            backbone.network, {name.removeprefix("transformer."): value for name, value in state.items()}
        )
        return backbone

    def export(self, folder: str | Path) -> None:
        """Write the model with its adapter merged into its weights, to be used without this package.

        A backbone of diffusers writes a folder for its pipeline; another one writes what `load` reads.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._write_merged(folder, _contiguous(plain_state(self.network, merges=True)))

    def _write_merged(self, folder: Path, state: dict[str, Tensor]) -> None:
        plain = self._create(self._config(), dtype=next(self.parameters()).dtype)
        plain.network.load_state_dict(state)
        plain.save(folder)


def hold_first_frame(velocity: Tensor, x_t: Tensor, t: Tensor, first_frame: Tensor) -> Tensor:
    """Return a velocity whose first latents lead to the given frame: u = (x_t − x₀)/t there.

    x_t − x₀ = t (ε − x₀): it is the true velocity, and a sampler that follows it ends at x₀ exactly.

    Args:
        velocity: `(batch, channel, time, height, width)`.
        x_t: Of the same shape.
        t: `(batch,)` in 0 … 1.
        first_frame: x₀ `(batch, channel, k, height, width)` of the first k latents.
    """
    given = first_frame.shape[2]
    # At t = 0 nothing is left to do: x_t is x₀.
    scale = t.clamp(min=torch.finfo(torch.float32).tiny).reshape(-1, 1, 1, 1, 1)
    known = torch.where(scale > 1e-6, (x_t[:, :, :given] - first_frame) / scale, 0.0).to(velocity.dtype)
    return torch.cat([known.detach(), velocity[:, :, given:]], dim=2)


def _contiguous(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return cast(dict[str, Tensor], {name: value.detach().cpu().contiguous() for name, value in state.items()})
