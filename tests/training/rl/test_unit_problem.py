"""A problem with a known answer: points in the plane, whose reward is how close they come to a target.

The policy is a small flow model of points around the origin; its samples' best place is TARGET, where the reward is 0.
Everything but the network and the reward is the code that trains video models.
"""

import pytest
import torch
from torch import nn

from training.model.sampling import time_grid
from training.noising import noised, sample_times, velocity_target
from training.rl import Exploration, WeightCopy, advantages, chosen_steps, policy_terms, roll_out, shuffled

TARGET = torch.tensor([1.2, 0.4])
DEVIATION = 0.3  # of the data, around the origin: its mean reward is −(1.2² + 0.4² + 2 · 0.3²) = −1.78
EXPLORATION = Exploration(sampler="exact", noise_level=0.7, reduction="sum")
TIMES = time_grid(6)


def reward(points):
    return -(points - TARGET).square().sum(-1)


class Flow(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 2))

    def forward(self, x, t):
        return self.layers(torch.cat([x, t[:, None]], dim=1))


def pretrained(generator):
    flow = Flow()
    optimizer = torch.optim.Adam(flow.parameters(), 5e-3)
    for _ in range(300):
        clean = DEVIATION * torch.randn(256, 2, generator=generator)
        noise = torch.randn(256, 2, generator=generator)
        t = sample_times(256, generator=generator)
        loss = (flow(noised(clean, noise, t), t) - velocity_target(clean, noise)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return flow


def sampled(flow, count, generator):
    return roll_out(
        flow, torch.randn(count, 2, generator=generator), TIMES, exploration=EXPLORATION, generator=generator
    )


def trained(flow, generator, *, control, prompts=8, group=16):
    reference = WeightCopy(dict(flow.named_parameters()))
    optimizer = torch.optim.Adam(flow.parameters(), 3e-3)
    for _ in range(60):
        rollout = sampled(flow, prompts * group, generator)
        found = advantages(reward(rollout.clean).reshape(prompts, group))
        if control:
            found = shuffled(found, generator)
        for step in chosen_steps(rollout.trainable_count, 0.6, generator):
            place = rollout.states[step], rollout.times[step].expand(prompts * group)
            with reference.in_place(), torch.no_grad():
                wanted = flow(*place)
            terms = policy_terms(
                flow(*place),
                rollout,
                step,
                found.flatten(),
                exploration=EXPLORATION,
                clip=0.2,
                reference_velocity=wanted,
            )
            optimizer.zero_grad()
            (0.05 * terms.divergence - terms.objective).mean().backward()
            optimizer.step()
    return float(reward(sampled(flow, 1024, generator).clean).mean())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_true_rewards_lead_to_the_optimum_and_shuffled_ones_nowhere(seed):
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    start = pretrained(generator)
    before = float(reward(sampled(start, 1024, generator).clean).mean())
    assert before < -1.5
    weights = {name: value.clone() for name, value in start.state_dict().items()}
    assert trained(start, generator, control=False) >= -0.05
    start.load_state_dict(weights)
    assert trained(start, generator, control=True) <= -1.0
