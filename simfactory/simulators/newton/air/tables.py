"""The air of every environment as tables on the device."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.air import gusts, plume_flow
from simfactory.simulators.newton.air.kernels import LOG, POWER, Air
from simfactory.spec import Environment, Jet, ProfileLog, ProfilePower, SceneSpec, Vortex

__all__ = ["FLOW_KINDS", "build_air"]

FLOW_KINDS = ("jet", "vortex")

Rows = npt.NDArray[np.float64]


def build_air(specs: Sequence[SceneSpec], *, device: Any) -> Any:  # Any: warp has no type information
    """Return the `Air` of scenes, one world each, at t = 0; its step `dt` [s] is still to be set.

    Gusts, plumes and flows count where there is air.

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

    vectors, pairs, starts = (partial(make, device=device) for make in (_vectors, _pairs, _starts))
    air: Any = Air()  # Any: a warp struct
    air.clock = wp.zeros(len(specs), dtype=wp.int32, device=device)
    air.dt = 0.0
    air.wind, air.profile = vectors([mean]), vectors([_profiles(environments)])
    air.wave_start, air.plume_start = starts(lengths.tolist()), starts([len(group) for group in rises])
    air.wave = vectors([wave.wave for wave in waves])
    air.amplitude = vectors([wave.amplitude for wave in waves])
    phases = [np.stack([rate, wave.phase], axis=-1) for rate, wave in zip(drift, waves, strict=True)]
    air.rate = pairs(np.concatenate([np.zeros((0, 2)), *phases]))
    air.foot = vectors([flow.foot[None] for flow in flat])
    air.up = vectors([flow.up[None] for flow in flat])
    air.strength = pairs(np.array([(flow.strength, flow.below) for flow in flat], np.float64))
    jets = [[flow for flow in environment.flows if isinstance(flow, Jet)] for environment in environments]
    air.jet_start = starts([len(group) for group in jets])
    every = [jet for group in jets for jet in group]
    air.nozzle, air.way = (
        vectors([_row(jet.position) for jet in every]),
        vectors([_unit(jet.direction) for jet in every]),
    )
    air.jet = pairs(np.array([(jet.radius, jet.speed) for jet in every], np.float64))
    turns = [[flow for flow in environment.flows if isinstance(flow, Vortex)] for environment in environments]
    air.vortex_start = starts([len(group) for group in turns])
    whirls = [vortex for group in turns for vortex in group]
    air.heart, air.axis = vectors([_row(one.position) for one in whirls]), vectors([_unit(one.axis) for one in whirls])
    air.vortex = pairs(np.array([(one.radius, one.speed) for one in whirls], np.float64))
    return air


def _vectors(rows: Sequence[Rows], *, device: Any) -> Any:  # Any: warp arrays
    return wp.array(np.concatenate([np.zeros((0, 3)), *rows]).astype(np.float32), dtype=wp.vec3, device=device)


def _pairs(rows: Rows, *, device: Any) -> Any:  # Any: as above
    return wp.array(rows.reshape(-1, 2).astype(np.float32), dtype=wp.vec2, device=device)


def _starts(counts: Sequence[int], *, device: Any) -> Any:  # Any: as above
    return wp.array(np.cumsum([0, *counts]), dtype=wp.int32, device=device)


def _row(vector: tuple[float, float, float]) -> Rows:
    return np.array([vector])


def _unit(vector: tuple[float, float, float]) -> Rows:
    """Return the direction of a vector `(1, 3)`."""
    return np.asarray(np.array([vector]) / np.linalg.norm(vector))


def _profiles(environments: Sequence[Environment]) -> Rows:
    """Return kind, reference height and parameter `(world, 3)` of the winds' profiles; see `Air.profile`."""
    rows = np.zeros((len(environments), 3))
    for row, environment in zip(rows, environments, strict=True):
        match environment.wind.profile:
            case ProfilePower(height=height, exponent=exponent):
                row[:] = POWER, height, exponent
            case ProfileLog(height=height, roughness=roughness):
                row[:] = LOG, height, roughness
    return rows
