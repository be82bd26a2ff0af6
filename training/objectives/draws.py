"""Random draws of a training step: they follow from the seed, the step and the clip's place in it alone."""

import hashlib
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from training.config import NoiseConfig
from training.noising import sample_times

__all__ = ["Draws", "draw"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Draws:
    """The chance of a step.

    Attributes:
        noise: ε, standard normal, of the shape of the latents, on the CPU.
        times: t `(batch,)` in the window, on the CPU.
        gives_first_frame: Whether the first frame is given, in all clips of the step alike.
        keeps_text: `(batch,)` bool: whose caption is kept.
    """

    noise: Tensor
    times: Tensor
    gives_first_frame: bool
    keeps_text: tuple[bool, ...]


def draw(shape: tuple[int, ...], *, config: NoiseConfig, seed: int, step: int, rank: int = 0, world: int = 1) -> Draws:
    """Return the draws of a step.

    Clip i of process r is number i · world + r of the step, as the sampler deals clips out: the same clip gets the same
    draws whatever the number of processes.

    Args:
        shape: Of the latents `(batch, channel, time, height, width)`.
        config: Window of times, and shares.
        seed: Of the run.
        step: Number of the step.
        rank: Number of this process.
        world: Number of processes.
    """
    generators = [_generator(seed, step, place * world + rank) for place in range(shape[0])]
    times = [
        sample_times(1, lowest=config.lowest, shift=config.shift, power=config.power, generator=generator)
        for generator in generators
    ]
    keeps = tuple(bool(torch.rand(1, generator=generator) >= config.text_dropout) for generator in generators)
    shared = torch.rand(1, generator=_generator(seed, step, -1))
    return Draws(
        noise=torch.stack([torch.randn(shape[1:], generator=generator) for generator in generators]),
        times=torch.cat(times),
        gives_first_frame=bool(shared < config.first_frame),
        keeps_text=keeps,
    )


def _generator(seed: int, step: int, place: int) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}/{step}/{place}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
