"""Folders of diffusers pipelines with tiny random networks: the real classes, made offline in a second.

python -m training.testing.tiny_pipelines FOLDER writes one folder for each kind.
"""

import argparse
import json
import string
from collections.abc import Sequence
from pathlib import Path

# Any: diffusers' and transformers' classes are imported only when a folder is made.
from typing import Any

import torch

from simfactory.errors import SpecError

__all__ = ["PIPELINE_KINDS", "write_tiny_pipeline"]

PIPELINE_KINDS = ("wan_t2v", "wan_ti2v", "wan_i2v", "wan_two_experts", "cogvideox_t2v", "cogvideox_i2v", "cosmos")
TEXT_WIDTH = 32
LATENT_CHANNELS = 4


def write_tiny_pipeline(kind: str, folder: Path, *, seed: int = 0) -> Path:
    """Write a pipeline's folder and return it.

    Args:
        kind: One of `PIPELINE_KINDS`.
        folder: Made if it is not there.
        seed: Of the weights.

    Raises:
        SpecError: There is no such kind.
    """
    if kind not in PIPELINE_KINDS:
        raise SpecError(f"no tiny pipeline {kind!r}; choose one of {', '.join(PIPELINE_KINDS)}")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if kind.startswith("wan"):
            _write_wan(kind, folder)
        elif kind.startswith("cogvideox"):
            _write_cogvideox(kind, folder)
        else:
            _write_cosmos(folder)
    return folder


# Any: see the import.
def _tokenizer() -> Any:
    """Return a tokenizer of single letters."""
    from transformers import T5Tokenizer

    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    letters = [(letter, -3.0) for letter in string.ascii_lowercase + string.digits + ".,"]
    return T5Tokenizer(vocab=special + letters, extra_ids=0)


def _write_wan(kind: str, folder: Path) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler, WanImageToVideoPipeline, WanPipeline

    is_image = kind == "wan_i2v"
    extra = 4 + LATENT_CHANNELS if is_image else 0
    # Any: diffusers does not type what a pipeline inherits.
    pipeline_class: Any = WanImageToVideoPipeline if is_image else WanPipeline
    pipeline = pipeline_class(
        tokenizer=_tokenizer(),
        text_encoder=_umt5(),
        vae=_wan_autoencoder(small_latents=kind == "wan_ti2v"),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        transformer=_wan_network(extra),
        transformer_2=_wan_network(extra) if kind == "wan_two_experts" else None,
        boundary_ratio=0.875 if kind == "wan_two_experts" else None,
        expand_timesteps=kind == "wan_ti2v",
        **({"image_encoder": None, "image_processor": None} if is_image else {}),
    )
    pipeline.save_pretrained(folder)


# Any: see the import.
def _umt5() -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    return UMT5EncoderModel(UMT5Config(vocab_size=42, d_model=TEXT_WIDTH, d_kv=8, d_ff=32, num_layers=1, num_heads=2))


# Any: see the import.
def _t5() -> Any:
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(T5Config(vocab_size=42, d_model=TEXT_WIDTH, d_kv=8, d_ff=32, num_layers=1, num_heads=2))


# Any: see the import.
def _wan_autoencoder(*, small_latents: bool) -> Any:
    """Return one with strides of 4 frames and 8 pixels; of 16 pixels, as TI2V's, with small latents."""
    from diffusers import AutoencoderKLWan

    special = {"is_residual": True, "patch_size": 2, "in_channels": 12, "out_channels": 12, "decoder_base_dim": 4}
    return AutoencoderKLWan(
        base_dim=4,
        z_dim=LATENT_CHANNELS,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.1, -0.2, 0.0, 0.3],
        latents_std=[0.5, 0.6, 0.7, 0.8],
        scale_factor_temporal=4,
        scale_factor_spatial=16 if small_latents else 8,
        **(special if small_latents else {}),
    )


# Any: see the import.
def _wan_network(extra_channels: int) -> Any:
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=LATENT_CHANNELS + extra_channels,
        out_channels=LATENT_CHANNELS,
        text_dim=TEXT_WIDTH,
        freq_dim=32,
        ffn_dim=64,
        num_layers=4,
        rope_max_seq_len=64,
    )


def _write_cogvideox(kind: str, folder: Path) -> None:
    from diffusers import (
        AutoencoderKLCogVideoX,
        CogVideoXDDIMScheduler,
        CogVideoXImageToVideoPipeline,
        CogVideoXPipeline,
        CogVideoXTransformer3DModel,
    )

    is_image = kind == "cogvideox_i2v"
    network = CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=LATENT_CHANNELS * (2 if is_image else 1),
        out_channels=LATENT_CHANNELS,
        time_embed_dim=16,
        text_embed_dim=TEXT_WIDTH,
        num_layers=4,
        sample_width=4,
        sample_height=4,
        sample_frames=9,
        max_text_seq_length=16,
        use_rotary_positional_embeddings=is_image,
    )
    autoencoder = AutoencoderKLCogVideoX(
        block_out_channels=(8, 8, 8, 8), latent_channels=LATENT_CHANNELS, layers_per_block=1, norm_num_groups=2
    )
    scheduler = CogVideoXDDIMScheduler(
        prediction_type="v_prediction", rescale_betas_zero_snr=True, snr_shift_scale=1.0, timestep_spacing="trailing"
    )
    # Any: diffusers does not type what a pipeline inherits.
    pipeline_class: Any = CogVideoXImageToVideoPipeline if is_image else CogVideoXPipeline
    pipeline = pipeline_class(
        tokenizer=_tokenizer(), text_encoder=_t5(), vae=autoencoder, transformer=network, scheduler=scheduler
    )
    pipeline.save_pretrained(folder)


def _write_cosmos(folder: Path) -> None:
    from diffusers import CosmosTransformer3DModel, FlowMatchEulerDiscreteScheduler, __version__

    network = CosmosTransformer3DModel(
        in_channels=LATENT_CHANNELS + 1,
        out_channels=LATENT_CHANNELS,
        num_attention_heads=2,
        attention_head_dim=18,
        num_layers=4,
        mlp_ratio=2,
        text_embed_dim=TEXT_WIDTH,
        adaln_lora_dim=8,
        max_size=(8, 16, 16),
        extra_pos_embed_type=None,
    )
    parts = {
        "transformer": ("diffusers", network),
        "vae": ("diffusers", _wan_autoencoder(small_latents=False)),
        "scheduler": ("diffusers", FlowMatchEulerDiscreteScheduler()),
        "text_encoder": ("transformers", _t5()),
        "tokenizer": ("transformers", _tokenizer()),
    }
    # The pipeline itself cannot be made without the package of its guard, so its index is written here.
    index: dict[str, object] = {"_class_name": "Cosmos2VideoToWorldPipeline", "_diffusers_version": __version__}
    for name, (library, part) in parts.items():
        part.save_pretrained(folder / name)
        index[name] = [library, type(part).__name__]
    index["safety_checker"] = [None, None]
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one folder for each kind."""
    parser = argparse.ArgumentParser(description="Write tiny random diffusers pipelines, one folder for each kind.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", choices=PIPELINE_KINDS, action="append", help="only this one; may be repeated")
    options = parser.parse_args(arguments)
    for kind in options.kind or PIPELINE_KINDS:
        write_tiny_pipeline(kind, options.folder / kind)


if __name__ == "__main__":
    main()
