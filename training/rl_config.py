"""What a run of reinforcement learning is made of besides data, model and optimiser."""

from dataclasses import dataclass, field
from typing import Literal, final

from simfactory.errors import SpecError
from training.sde import SAMPLERS, SamplerName

__all__ = ["REWARD_WEIGHTS", "AdvantageName", "RLConfig"]

AdvantageName = Literal["grpo_group", "grpo_global", "rloo", "value"]
REWARD_WEIGHTS = {
    "chamfer_4d": 1.0,
    "track_offset": 1.0,
    "kinematic": 0.5,
    "conservation": 0.25,
    "background": 0.5,
    "no_motion": 0.5,
}


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class RLConfig:
    """Reinforcement learning; a step is an iteration: `optimizer.batch` prompts are sampled, judged and learned from.

    Attributes:
        group: Samples of a prompt.
        sampler: How clips are sampled: `exact`, `flow_grpo`, `dance` or `cps`.
        noise_level: Of the sampler.
        step_count: Steps of sampling.
        shift: Above 1, more of them are spent at high noise.
        rewards: Weight of each reward by name.
        geometry_time: t at which the heads read a sampled clip.
        advantage: What a sample's reward is compared with: `grpo_group`, `grpo_global`, `rloo` or `value`.
        shuffle_advantages: Give advantages to the wrong samples: a control, which must learn nothing.
        extremes: Train on so many of a group's best and worst samples; none = on all.
        trained_steps: Share of the steps of sampling that are trained on, drawn anew in each iteration.
        clip: ε: how far the ratio of probabilities counts; of the mean log-probability of a dimension.
        kl: Weight of the divergence from the policy that training began with.
        anchor: Weight of the losses of sft on the prompts' own clips; 0 = none.
        updates: Steps of the optimiser in an iteration, each on its share of the samples.
        epochs: How often an iteration's samples are gone through.
        chunk: Samples that are in memory at a time.
        averaging: Share of the averaged weights that a step of the optimiser keeps; 0 = no average. The average is what
            a run leaves.
        gate_clips: Clips on which the reward must put truth > generated > wrong clip before the first iteration, at
            most; 0 = start without that.
        gate_split: The split that they are of, which should be neither trained nor reported on; empty = any.
    """

    group: int = 8
    sampler: SamplerName = "exact"
    noise_level: float = 0.7
    step_count: int = 10
    shift: float = 3.0
    rewards: dict[str, float] = field(default_factory=lambda: dict(REWARD_WEIGHTS))
    geometry_time: float = 0.1
    advantage: AdvantageName = "grpo_group"
    shuffle_advantages: bool = False
    extremes: int | None = None
    trained_steps: float = 0.5
    clip: float = 1e-4
    kl: float = 0.04
    anchor: float = 0.0
    updates: int = 2
    epochs: int = 1
    chunk: int = 8
    averaging: float = 0.9
    gate_clips: int = 16
    gate_split: str = "val"

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise SpecError(f"rl.sampler={self.sampler!r}; choose one of {', '.join(SAMPLERS)}")
        if self.group < 2 or self.step_count < 2 or min(self.updates, self.epochs, self.chunk) < 1:
            raise SpecError(
                f"rl.group={self.group}, step_count={self.step_count}, updates={self.updates}, epochs={self.epochs}, "
                f"chunk={self.chunk}; give 2 or more samples and steps, for the last step has no probability, and 1 or "
                "more of the others"
            )
        if not self.noise_level > 0.0 or (self.sampler == "cps" and self.noise_level > 1.0):
            raise SpecError(
                f"rl.noise_level={self.noise_level}: without noise nothing is tried; give a positive one, of cps at "
                "most 1"
            )
        if self.extremes is not None and not 1 <= self.extremes <= self.group // 2:
            raise SpecError(f"rl.extremes={self.extremes} of {self.group} samples; give 1 … {self.group // 2}")
        if not 0.0 < self.trained_steps <= 1.0 or not 0.0 <= self.averaging < 1.0:
            raise SpecError(
                f"rl.trained_steps={self.trained_steps}, averaging={self.averaging}; a share of steps lies in (0, 1], "
                "one that is kept in [0, 1)"
            )
        if not self.clip > 0.0 or self.kl < 0.0 or self.anchor < 0.0 or not 0.0 < self.geometry_time <= 1.0:
            raise SpecError(
                f"rl.clip={self.clip}, kl={self.kl}, anchor={self.anchor}, geometry_time={self.geometry_time}; give a "
                "positive clip, weights of 0 or more, and 0 < t ≤ 1"
            )
        if self.gate_clips < 0:
            raise SpecError(f"rl.gate_clips={self.gate_clips}; give 8 or more clips, or 0 to start without the gate")
        if not any(self.rewards.values()):
            raise SpecError("rl.rewards are all 0: nothing would be learned; give one a weight")
