"""What backbones made of diffusers' pipelines share: reading a folder's parts, text encoding, export."""

import importlib
import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from simfactory.errors import SpecError
from training.model.backbone import Backbone
from training.model.shape import BackboneShape

__all__ = ["PipelineBackbone", "PipelineParts", "read_parts"]

# Any: the classes of diffusers and transformers are imported only when a model is read.
Part = Any
LIBRARIES = ("diffusers", "transformers")
PARTS = ("transformer", "transformer_2", "vae", "text_encoder", "tokenizer", "scheduler")


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineParts:
    """The parts of a pipeline that training needs; what guards or post-processes is left out.

    Attributes:
        model: Folder or repository that they come from.
        index: What its `model_index.json` says.
        transformer: The network; of a model with two experts the one for high noise.
        transformer_2: The expert for low noise, or None.
        vae: Autoencoder, in float32.
        text_encoder: Of the prompts.
        tokenizer: Of the prompts.
        scheduler: The schedule that the model was trained with.
    """

    model: str
    # Any: JSON.
    index: dict[str, Any]
    transformer: Part
    transformer_2: Part
    vae: Part
    text_encoder: Part
    tokenizer: Part
    scheduler: Part


def read_parts(model: str | Path, *, dtype: torch.dtype) -> PipelineParts:
    """Read a pipeline's parts.

    Args:
        model: Folder, or name of a repository.
        dtype: Of the network and the text encoder.

    Raises:
        SpecError: A part is missing, of an unknown library, or unreadable.
    """
    from diffusers import DiffusionPipeline

    # A folder may move between runs only by name; it is found again from anywhere on this machine.
    name = str(Path(model).resolve()) if Path(model).is_dir() else str(model)
    index = dict(DiffusionPipeline.load_config(name))
    parts: dict[str, Part] = {part: _read_part(name, part, index.get(part), dtype=dtype) for part in PARTS}
    if missing := [part for part in PARTS if parts[part] is None and part != "transformer_2"]:
        raise SpecError(f"the pipeline in {model} has no {', '.join(missing)}, which training needs")
    for part in ("vae", "text_encoder"):
        parts[part].requires_grad_(False)
    return PipelineParts(model=name, index=index, **parts)


def _read_part(model: str, part: str, entry: Sequence[str | None] | None, *, dtype: torch.dtype) -> Part:
    library, class_name = entry or (None, None)
    if library is None or class_name is None:
        return None
    if library not in LIBRARIES:
        raise SpecError(f"{part} of {model} is of the library {library!r}; allowed are {', '.join(LIBRARIES)}")
    source = getattr(importlib.import_module(library), class_name, None)
    if source is None:
        raise SpecError(f"{part} of {model} is a {library}.{class_name}, which the installed {library} does not have")
    options = {}
    if part in ("transformer", "transformer_2", "text_encoder", "vae"):
        # An autoencoder loses detail in half precision, and costs little.
        options["torch_dtype" if library == "diffusers" else "dtype"] = torch.float32 if part == "vae" else dtype
    try:
        return source.from_pretrained(model, subfolder=part, **options)
    except (OSError, ValueError) as error:
        raise SpecError(f"{part} of {model} cannot be read: {error}") from error


class PipelineBackbone(Backbone):
    """A backbone whose parts are those of a diffusers pipeline.

    Args:
        shape: The sizes.
        parts: The pipeline's parts. Autoencoder and text encoder are no part of this module.
    """

    text_length: ClassVar[int] = 512
    zero_after_text: ClassVar[bool] = True
    block_list: ClassVar[str] = "blocks"

    def __init__(self, shape: BackboneShape, parts: PipelineParts) -> None:
        super().__init__(shape)
        self.parts = parts
        self.rereads_network = True
        self.transformer: Part = parts.transformer

    @classmethod
    @abstractmethod
    def from_parts(cls, parts: PipelineParts) -> Self:
        """Return the backbone of a pipeline."""

    @classmethod
    def from_pipeline(cls, model: str | Path, *, dtype: torch.dtype = torch.float32) -> Self:
        """Return the model in a folder of diffusers, or of a repository's name.

        Raises:
            SpecError: A part is missing or unreadable, or the model needs what this backbone does not give.
        """
        return cls.from_parts(read_parts(model, dtype=dtype))

    @property
    def network(self) -> nn.Module:
        """The transformer; of two experts the one for high noise, which decides how bodies move."""
        network: nn.Module = self.transformer
        return network

    @property
    def blocks(self) -> Sequence[nn.Module]:
        """Its blocks."""
        return list(getattr(self.transformer, self.block_list))

    def recompute_activations(self) -> None:
        """Keep only what enters each block; see `Backbone.recompute_activations`."""
        self.transformer.enable_gradient_checkpointing()

    @torch.no_grad()
    def encode(self, video: Tensor) -> Tensor:
        """Return the latents of a video: the mode of the autoencoder's distribution, scaled as the model knows it."""
        vae = self._beside_network(self.parts.vae)
        latents: Tensor = vae.encode(video.to(vae.dtype)).latent_dist.mode()
        return self._scaled(latents).to(self.transformer.dtype)

    def decode(self, latents: Tensor) -> Tensor:
        """Return the video of latents; gradients pass."""
        vae = self._beside_network(self.parts.vae)
        video: Tensor = vae.decode(self._unscaled(latents.to(vae.dtype))).sample
        return video

    @abstractmethod
    def _scaled(self, latents: Tensor) -> Tensor:
        """Return the autoencoder's latents as the network takes them."""

    @abstractmethod
    def _unscaled(self, latents: Tensor) -> Tensor:
        """Undo `_scaled`."""

    @torch.no_grad()
    def encode_text(self, prompts: Sequence[str]) -> Tensor:
        """Return `(batch, text_length, text_width)` of prompts."""
        encoder = self._beside_network(self.parts.text_encoder)
        tokens = self.parts.tokenizer(
            [self._cleaned(prompt) for prompt in prompts],
            padding="max_length",
            max_length=self.text_length,
            truncation=True,
            return_tensors="pt",
        )
        ids = tokens.input_ids.to(encoder.device)
        if not self.zero_after_text:
            unmasked: Tensor = encoder(ids).last_hidden_state
            return unmasked.to(self.transformer.dtype)
        mask = tokens.attention_mask.to(encoder.device)
        states: Tensor = encoder(ids, attention_mask=mask).last_hidden_state
        masked: Tensor = states * mask.unsqueeze(-1)
        return masked.to(self.transformer.dtype)

    def _cleaned(self, prompt: str) -> str:
        return prompt

    def _beside_network(self, module: Part) -> Part:
        """Return a module on the network's device."""
        return module.to(self.transformer.device)

    def _config(self) -> dict[str, object]:
        return {"model": self.parts.model}

    @classmethod
    def _create(cls, config: dict[str, object], *, dtype: torch.dtype) -> Self:
        return cls.from_pipeline(str(config["model"]), dtype=dtype)

    def _write_merged(self, folder: Path, state: dict[str, Tensor]) -> None:
        source = self.parts.transformer
        merged = type(source).from_config(self._network_config())
        merged.load_state_dict(state, assign=True)
        merged.save_pretrained(folder / "transformer")
        for part in PARTS[1:]:
            if (module := getattr(self.parts, part)) is not None:
                module.save_pretrained(folder / part)
        (folder / "model_index.json").write_text(json.dumps(self.parts.index, indent=2) + "\n", encoding="utf-8")

    def _network_config(self) -> dict[str, object]:
        return dict(self.parts.transformer.config)
