"""The runs that a plan asks for: one for each different chain of stages, so that arms share what is common to them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from training.config import Config
from training.config_files import config_to_json, read_config
from training.data import ClipQuery, TimeOrder, open_source
from training.experiment.plan import Arm, ArmStage, DataName, Plan
from training.experiment.setting import Setting
from training.running import MODEL_FOLDER

__all__ = ["TRAIN", "ArmChain", "PlannedRun", "arm_chains", "runs_by_depth"]

TRAIN = "train"


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRun:
    """A training run.

    Attributes:
        folder: Of the run; its name says stage, seed, and by a digest everything that the weights follow from.
        config: What is trained, and how.
        depth: Runs before it in its chain.
    """

    folder: Path
    config: Config
    depth: int

    @property
    def model(self) -> Path:
        """Folder of the trained model."""
        return self.folder / MODEL_FOLDER


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class ArmChain:
    """The runs of an arm with one seed.

    Attributes:
        arm: The arm.
        seed: The seed.
        runs: In order; the last one's model is the arm's.
    """

    arm: Arm
    seed: int
    runs: tuple[PlannedRun, ...]

    @property
    def model(self) -> Path:
        """Folder of the arm's model."""
        return self.runs[-1].model


def arm_chains(plan: Plan, setting: Setting, folder: Path) -> tuple[ArmChain, ...]:
    """Return the chain of each arm and seed; what chains have in common is the same run.

    Args:
        plan: The arms.
        setting: What they share.
        folder: Of the experiment; runs lie in its `runs`.

    Raises:
        SpecError: A configuration is none.
        StoreError: A dataset is not there, or has no clips for training.
    """
    clips = {name: _clip_digest(path) for name, path in setting.data.items()}
    return tuple(
        ArmChain(arm=arm, seed=seed, runs=_runs(arm, seed, setting, clips, folder / "runs"))
        for seed in setting.seeds
        for arm in plan.arms
    )


def runs_by_depth(chains: Sequence[ArmChain]) -> tuple[tuple[PlannedRun, ...], ...]:
    """Return all different runs: those that begin with nothing, then those that begin with these, and so on."""
    runs = {run.folder: run for chain in chains for run in chain.runs}
    depths = range(1 + max(run.depth for run in runs.values()))
    return tuple(tuple(run for run in runs.values() if run.depth == depth) for depth in depths)


def _runs(arm: Arm, seed: int, setting: Setting, clips: Mapping[DataName, str], folder: Path) -> tuple[PlannedRun, ...]:
    runs: list[PlannedRun] = []
    digest = ""
    for depth, stage in enumerate(arm.stages):
        config = _config(stage, seed, setting)
        digest = _digest(config, f"{clips[stage.data]} {_orders(stage, setting)}", digest)
        if runs:
            config = replace(config, model=replace(config.model, start=str(runs[-1].model)))
        name = f"{stage.stage}-{'-'.join(stage.parts)}-seed{seed}-{digest[:10]}"
        runs.append(PlannedRun(folder=folder / name, config=config, depth=depth))
    return tuple(runs)


def _config(stage: ArmStage, seed: int, setting: Setting) -> Config:
    source = {"path": setting.data[stage.data], "query": {"split": [TRAIN]}}
    # Any: JSON.
    told: dict[str, Any] = {
        "data.sources": [{**source, "order": order} for order in _orders(stage, setting)],
        "optimizer.steps": setting.steps.of(stage.parts),
        "log.picture_every": 0,
        "log.checkpoints_kept": 1,
        "seed": seed,
        "model.seed": seed,
    }
    if "tune" in stage.parts:
        told["optimizer.rate"] = setting.tune_rate
    return read_config(stage.stage, preset=setting.preset, changes=[told, setting.changes, stage.changes])


def _orders(stage: ArmStage, setting: Setting) -> tuple[TimeOrder, ...]:
    return setting.poor_orders if stage.data == "poor" else ("forward",)


def _digest(config: Config, clips: str, before: str) -> str:
    """Name a run by its configuration, its clips wherever they lie, and the runs before it."""
    told = {name: value for name, value in config_to_json(config).items() if name != "log"}
    del told["data"]["sources"]
    return hashlib.sha256(json.dumps([before, clips, told], sort_keys=True).encode()).hexdigest()


def _clip_digest(path: str) -> str:
    ids = open_source(path, query=ClipQuery(split=(TRAIN,))).dataset.ids
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
