"""The training loop: steps, what is written down, checkpoints, and when to stop."""

import math
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, final

import torch
from torch import nn

from simfactory.errors import RunError
from simfactory.runs import RunLog
from training.checkpoints import State, random_state, restore, set_random_state, snapshot, write_checkpoint
from training.config import Config, OptimizerConfig
from training.data import Batch, WindowLoader
from training.dpo import PreferenceObjective, alarms
from training.objectives import Objective, StepResult, draw, encoded
from training.pictures import prediction_picture
from training.stopping import StopRequest, stop_requests

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["Trainer", "rate_factor"]


@final
class Trainer:
    """Trains an objective on a loader's batches, in as many processes as accelerate was launched with.

    Args:
        objective: What is minimised; its trained parameters change in place.
        loader: The batches of this process.
        config: Steps, rates, what is written down.
        folder: Of the run.
        accelerator: Process, device and precision.
        log: The run's log, in the main process.
        watch: Is told each step and its loss.
        warn: Takes a line on each alarm that is raised.
    """

    def __init__(
        self,
        objective: Objective | PreferenceObjective,
        loader: WindowLoader,
        *,
        config: Config,
        folder: Path,
        accelerator: "Accelerator",
        log: RunLog | None,
        watch: Callable[[int, float], None] | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self.objective = objective
        self.loader = loader
        self.config = config
        self.folder = folder
        self.accelerator = accelerator
        self.log = log
        self.watch = watch
        self.warn = warn
        self.step = 0
        options = config.optimizer
        groups = [
            {"params": parameters, "lr": rate, "full_rate": rate}
            for parameters, rate in (
                (objective.network_parameters, options.rate),
                (objective.other_parameters, options.heads_rate),
            )
            if parameters
        ]
        self._optimizer: torch.optim.Optimizer
        self._module: nn.Module
        optimizer = torch.optim.AdamW(groups, weight_decay=options.weight_decay)
        self._module, self._optimizer = accelerator.prepare(objective, optimizer)
        self._sums: dict[str, float] = {}
        self._since = time.monotonic()
        self._board: SummaryWriter | None = None

    def train(self, resume: State | None = None) -> None:
        """Take the steps that are left.

        Args:
            resume: A checkpoint to go on from; None = from the first step.

        Raises:
            RunError: A loss or gradient is not finite; the weights are those of the step before.
            SystemExit: A signal asked to stop; there is a checkpoint. Its code is 128 + the signal's number.
        """
        if resume is not None:
            self._restore(resume)
        if self.log is not None:
            from torch.utils.tensorboard import SummaryWriter

            # What an earlier process wrote of later steps is void.
            self._board = SummaryWriter(str(self.folder / "tensorboard"), purge_step=self.step + 1)
        self._module.train()
        batches = self._batches()
        try:
            with stop_requests() as request:
                while self.step < self.config.optimizer.steps:
                    if stopped := self._take_step(next(batches), request):
                        self._save()
                        raise SystemExit(128 + stopped)
        finally:
            batches.close()
            if self._board is not None:
                self._board.close()

    @property
    def parts(self) -> tuple[nn.Module, torch.optim.Optimizer]:
        """Module and optimiser as accelerate prepared them."""
        return self._module, self._optimizer

    def _batches(self) -> Generator[Batch]:
        while True:
            yield from self.loader

    def _take_step(self, batch: Batch, request: StopRequest) -> int:
        """Train on a batch; return the number of a signal that asked any process to stop, 0 without one."""
        config, number = self.config, self.step + 1
        batch = batch.to(self.accelerator.device, non_blocking=True)
        result = self._result(batch, number)
        values, stopped = self._shared(result, request)
        wrong = [name for name, value in values.items() if not math.isfinite(value)]
        if wrong:
            self._fail(number, batch, wrong, result)
        self.accelerator.backward(result.total)
        norm = self.accelerator.clip_grad_norm_(self._module.parameters(), config.optimizer.clip)
        if norm is not None and not math.isfinite(float(norm)):
            self._fail(number, batch, ["gradient_norm"], result)
        factor = rate_factor(number, config.optimizer)
        for group in self._optimizer.param_groups:
            group["lr"] = group["full_rate"] * factor
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self.step = number
        if self.watch is not None:
            self.watch(number, values["loss/total"])
        self._write({**values, "gradient_norm": float(norm or 0.0)}, factor)
        if config.log.picture_every and number % config.log.picture_every == 0 and self.log is not None:
            self._draw(batch, result)
        if number % config.log.checkpoint_every == 0 or number == config.optimizer.steps:
            self._save()
        return stopped

    def _result(self, batch: Batch, number: int) -> StepResult:
        """Return what the batch of a step costs."""
        objective, sampler = self.objective, self.loader.sampler
        shape = objective.backbone.shape
        frames, _, height, width = batch["rgb"].shape[1:]
        draws = draw(
            (len(batch), shape.latent_channels, *shape.grid.latent_shape(frames, height, width)),
            config=self.config.noise,
            seed=self.config.seed,
            step=number,
            rank=sampler.rank,
            world=sampler.world,
        )
        with self.accelerator.autocast():
            given = encoded(objective.backbone, batch, draws.keeps_text)
        result: StepResult = self._module(batch, given, draws)
        return result

    def _shared(self, result: StepResult, request: StopRequest) -> tuple[dict[str, float], int]:
        """Return each loss as the mean over processes, and the largest number of a signal in one of them."""
        parts = (result.total.detach(), *result.losses.values(), *result.figures.values())
        told = torch.stack([value.float() for value in parts])
        signals = torch.tensor(float(request.number), device=told.device)
        if self.accelerator.num_processes > 1:
            told = self.accelerator.reduce(told, "mean")
            signals = self.accelerator.gather(signals).max()
        names = ["loss/total", *(f"loss/{name}" for name in result.losses), *result.figures]
        return dict(zip(names, told.tolist(), strict=True)), int(signals)

    def _fail(self, number: int, batch: Batch, wrong: list[str], result: StepResult) -> None:
        terms = ", ".join(f"{name} {float(value):g}" for name, value in result.losses.items())
        raise RunError(
            f"step {number}: {', '.join(wrong)} not finite; clips {', '.join(batch.clip_ids)} from frames "
            f"{', '.join(map(str, batch.starts))}; terms {terms}. The weights are those of step {number - 1}: lower "
            "optimizer.rate, or look at these clips with `simfactory verify`"
        )

    def _write(self, values: dict[str, float], factor: float) -> None:
        """Add values up, and write their means down when it is time."""
        if self.log is None:
            return
        for name, value in {**values, "steps": 1.0}.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        if self.step % self.config.log.metrics_every and self.step != self.config.optimizer.steps:
            self.log.beat(self.step)
            return
        count, now = self._sums.pop("steps"), time.monotonic()
        told = {name: total / count for name, total in self._sums.items()}
        told["rate"] = factor * self.config.optimizer.rate
        told["seconds_per_step"] = (now - self._since) / count
        self._sums, self._since = {}, now
        if self.config.stage == "dpo":
            for name, (raised, words) in alarms(told, step=self.step, config=self.config.dpo).items():
                told[name] = raised
                if raised and self.warn is not None:
                    self.warn(f"warning: step {self.step}: {words}")
        self.log.write(self.step, told)
        assert self._board is not None
        for name, value in told.items():
            self._board.add_scalar(name, value, self.step)

    def _draw(self, batch: Batch, result: StepResult) -> None:
        assert self.log is not None
        png = prediction_picture(self.objective.backbone, batch, result)
        self.log.picture("prediction", self.step, png, caption=f"{batch.clip_ids[0]} from frame {batch.starts[0]}")

    def _save(self) -> None:
        state = snapshot(self._module, self._optimizer)
        if self.accelerator.is_main_process:
            whole = {**state, "loader": self.loader.state_dict(), "random": random_state()}
            write_checkpoint(self.folder, self.step, whole, kept=self.config.log.checkpoints_kept)
        self.accelerator.wait_for_everyone()

    def _restore(self, state: State) -> None:
        restore(self._module, self._optimizer, state)
        self.loader.load_state_dict(state["loader"])
        set_random_state(state["random"])
        self.step = state["step"]


def rate_factor(step: int, options: OptimizerConfig) -> float:
    """Return what the learning rate of a step is multiplied with.

    Args:
        step: From 1.
        options: Warm-up, in a straight line; then constant, or a cosine to a tenth at the last step.
    """
    if step <= options.warm_up:
        return step / options.warm_up
    if options.decay == "constant":
        return 1.0
    share = (step - options.warm_up) / max(options.steps - options.warm_up, 1)
    return 0.1 + 0.9 * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))
