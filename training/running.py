"""A training run from its configuration to its model on disk, begun or continued, in one process or many."""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from simfactory.errors import RunError, SpecError
from simfactory.protocol import DatasetReference
from simfactory.runs import RunLog, read_run
from simfactory.runs.files import RECORD_FILE
from training.checkpoints import State, latest_checkpoint, read_checkpoint, snapshot
from training.config import Config
from training.config_files import config_from_json, config_to_json
from training.data import Source, WindowLoader
from training.dpo import PreferenceObjective
from training.model import ClipFormat, TrainedModel, estimate_memory, training_load
from training.objectives import Objective
from training.preparation import (
    build_loader,
    build_model,
    checked_clip,
    gate_batch,
    open_pair_sources,
    open_sources,
)
from training.rewards import check_rewards
from training.rl.judging import SceneJudge, gate_of
from training.rl.trainer import PolicyTrainer
from training.trainer import Trainer

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["MODEL_FOLDER", "run_training", "stored_config"]

MODEL_FOLDER = "model"


def stored_config(folder: Path) -> Config:
    """Return the configuration of the run in a folder.

    Raises:
        RunError: There is no run.
    """
    if not (folder / RECORD_FILE).is_file():
        raise RunError(f"{folder} holds no run to go on with: leave --resume out to begin one")
    return config_from_json(read_run(folder).config)


def run_training(
    config: Config,
    *,
    folder: Path,
    resume: bool = False,
    tell: Callable[[str], None],
    watch: Callable[[int, float], None] | None = None,
) -> Path:
    """Train, and return the folder of the trained model.

    Everything that can be wrong with data, model and folder is found before the first step.

    Args:
        config: The run.
        folder: Of the run.
        resume: Go on from its last checkpoint, or from the start if it has none.
        tell: Takes lines for people, in the main process.
        watch: Is told each step and its loss, in the main process.

    Raises:
        SpecError: Configuration, data and model do not fit.
        StoreError: A dataset cannot be read, or lacks a modality.
        RunError: The folder holds another run, or training went wrong.
        SystemExit: A signal asked to stop; there is a checkpoint.
    """
    if not resume and (folder / RECORD_FILE).is_file():
        raise RunError(f"{folder} holds a run: go on with it by --resume, or take another folder")
    checkpoint = latest_checkpoint(folder) if resume else None
    state = None if checkpoint is None else read_checkpoint(checkpoint)
    pairs = open_pair_sources(config.data) if config.stage == "dpo" else ()
    sources = tuple(pair.losers for pair in pairs) or open_sources(config.data)
    model = build_model(config)
    clip = checked_clip(config, sources, model)
    accelerator = _accelerator(config)
    main = accelerator.is_main_process
    if main:
        _introduce(config, model, clip, accelerator, tell)
    model.backbone.to(accelerator.device)
    if model.heads is not None:
        model.heads.to(accelerator.device)
    if config.stage == "rl":
        _check_rewards(config, model, tell, begins=state is None)
    rank, world = accelerator.process_index, accelerator.num_processes
    loader = build_loader(config, sources, model, pairs=pairs, rank=rank, world=world)
    accelerator.wait_for_everyone()  # before there is a run.json that the others would find
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(_log(config, folder, sources, state, resume=resume)) if main else None
        trainer = _trainer(config, model, loader, folder=folder, accelerator=accelerator, log=log, say=(tell, watch))
        trainer.train(state)
        with trainer.averaged() if isinstance(trainer, PolicyTrainer) else contextlib.nullcontext():
            _save_model(config, model, clip, trainer, folder / MODEL_FOLDER)
    if main:
        tell(f"model: {folder / MODEL_FOLDER}")
    return folder / MODEL_FOLDER


def _objective(config: Config, model: TrainedModel) -> Objective | PreferenceObjective:
    if config.stage != "dpo":
        return Objective(model, config)
    return PreferenceObjective(model, config)


def _trainer(
    config: Config,
    model: TrainedModel,
    loader: WindowLoader,
    *,
    folder: Path,
    accelerator: "Accelerator",
    log: RunLog | None,
    say: tuple[Callable[[str], None], Callable[[int, float], None] | None],
) -> Trainer | PolicyTrainer:
    """Return what trains in a stage; `say` takes lines for people, and each step."""
    tell, watch = say
    if config.stage == "rl":
        assert log is not None  # it has one process
        return PolicyTrainer(
            model,
            loader,
            config=config,
            folder=folder,
            accelerator=accelerator,
            judge=SceneJudge(config.rl.rewards),
            log=log,
            tell=tell,
            watch=watch,
        )
    main = accelerator.is_main_process
    return Trainer(
        _objective(config, model).to(accelerator.device),
        loader,
        config=config,
        folder=folder,
        accelerator=accelerator,
        log=log,
        watch=watch if main else None,
        warn=tell if main else None,
    )


def _check_rewards(config: Config, model: TrainedModel, tell: Callable[[str], None], *, begins: bool) -> None:
    """Look whether there are such rewards; begin only with those that tell truth, imitation and nonsense apart."""
    SceneJudge(config.rl.rewards)
    if not begins:
        return
    if not config.rl.gate_clips:
        tell("warning: rl.gate_clips=0: nobody has looked whether the reward puts truth before what the model makes")
        return
    device = next(model.backbone.parameters()).device
    report = gate_of(model, gate_batch(config, model).to(device), config.rl, seed=config.seed)
    check_rewards(report)
    tell(f"reward: {report}")


def _accelerator(config: Config) -> "Accelerator":
    from accelerate import Accelerator, DistributedDataParallelKwargs

    # A loss of weight 0 leaves a head's channels without gradients.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    accelerator = Accelerator(
        mixed_precision="bf16" if config.precision == "bfloat16" else "no",
        cpu=config.device == "cpu",
        kwargs_handlers=[unused],
    )
    if config.stage == "rl" and accelerator.num_processes > 1:
        raise SpecError(f"rl runs in one process, and was launched in {accelerator.num_processes}: launch it in one")
    return accelerator


def _introduce(
    config: Config, model: TrainedModel, clip: ClipFormat, accelerator: "Accelerator", tell: Callable[[str], None]
) -> None:
    """Say what is trained, and how much memory that takes."""
    from accelerate.utils import DistributedType

    backbone = model.backbone
    world = accelerator.num_processes
    load = training_load(
        backbone,
        batch_size=config.optimizer.batch,
        frame_count=clip.frame_count,
        size=(clip.height, clip.width),
        recomputes=config.model.recompute,
        shard_count=world if accelerator.distributed_type == DistributedType.FSDP else 1,
    )
    heads = ""
    if model.heads is not None and config.losses.needs_heads:
        heads = f", heads with {sum(value.numel() for value in model.heads.parameters()) / 1e6:.2f} million"
    tell(
        f"{config.stage}: {backbone.kind} with {load.parameter_count / 1e6:.2f} million parameters, "
        f"{load.trainable_count / 1e6:.2f} million trained{heads}, on clips of "
        f"{clip.frame_count} frames, {clip.width}x{clip.height} px; {config.optimizer.batch * world} a step in "
        f"{world} process{'es' * (world > 1)} ({accelerator.device.type})"
    )
    tell(f"memory: {estimate_memory(load)}, besides autoencoder, text encoder and heads")


def _log(config: Config, folder: Path, sources: tuple[Source, ...], state: State | None, *, resume: bool) -> RunLog:
    step = 0 if state is None else int(state["step"])
    return RunLog(
        folder,
        kind="sft" if config.stage == "base" else config.stage,
        config=config_to_json(config),
        datasets=[
            DatasetReference(dataset=source.path, split=",".join(source.query.split), clips=len(opened.dataset))
            for source, opened in zip(config.data.sources, sources, strict=True)
        ],
        steps=config.optimizer.steps,
        resume_at=step if resume else None,
    )


def _save_model(
    config: Config, model: TrainedModel, clip: ClipFormat, trainer: Trainer | PolicyTrainer, folder: Path
) -> None:
    """Write the trained model; whoever reads the folder finds the old one or the new one, whole."""
    from torch.distributed.tensor import DTensor

    accelerator = trainer.accelerator
    if isinstance(trainer, Trainer) and any(isinstance(each, DTensor) for each in trainer.objective.parameters()):
        # Its weights are spread over the processes: they go into a model that is built anew.
        weights = snapshot(*trainer.parts)["weights"]
        if accelerator.is_main_process:
            model = build_model(config)
            fresh = Objective(model, config)
            fresh.load_state_dict(weights, strict=False)  # without what is frozen
    if accelerator.is_main_process:
        part, old = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
        for left in (part, old):
            shutil.rmtree(left, ignore_errors=True)
        TrainedModel(backbone=model.backbone, heads=model.heads, clip=clip).save(part)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    accelerator.wait_for_everyone()
