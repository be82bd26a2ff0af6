"""What happens in one iteration: prompts are sampled, and their samples become what is learned from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, final

import torch
from torch import Tensor

from training.data import Batch
from training.model import Backbone, time_grid
from training.objectives import Encoded
from training.rl.advantages import RunningBaseline, advantages, best_and_worst, groups_with_spread, shuffled
from training.rl.reading import SampledScenes
from training.rl.rollout import Exploration, Rollout, roll_out
from training.rl_config import RLConfig

__all__ = ["Judge", "Judgement", "Lesson", "exploration_of", "lesson_of", "sampled", "seeded"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What samples are worth.

    Attributes:
        total: What is learned from `(prompt, sample)`.
        parts: Each reward as it is, before it is weighed `(prompt, sample)`, by name.
        measures: Further numbers of the iteration by name; among them `moved_area`, the area that moves beside the
            true one, and `empty_sets`, the share of samples in which nothing moves.
    """

    total: Tensor
    parts: Mapping[str, Tensor]
    measures: Mapping[str, float]


class Judge(Protocol):
    """Judges samples beside the clips that their prompts begin."""

    def __call__(self, scenes: SampledScenes, batch: Batch, *, group: int) -> Judgement:
        """Return what samples are worth.

        Args:
            scenes: `group` samples of the first prompt, then of the next one, and so on.
            batch: The prompts' own clips.
            group: Samples of a prompt.
        """


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Lesson:
    """What is learned from in an iteration.

    Attributes:
        advantage: Of each sample `(sample,)`.
        samples: Places of those that are trained on; none where no group has a spread.
        dropped: Share of groups without a spread.
    """

    advantage: Tensor
    samples: Tensor
    dropped: float


def seeded(*parts: object, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a generator that follows from what is given alone, such as seed, iteration and purpose."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def exploration_of(config: RLConfig) -> Exploration:
    """Return how the policy of a configuration tries things; log-probabilities are means over dimensions."""
    return Exploration(sampler=config.sampler, noise_level=config.noise_level)


def sampled(
    backbone: Backbone, given: Encoded, config: RLConfig, *, noise: Tensor, generator: torch.Generator
) -> Rollout:
    """Return a rollout of each prompt for each of its samples, prompt by prompt.

    Args:
        backbone: The policy.
        given: The samples' prompts: first frame and text of each sample.
        config: How.
        noise: What they begin with `(sample, channel, time, height, width)`.
        generator: Of the steps' noise, on the device of `noise`.
    """
    times = time_grid(config.step_count, shift=config.shift)
    parts = []
    for places in torch.arange(len(noise)).split(config.chunk):
        first_frame, text = given.first_frame[places], given.text[places]

        def velocity(x: Tensor, t: Tensor, first_frame: Tensor = first_frame, text: Tensor = text) -> Tensor:
            found: Tensor = backbone(x, t, first_frame=first_frame, text=text)
            return found

        exploration = exploration_of(config)
        parts.append(roll_out(velocity, noise[places], times, exploration=exploration, generator=generator))
    return Rollout(
        times=times,
        states=torch.cat([part.states for part in parts], dim=1),
        log_probabilities=torch.cat([part.log_probabilities for part in parts], dim=1),
    )


def lesson_of(
    total: Tensor, config: RLConfig, *, prompts: tuple[str, ...], baseline: RunningBaseline, generator: torch.Generator
) -> Lesson:
    """Return advantages, and which samples are trained on.

    Groups without a spread are left out, and of the others all but the best and worst, if so configured. The baseline
    takes in the iteration afterwards.

    Args:
        total: Rewards `(prompt, sample)`.
        config: How.
        prompts: Names of the prompts, for the baseline.
        baseline: For advantages by value.
        generator: Of the shuffling of a control arm, on the CPU.
    """
    expected = baseline.expected(prompts).to(total) if config.advantage == "value" else None
    found = advantages(total, kind=config.advantage, baseline=expected)
    baseline.update(prompts, total)
    if config.shuffle_advantages:
        found = shuffled(found, generator)
    kept = groups_with_spread(total)
    count, group = total.shape
    places = torch.arange(group, device=total.device).expand(count, group)
    if config.extremes is not None:
        places = best_and_worst(total, config.extremes)
    places = places + torch.arange(count, device=total.device)[:, None] * group
    return Lesson(advantage=found.flatten(), samples=places[kept].flatten(), dropped=1.0 - float(kept.float().mean()))
