"""The air of every environment as tables on the device."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.air import gusts, plume_flow
from simfactory.simulators.newton.air.kernels import Air
from simfactory.spec import SceneSpec

__all__ = ["build_air"]


def build_air(specs: Sequence[SceneSpec], *, device: Any) -> Any:  # Any: warp has no type information
    """Return the `Air` of scenes, one world each, at t = 0; its step `dt` [s] is still to be set.

    Gusts and plumes count where there is air.

    Args:
        specs: The scenes.
        device: Where the tables are to lie.
    """
    environments = [spec.environment for spec in specs]
    airy = [environment.air_density > 0.0 for environment in environments]
    waves = [gusts(environment.wind) for environment, there in zip(environments, airy, strict=True) if there]
    mean = np.array([environment.wind.velocity for environment in environments])
    lengths = np.zeros(len(specs), np.int64)
    lengths[airy] = [len(wave.rate) for wave in waves]
    drift = [wave.rate - wave.wave @ mean[world] for wave, world in zip(waves, np.flatnonzero(airy), strict=True)]
    rises = [[plume_flow(plume, environment) for plume in environment.plumes] for environment in environments]
    flat = [flow for group in rises for flow in group]

    def vectors(rows: list[npt.NDArray[np.float64]]) -> Any:  # Any: a warp array
        return wp.array(np.concatenate([np.zeros((0, 3)), *rows]).astype(np.float32), dtype=wp.vec3, device=device)

    def pairs(rows: npt.NDArray[np.float64]) -> Any:  # Any: a warp array
        return wp.array(rows.reshape(-1, 2).astype(np.float32), dtype=wp.vec2, device=device)

    def starts(counts: Sequence[int]) -> Any:  # Any: a warp array
        return wp.array(np.cumsum([0, *counts]), dtype=wp.int32, device=device)

    air: Any = Air()  # Any: a warp struct
    air.clock = wp.zeros(len(specs), dtype=wp.int32, device=device)
    air.dt = 0.0
    air.wind = vectors([mean])
    air.wave_start, air.plume_start = starts(lengths.tolist()), starts([len(group) for group in rises])
    air.wave = vectors([wave.wave for wave in waves])
    air.amplitude = vectors([wave.amplitude for wave in waves])
    phases = [np.stack([rate, wave.phase], axis=-1) for rate, wave in zip(drift, waves, strict=True)]
    air.rate = pairs(np.concatenate([np.zeros((0, 2)), *phases]))
    air.foot = vectors([flow.foot[None] for flow in flat])
    air.up = vectors([flow.up[None] for flow in flat])
    air.strength = pairs(np.array([(flow.strength, flow.below) for flow in flat], np.float64))
    return air
