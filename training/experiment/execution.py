"""Training and judging of all arms: finished work is not done again, and processes share what is left."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from shutil import rmtree
from signal import SIGTERM
from typing import TypeVar, final

import torch

from simfactory.errors import SpecError
from simfactory.runs.files import RECORD_FILE
from training.checkpoints import latest_checkpoint
from training.experiment.chain import ArmChain, PlannedRun, runs_by_depth
from training.experiment.judging import judge, judged_models
from training.experiment.setting import Setting
from training.model import TrainedModel
from training.running import run_training

__all__ = ["RunCost", "read_cost", "run_experiment"]

COST_FILE = "cost.json"
ASKED_EVERY = 30.0  # [s] between requests to stop, once nobody waits any more

Task = TypeVar("Task")
Done = TypeVar("Done")


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class RunCost:
    """What a training run took.

    Attributes:
        steps: Steps.
        windows: Clips seen, counted as often as they were.
        cpu_seconds: CPU time of all its threads [s]; None = it was interrupted, and nobody knows.
        network_parameters: Parameters of the network.
        head_parameters: Those of its heads; 0 without any.
        trains_network: Whether the network was trained.
        trains_heads: Whether heads were.
    """

    steps: int
    windows: int
    cpu_seconds: float | None
    network_parameters: int
    head_parameters: int
    trains_network: bool
    trains_heads: bool


def read_cost(run: PlannedRun) -> RunCost | None:
    """Return what a run took; None if it is not finished."""
    path = run.folder / COST_FILE
    return RunCost(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def run_experiment(
    chains: Sequence[ArmChain], setting: Setting, folder: Path, *, workers: int, tell: Callable[[str], None]
) -> None:
    """Train every run that is not finished, continue what was broken off, and judge the arms' models.

    Args:
        chains: Of all arms and seeds.
        setting: What they share.
        folder: Of the experiment.
        workers: Processes; 1 = this one.
        tell: Takes lines for people.

    Raises:
        SpecError: Data and configurations do not fit.
        StoreError: A dataset cannot be read.
        RunError: Training went wrong.
        SystemExit: A signal asked to stop; there are checkpoints.
    """
    if workers < 1:
        raise SpecError(f"workers={workers}; give 1 or more")
    judged = judged_models(chains, setting, folder)  # first: without test clips there is no use in training
    waves = runs_by_depth(chains)
    total, done = sum(map(len, waves)), 0
    for wave in waves:
        left = [run for run in wave if read_cost(run) is None]
        done += len(wave) - len(left)
        for run in _each(_train, left, workers=workers):
            done += 1
            tell(f"{run.folder.name}: trained ({done} of {total} runs)")
    unjudged = [each for each in judged if not each.is_done]
    for number, each in enumerate(_each(judge, unjudged, workers=workers), start=1):
        tell(f"{each.name}: judged ({number} of {len(unjudged)})")


def _train(run: PlannedRun) -> PlannedRun:
    """Train a run, or what is left of it, and write down what it took."""
    began = time.process_time()
    resume = (run.folder / RECORD_FILE).is_file()
    is_whole = not resume or latest_checkpoint(run.folder) is None
    run_training(run.config, folder=run.folder, resume=resume, tell=lambda line: None)
    steps = run.config.optimizer.steps
    model = TrainedModel.load(run.model)
    cost = RunCost(
        steps=steps,
        windows=steps * run.config.optimizer.batch,
        cpu_seconds=round(time.process_time() - began, 2) if is_whole else None,
        network_parameters=sum(each.numel() for each in model.backbone.parameters()),
        head_parameters=0 if model.heads is None else sum(each.numel() for each in model.heads.parameters()),
        trains_network=run.config.stage != "pretrain",
        trains_heads=run.config.losses.needs_heads,
    )
    part = run.folder / f".{COST_FILE}.part"
    part.write_text(json.dumps(asdict(cost), indent=1) + "\n", encoding="utf-8")
    part.replace(run.folder / COST_FILE)
    rmtree(run.folder / "checkpoints", ignore_errors=True)  # its model is there
    return run


def _each(work: Callable[[Task], Done], tasks: Sequence[Task], *, workers: int) -> Iterator[Done]:
    """Yield the results of tasks in their order: one after the other in this process, or in several others."""
    if workers == 1 or len(tasks) < 2:
        yield from map(work, tasks)
        return
    threads = max(1, (os.cpu_count() or 1) // workers)
    with ProcessPoolExecutor(
        min(workers, len(tasks)), mp_context=get_context("spawn"), initializer=_begin_worker, initargs=(threads,)
    ) as pool:
        futures = [pool.submit(work, task) for task in tasks]
        try:
            for future in futures:
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin_worker(threads: int) -> None:
    torch.set_num_threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ask this process to stop, with a checkpoint, once the one that waits for it is gone."""
    parent = parent_process()
    if parent is None:
        return
    parent.join()
    while True:
        os.kill(os.getpid(), SIGTERM)
        time.sleep(ASKED_EVERY)
