"""The loop of reinforcement learning: sample, judge, learn, write down; checkpoints, and when to stop."""

import math
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, final

import torch
from torch import Tensor, nn

from simfactory.errors import RunError
from simfactory.runs import RunLog
from training.checkpoints import State, random_state, restore, set_random_state, snapshot, write_checkpoint
from training.config import Config
from training.data import Batch, WindowLoader
from training.model import TrainedModel
from training.objectives import Encoded, Objective, draw, encoded
from training.rl.advantages import RunningBaseline
from training.rl.alarms import Alarms
from training.rl.copies import WeightCopy
from training.rl.iteration import Judge, Judgement, Lesson, exploration_of, lesson_of, sampled, seeded
from training.rl.policy import chosen_steps, policy_terms
from training.rl.reading import SampledScenes, read_scenes
from training.rl.rollout import Rollout
from training.stopping import stop_requests
from training.trainer import rate_factor

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["PolicyTrainer"]


@final
class PolicyTrainer:
    """Trains a video model as a policy, in one process; its heads stay as they are.

    The reference is the policy as it was when the run began: with its adapter switched off if the adapter is new, else
    with a copy of the trained weights in their place. It is also what reads the geometry of samples, so that a reward
    cannot be won by changing the features that the heads read.

    Args:
        model: Backbone and heads; the backbone's trained parameters change in place.
        loader: The prompts.
        config: Of stage `rl`.
        folder: Of the run.
        accelerator: Device and precision.
        judge: Says what samples are worth.
        log: The run's log.
        tell: Takes warnings.
        watch: Is told each iteration and its mean reward.
    """

    def __init__(
        self,
        model: TrainedModel,
        loader: WindowLoader,
        *,
        config: Config,
        folder: Path,
        accelerator: "Accelerator",
        judge: Judge,
        log: RunLog,
        tell: Callable[[str], None],
        watch: Callable[[int, float], None] | None = None,
    ) -> None:
        self.model, self.loader, self.config, self.folder = model, loader, config, folder
        self.accelerator, self.judge, self.log = accelerator, judge, log
        self.tell, self.watch = tell, watch
        self.step = 0
        assert model.heads is not None  # looked at before the run
        model.heads.requires_grad_(False).eval()
        model.backbone.eval()  # nothing is dropped, so that probabilities are those that were sampled with
        trained = model.backbone.trainable
        self._parameters: list[nn.Parameter] = list(trained.values())
        options = config.optimizer
        self._optimizer = torch.optim.AdamW(self._parameters, lr=options.rate, weight_decay=options.weight_decay)
        self._start = None if model.backbone.has_new_adapter else WeightCopy(trained)
        self._average = WeightCopy(trained) if config.rl.averaging else None
        self._objective = Objective(model, config) if config.rl.anchor else None
        self._baseline, self._alarms = RunningBaseline(), Alarms()
        self._sums: dict[str, float] = {}

    def train(self, resume: State | None = None) -> None:
        """Take the iterations that are left.

        Args:
            resume: A checkpoint to go on from; None = from the first iteration.

        Raises:
            RunError: A sample, reward, loss or gradient is not finite.
            SystemExit: A signal asked to stop; there is a checkpoint. Its code is 128 + the signal's number.
        """
        if resume is not None:
            self._restore(resume)
        batches = self._batches()
        try:
            with stop_requests() as request:
                while self.step < self.config.optimizer.steps:
                    self._iterate(next(batches))
                    if request.number:
                        self._save()
                        raise SystemExit(128 + request.number)
        finally:
            batches.close()

    def reference(self) -> AbstractContextManager[None]:
        """Return a context in which the model is the policy that training began with."""
        return self.model.backbone.without_adapter() if self._start is None else self._start.in_place()

    def averaged(self) -> AbstractContextManager[None]:
        """Return a context in which the model has the average of its weights, if there is one."""
        return nullcontext() if self._average is None else self._average.in_place()

    def _batches(self) -> Generator[Batch]:
        while True:
            yield from self.loader

    def _iterate(self, batch: Batch) -> None:
        number, options = self.step + 1, self.config.rl
        batch = batch.to(self.accelerator.device, non_blocking=True)
        began = time.monotonic()
        with self.accelerator.autocast():
            given = encoded(self.model.backbone, batch, [True] * len(batch))
        rollout, prompts = self._sample(given, number)
        if not bool(torch.isfinite(rollout.clean).all()):
            self._fail(number, batch, "samples are")
        seen = time.monotonic()
        judgement = self.judge(self._read(rollout, prompts, number), batch, group=options.group)
        if not bool(torch.isfinite(judgement.total).all()):
            self._fail(number, batch, "rewards are")
        judged = time.monotonic()
        lesson = lesson_of(
            judgement.total.to(self.accelerator.device),
            options,
            prompts=batch.clip_ids,
            baseline=self._baseline,
            generator=seeded(self.config.seed, number, "shuffling"),
        )
        values = self._learn(rollout, prompts, lesson, batch, number)
        ended = time.monotonic()
        self.step = number
        values |= self._rewards(judgement, lesson)
        values |= {
            "seconds/sampling": seen - began,
            "seconds/reward": judged - seen,
            "seconds/update": ended - judged,
            "samples_per_second": len(batch) * options.group / (ended - began),
        }
        self._raise_alarms(values)
        if self.watch is not None:
            self.watch(number, values["reward"])
        self._write(values)
        if number % self.config.log.checkpoint_every == 0 or number == self.config.optimizer.steps:
            self._save()

    def _sample(self, given: Encoded, number: int) -> tuple[Rollout, Encoded]:
        """Return a group of samples of each prompt, and the prompt of each sample."""
        group, seed, device = self.config.rl.group, self.config.seed, self.accelerator.device
        repeated = Encoded(
            latents=given.latents.repeat_interleave(group, dim=0),
            first_frame=given.first_frame.repeat_interleave(group, dim=0),
            text=given.text.repeat_interleave(group, dim=0),
        )
        noise = torch.randn(repeated.latents.shape, generator=seeded(seed, number, "noise")).to(repeated.latents)
        with self.accelerator.autocast():
            rollout = sampled(
                self.model.backbone,
                repeated,
                self.config.rl,
                noise=noise,
                generator=seeded(seed, number, "steps", device=device),
            )
        return rollout, repeated

    def _read(self, rollout: Rollout, prompts: Encoded, number: int) -> SampledScenes:
        """Return samples as the reference sees them."""
        with self.reference(), self.accelerator.autocast():
            parts = [
                read_scenes(
                    self.model,
                    rollout.clean[places],
                    prompts.first_frame[places],
                    time=self.config.rl.geometry_time,
                    generator=seeded(self.config.seed, number, "reading"),
                )
                for places in torch.arange(len(rollout.clean)).split(self.config.rl.chunk)
            ]
        return SampledScenes.joined(parts)

    def _learn(self, rollout: Rollout, prompts: Encoded, lesson: Lesson, batch: Batch, number: int) -> dict[str, float]:
        """Train on the samples that are kept, and return what was seen."""
        options, draws = self.config.rl, seeded(self.config.seed, number, "update")
        steps = chosen_steps(rollout.trainable_count, options.trained_steps, draws)
        factor = rate_factor(number, self.config.optimizer)
        for group in self._optimizer.param_groups:
            group["lr"] = factor * self.config.optimizer.rate
        told: list[dict[str, float]] = []
        for _ in range(options.epochs):
            order = torch.randperm(len(lesson.samples), generator=draws).to(lesson.samples.device)
            parts = order.chunk(options.updates) if len(order) else ()
            told += [
                self._update(rollout, prompts, lesson, (steps, lesson.samples[part]), batch, number) for part in parts
            ]
        names = ("objective", "clip_fraction", "divergence", "ratio_deviation", "gradient_norm")
        return {name: sum(each[name] for each in told) / max(len(told), 1) for name in names} | {
            "rate": factor * self.config.optimizer.rate,
            **({"anchor": sum(each["anchor"] for each in told) / len(told)} if told and options.anchor else {}),
        }

    def _update(
        self,
        rollout: Rollout,
        prompts: Encoded,
        lesson: Lesson,
        part: tuple[tuple[int, ...], Tensor],
        batch: Batch,
        number: int,
    ) -> dict[str, float]:
        """Take one step of the optimiser."""
        steps, samples = part
        total = len(samples) * len(steps)
        sums = dict.fromkeys(("objective", "clip_fraction", "divergence", "ratio_deviation", "anchor"), 0.0)
        self._optimizer.zero_grad(set_to_none=True)
        for places in samples.split(self.config.rl.chunk):
            few, advantage = rollout.chosen(places), lesson.advantage[places]
            prompt = Encoded(
                latents=prompts.latents[places], first_frame=prompts.first_frame[places], text=prompts.text[places]
            )
            for step in steps:
                loss = self._step_loss(few, step, advantage, prompt, sums) / total
                if not math.isfinite(float(loss.detach())):
                    self._fail(number, batch, "the policy's loss is")
                self.accelerator.backward(loss)
        if self._objective is not None:
            anchor = self._anchor(self._objective, batch, number)
            sums["anchor"] = float(anchor.detach()) * total
            self.accelerator.backward(self.config.rl.anchor * anchor)
        norm = float(nn.utils.clip_grad_norm_(self._parameters, self.config.optimizer.clip))
        if not math.isfinite(norm):
            self._fail(number, batch, "gradients are")
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        if self._average is not None:
            self._average.follow(self.config.rl.averaging)
        return {name: value / total for name, value in sums.items()} | {"gradient_norm": norm}

    def _step_loss(
        self, rollout: Rollout, step: int, advantage: Tensor, prompt: Encoded, sums: dict[str, float]
    ) -> Tensor:
        """Return the sum over samples of what one step of sampling costs."""
        backbone, options = self.model.backbone, self.config.rl
        x, t = rollout.states[step], rollout.times[step].expand(len(advantage)).to(advantage.device)
        # The reference first: no graph of the policy may live while the weights are others.
        with self.accelerator.autocast():
            with self.reference(), torch.no_grad():
                reference: Tensor = backbone(x, t, first_frame=prompt.first_frame, text=prompt.text)
            velocity: Tensor = backbone(x, t, first_frame=prompt.first_frame, text=prompt.text)
        terms = policy_terms(
            velocity,
            rollout,
            step,
            advantage,
            exploration=exploration_of(options),
            clip=options.clip,
            reference_velocity=reference,
        )
        sums["objective"] += float(terms.objective.detach().sum())
        sums["clip_fraction"] += float(terms.clipped.sum())
        sums["divergence"] += float(terms.divergence.detach().sum())
        sums["ratio_deviation"] += float((terms.ratio - 1.0).abs().sum())
        return (options.kl * terms.divergence - terms.objective).sum()

    def _anchor(self, objective: Objective, batch: Batch, number: int) -> Tensor:
        """Return the losses of sft on the prompts' own clips."""
        backbone = self.model.backbone
        shape, (frames, _, height, width) = backbone.shape, batch["rgb"].shape[1:]
        draws = draw(
            (len(batch), shape.latent_channels, *shape.grid.latent_shape(frames, height, width)),
            config=self.config.noise,
            seed=self.config.seed,
            step=number,
        )
        with self.accelerator.autocast():
            result = objective(batch, encoded(backbone, batch, draws.keeps_text), draws)
        found: Tensor = result.total
        return found

    def _rewards(self, judgement: Judgement, lesson: Lesson) -> dict[str, float]:
        weights = self.config.rl.rewards
        weighed = torch.stack([weights[name] * value for name, value in judgement.parts.items()]).sum(dim=0)
        return {
            "reward": float(weighed.mean()),
            "spread": float(weighed.std(dim=1, correction=0).mean()),
            "dropped_groups": lesson.dropped,
            **{f"reward/{name}": float(value.mean()) for name, value in judgement.parts.items()},
            **judgement.measures,
        }

    def _raise_alarms(self, values: dict[str, float]) -> None:
        raised = self._alarms.look(values)
        for words in self._alarms.news(raised):
            self.tell(f"warning: iteration {self.step}: {words}")
        values |= {f"alarm/{name}": float(name in raised) for name in ("spread", "divergence", "moved_area")}

    def _fail(self, number: int, batch: Batch, what: str) -> NoReturn:
        raise RunError(
            f"iteration {number}: {what} not finite; prompts are clips {', '.join(batch.clip_ids)} from frames "
            f"{', '.join(map(str, batch.starts))}. Go on from the last checkpoint by --resume with a lower "
            "optimizer.rate, or look at these clips with `simfactory verify`"
        )

    def _write(self, values: dict[str, float]) -> None:
        """Add values up, and write their means down when it is time."""
        for name, value in {**values, "iterations": 1.0}.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        if self.step % self.config.log.metrics_every and self.step != self.config.optimizer.steps:
            self.log.beat(self.step)
            return
        count = self._sums.pop("iterations")
        self.log.write(self.step, {name: total / count for name, total in self._sums.items()})
        self._sums = {}

    def _save(self) -> None:
        state = {
            **snapshot(self.model.backbone, self._optimizer),
            "loader": self.loader.state_dict(),
            "random": random_state(),
            "average": None if self._average is None else self._average.state_dict(),
            "baseline": self._baseline.state_dict(),
            "alarms": self._alarms.state_dict(),
        }
        write_checkpoint(self.folder, self.step, state, kept=self.config.log.checkpoints_kept)

    def _restore(self, state: State) -> None:
        restore(self.model.backbone, self._optimizer, state)
        self.loader.load_state_dict(state["loader"])
        set_random_state(state["random"])
        if self._average is not None and state["average"] is not None:
            self._average.load_state_dict(state["average"])
        self._baseline.load_state_dict(state["baseline"])
        self._alarms.load_state_dict(state["alarms"])
        self.step = state["step"]
