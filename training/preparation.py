"""What a run is made of, from its configuration: model, sources, windows; each check before the first step."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import final

import torch
import torch.utils.data
from torch import Tensor

from simfactory.errors import SpecError, StoreError
from training.config import Config, DataConfig, SourceConfig
from training.data import (
    TIERS,
    Batch,
    CachedWindows,
    Curriculum,
    Framing,
    Sample,
    Source,
    Stage,
    TimeOrder,
    TimeOrders,
    WindowDataset,
    WindowKey,
    WindowLoader,
    Windows,
    WindowSampler,
    check_sources,
    collate,
    open_source,
)
from training.dpo import PairDataset, Pairs, open_pairs
from training.model import TINY_SIZES, AdapterConfig, Backbone, ClipFormat, GeometryHeads, TinyBackbone, TrainedModel
from training.objectives import alignment_block
from training.rewards import NEEDED_OUTPUTS
from training.targets import needed_outputs

__all__ = ["build_loader", "build_model", "checked_clip", "gate_batch", "open_pair_sources", "open_sources"]


def open_sources(config: DataConfig) -> tuple[Source, ...]:
    """Open the datasets of a configuration.

    Raises:
        SpecError: There is none.
        StoreError: One is not there, or has no clip that its query wants.
    """
    if not config.sources:
        raise SpecError("there is no dataset to train on: give --data FOLDER, or data.sources in a configuration")
    return tuple(
        open_source(
            source.path,
            query=source.query,
            name=_source_name(source),
            weight=source.weight,
            may_lack=source.may_lack,
        )
        for source in config.sources
    )


def open_pair_sources(config: DataConfig) -> tuple[Pairs, ...]:
    """Open the datasets of a configuration as pairs of intact and broken physics.

    Raises:
        SpecError: There is none.
        StoreError: One is not there, has no pair that its query wants, or a pair does not fit together.
    """
    if not config.sources:
        raise SpecError("there is no dataset of pairs: give --data FOLDER, or data.sources in a configuration")
    return tuple(open_pairs(each.path, query=each.query, weight=each.weight) for each in config.sources)


def _source_name(source: SourceConfig) -> str:
    """Name a source so that the same dataset in another order of time is another one."""
    return source.path if source.order == "forward" else f"{source.path} ({source.order})"


def build_model(config: Config) -> TrainedModel:
    """Return the model that training begins with, frozen where its stage does not train it.

    Raises:
        SpecError: There is no such model, or what it is does not fit the stage or the adapter that is asked for.
    """
    start = config.model.start
    dtype = torch.bfloat16 if config.model.weights == "bfloat16" else torch.float32
    if start in TINY_SIZES:
        if config.stage in ("pretrain", "dpo", "rl") or config.model.lora_rank:
            raise SpecError(
                f"model.start={start} is a new model, which knows nothing yet: train all its weights first, by "
                "`simfactory-train sft --stage base` with model.lora_rank=0, and give the folder of its model"
            )
        model = TrainedModel(backbone=TinyBackbone(replace(TINY_SIZES[start], seed=config.model.seed)))
    else:
        model = TrainedModel.load(start, dtype=dtype)
    if config.stage == "rl" and model.heads is None:
        raise SpecError(f"{start} has no heads, so nobody can say what its samples are worth: run pretrain first")
    if config.stage == "pretrain":
        model.backbone.freeze()
    else:
        _unfreeze(model.backbone, config)
    if config.model.recompute:
        model.backbone.recompute_activations()
    if config.losses.needs_heads and model.heads is None:
        model = replace(model, heads=GeometryHeads(model.backbone.shape, config.heads))
    return model


def _unfreeze(backbone: Backbone, config: Config) -> None:
    """Let gradients reach what the configuration trains: an adapter, or all weights."""
    wanted, there = config.model.lora_rank, backbone.adapter
    if there is not None and there.rank != wanted:
        raise SpecError(
            f"{config.model.start} comes with an adapter of rank {there.rank}, and model.lora_rank={wanted}: set that "
            "rank to go on with it"
        )
    if there is None and wanted:
        backbone.add_adapter(
            AdapterConfig(
                rank=wanted,
                alpha=config.model.lora_alpha,
                targets=config.model.lora_targets,
                seed=config.model.seed,
            )
        )
    elif there is None:
        backbone.freeze()
        backbone.network.requires_grad_(True)


def checked_clip(config: Config, sources: Sequence[Source], model: TrainedModel) -> ClipFormat:
    """Return the clips that are trained on, after a look at whether data, losses and model fit.

    Raises:
        SpecError: Sizes or frame rates differ, no clip is long enough, the model does not take such clips, or it has
            no block that is to be aligned.
        StoreError: A modality is missing.
    """
    grid = model.backbone.shape.grid
    windows, framing = _windows(config, grid.temporal_stride), Framing(size=config.data.size)
    outputs = _outputs(config)
    check_sources(sources, windows=windows, outputs=outputs, framing=framing, mixed_fps=config.data.mixed_fps)
    table = sources[0].dataset.table
    height, width = framing.output(table["height"][0].as_py(), table["width"][0].as_py())
    _check_tokens(model.backbone, config.data.frames, height, width)
    if config.losses.pixel or config.losses.semantic:
        count = model.backbone.shape.block_count
        block = alignment_block(count, config.losses.alignment_block)
        if not 0 <= block < count:
            raise SpecError(f"losses.alignment_block={block}: the model has blocks 0 … {count - 1}")
    return ClipFormat(frame_count=config.data.frames, height=height, width=width, fps=table["fps"][0].as_py())


def _check_tokens(backbone: Backbone, frame_count: int, height: int, width: int) -> None:
    """Refuse clips that cannot be cut into latents, or, but for the embedded model, into whole tokens."""
    grid = backbone.shape.grid
    grid.latent_shape(frame_count, height, width)
    rows, columns = grid.pixels_per_token
    if not isinstance(backbone, TinyBackbone) and (height % rows or width % columns):
        raise SpecError(
            f"frames of {height}×{width} px; this model takes multiples of {rows}×{columns} px: set data.size to one, "
            "no larger than the clips"
        )


def build_loader(
    config: Config,
    sources: Sequence[Source],
    model: TrainedModel,
    *,
    pairs: Sequence[Pairs] = (),
    rank: int = 0,
    world: int = 1,
) -> WindowLoader:
    """Return the loader of one process.

    Args:
        config: Data, batch, seed.
        sources: What `open_sources` returned.
        model: Encodes windows for the cache.
        pairs: What `open_pair_sources` returned, in stage dpo; the sources are their losers.
        rank: Number of this process.
        world: Number of processes.

    Raises:
        SpecError: There are too few windows for a step, or weights or tiers do not fit the clips.
    """
    data = config.data
    windows, framing = _windows(config, model.backbone.shape.grid.temporal_stride), Framing(size=data.size)
    orders: dict[str, TimeOrder] = {_source_name(each): each.order for each in data.sources if each.order != "forward"}
    decoded = WindowDataset(
        sources,
        windows=windows,
        outputs=_outputs(config),
        framing=framing,
        track_limit=data.track_limit,
        transform=TimeOrders(by_source=orders) if orders else None,
    )
    dataset: torch.utils.data.Dataset[Sample] = decoded
    if pairs:
        dataset = PairDataset(pairs, windows=windows, framing=framing)
    elif data.cache is not None:
        dataset = CachedWindows(
            decoded,
            folder=data.cache,
            codec=WindowCodec(model.backbone),
            digest=_codec_digest(config, model.backbone),
            max_bytes=data.cache_bytes,
        )
    sampler = WindowSampler(
        sources,
        windows=windows,
        framing=framing,
        batch_size=config.optimizer.batch,
        seed=config.seed,
        rank=rank,
        world=world,
        curriculum=_curriculum(data),
    )
    on_gpu = config.device == "auto" and torch.cuda.is_available()
    return WindowLoader(dataset, sampler, workers=0 if data.cache else data.workers, pin_memory=on_gpu)


def gate_batch(config: Config, model: TrainedModel) -> Batch:
    """Return the first windows of different clips of the split on which rewards are tried before a run of stage rl.

    Raises:
        SpecError: No dataset has clips of this split.
    """
    split, wanted = config.rl.gate_split, config.rl.gate_clips
    windows, framing = _windows(config, model.backbone.shape.grid.temporal_stride), Framing(size=config.data.size)
    samples: list[Sample] = []
    for each in config.data.sources:
        try:
            source = open_source(each.path, query=replace(each.query, split=(split,) if split else ()))
        except StoreError as error:
            raise SpecError(
                f"the reward is tried on clips of split {split!r} first, and {each.path} has none ({error}): generate "
                "some, choose another split by rl.gate_split, or start without by rl.gate_clips=0"
            ) from error
        dataset = WindowDataset(
            [source], windows=windows, outputs=NEEDED_OUTPUTS, framing=framing, track_limit=config.data.track_limit
        )
        keys = [WindowKey(source=0, clip_id=clip, start=0) for clip in source.dataset.ids]
        samples += [dataset[key] for key in keys[: wanted - len(samples)]]
    return collate(samples)


def _outputs(config: Config) -> tuple[str, ...]:
    """Return what windows of a stage hold."""
    needed = needed_outputs(config.losses)
    return tuple(dict.fromkeys([*NEEDED_OUTPUTS, *needed])) if config.stage == "rl" else needed


@final
class WindowCodec:
    """Keeps a window's latents, first frame and text beside its tensors.

    Args:
        backbone: Encodes.
    """

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone

    @torch.no_grad()
    def __call__(self, sample: Sample) -> Mapping[str, Tensor]:
        """Return the tensors of a sample that are kept."""
        video = sample["rgb"].transpose(0, 1)[None].to(next(self._backbone.parameters()))
        first_frame = self._backbone.encode_first_frame(video[:, :, 0], frame_count=video.shape[2])
        return {
            **sample.tensors,
            "latents": self._backbone.encode(video)[0],
            "first_frame": first_frame[0],
            "text": self._backbone.encode_text([sample.caption])[0],
        }


def _codec_digest(config: Config, backbone: Backbone) -> str:
    """Name what encodes: the model that training begins with, and the type of its weights."""
    start = config.model.start
    told = (backbone.kind, str(Path(start).resolve()) if Path(start).exists() else start, config.model.weights)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _windows(config: Config, stride: int) -> Windows:
    data = config.data
    return Windows(length=data.frames, stride=data.stride, starts=data.starts, latent_stride=stride)


def _curriculum(data: DataConfig) -> Curriculum | None:
    if data.curriculum == "uniform":
        return None
    if data.curriculum == "tiers":
        return Curriculum.by_tier(windows=data.curriculum_windows)
    return Curriculum(stages=[Stage(windows=1, weights=dict.fromkeys(TIERS, 1.0))])
