"""The judge of a run: rewards of what the reference's heads read, and the gate that they must pass before the start."""

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from training.data import Batch
from training.model import TrainedModel
from training.objectives import encoded
from training.rewards import GateReport, Scene4D, TotalReward, Truth4D, gate_report, truth_of
from training.rl.iteration import Judgement, sampled, seeded
from training.rl.reading import SampledScenes, read_scenes
from training.rl_config import RLConfig

__all__ = ["SceneJudge", "gate_of"]

STIRRED = 0.1  # [m/s]: faster pixels count as moved area


@final
class SceneJudge:
    """Judges samples by a weighed sum of rewards beside the simulator's truth.

    Args:
        weights: Of the rewards by name.

    Raises:
        SpecError: There is no reward of a name, or a weight is none.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.reward = TotalReward(weights)

    def __call__(self, scenes: SampledScenes, batch: Batch, *, group: int) -> Judgement:
        """Return what samples are worth; see `training.rl.iteration.Judge`."""
        truth = truth_of(batch).repeated(group)
        predicted = Scene4D.read(scenes.geometry)
        judged = self.reward(predicted, truth)
        shape = (len(batch), group)
        area = _moved(predicted.scene_flow(truth), truth)
        true_area = float(_moved(truth.scene_flow.nan_to_num(0.0), truth).mean())
        return Judgement(
            total=judged.total.reshape(shape),
            parts={name: values.reshape(shape) for name, values in judged.parts.items()},
            measures={
                # Where nothing is to move, nothing can come to rest.
                "moved_area": float(area.mean()) / true_area if true_area > 0.0 else 1.0,
                "empty_sets": float((area == 0.0).float().mean()),
            },
        )


@torch.no_grad()
def gate_of(model: TrainedModel, batch: Batch, config: RLConfig, *, seed: int) -> GateReport:
    """Return what the rewards say of true clips, of what a policy makes of their first frames, and of wrong clips.

    All three are read by the policy's heads, as its samples will be.

    Args:
        model: The policy, whose heads read.
        batch: Different clips, with `training.rewards.NEEDED_OUTPUTS`.
        config: How it samples, and how it is judged.
        seed: Of noise and bootstrap.
    """
    given = encoded(model.backbone, batch, [True] * len(batch))
    noise = torch.randn(given.latents.shape, generator=seeded(seed, "gate", "noise")).to(given.latents)
    steps = seeded(seed, "gate", "steps", device=noise.device)
    rollout = sampled(model.backbone, given, config, noise=noise, generator=steps)

    def read(latents: Tensor) -> Scene4D:
        reading = seeded(seed, "gate", "reading")
        scenes = read_scenes(model, latents, given.first_frame, time=config.geometry_time, generator=reading)
        return Scene4D.read(scenes.geometry)

    reward, own = TotalReward(config.rewards), read(given.latents)
    return gate_report(read(rollout.clean), truth_of(batch), reward, read=own, seed=seed)


def _moved(scene_flow: Tensor, truth: Truth4D) -> Tensor:
    """Return the share of pixels whose points move, where the truth hits something, `(sample,)`."""
    speed = torch.linalg.vector_norm(scene_flow, dim=2) * truth.fps[:, None, None, None]
    moved = (speed > STIRRED) & torch.isfinite(truth.depth[:, :-1])
    share: Tensor = moved.flatten(1).float().mean(dim=1)
    return share
