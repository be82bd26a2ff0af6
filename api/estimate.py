"""What a job would take: time, bytes and GPUs, by what clips cost here or by the shipped calibration table."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from api.planner import Part, Plan
from api.tables import RateRow
from simfactory.annotations import annotations
from simfactory.protocol import MAX_INT, Estimate, EstimatePart

__all__ = ["FRAMES_MIN", "Calibration", "calibration", "estimate"]

FRAMES_MIN = 1000  # recorded here, of a category, before its own rate is believed
WEEK = 7 * 24.0  # [h]
HOUR = 3600.0  # [s]


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """The shipped table; each number's source is in `calibration.toml`.

    Attributes:
        seconds: Category → CPU time: `simulate` of a simulated second [s], `frame` of a frame [s], and `megapixel` of
            a million pixels in draft [s].
        presets: Preset → factor on `megapixel`.
        bytes: Category → signal → stored size of a frame of `side` squared pixels, draft, portable [B].
        growth: Signal → power of a frame's pixels with which its size grows [1]; others do not.
        rgb: Preset → factor on the size of `rgb`, which is noisier where light is sampled.
        profiles: Profile → factor on sizes.
        clip: Stored size of a clip beside its frames [B].
        side: See `bytes` [px].
        gpu: Seconds of video that one GPU makes in an hour: an aim, see `Estimate`.
    """

    seconds: Mapping[str, Mapping[str, float]]
    presets: Mapping[str, float]
    bytes: Mapping[str, Mapping[str, float]]
    growth: Mapping[str, float]
    rgb: Mapping[str, float]
    profiles: Mapping[str, float]
    clip: float
    side: int
    gpu: float


@cache
def calibration() -> Calibration:
    """Return the shipped table."""
    table = tomllib.loads(files("api").joinpath("calibration.toml").read_text("utf-8"))
    return Calibration(**{name: _frozen(value) for name, value in table.items()})


def _frozen(value: Any) -> Any:  # Any: tables and numbers of TOML
    if isinstance(value, dict):
        return MappingProxyType({name: _frozen(entry) for name, entry in value.items()})
    return value


def estimate(plan: Plan, rates: Sequence[RateRow], *, workers: int) -> Estimate:
    """Return what a plan would take; see `Estimate` for what the numbers mean.

    Episodes that end early or are replaced are not foreseen: what is shipped counts every frame once, what was measured
    here holds the time that refused episodes took.

    Args:
        plan: The job.
        rates: What clips cost here: sums by backend, preset, category and device.
        workers: CPU workers at hand, each on a core.
    """
    groups: dict[str, list[Part]] = {}
    for part in plan.parts:
        groups.setdefault(part.category, []).append(part)
    own = _Rates(plan, rates)
    parts = [_part(category, group, plan, own) for category, group in groups.items()]
    seconds = math.fsum(part.seconds for part in parts)
    gpu = [own.of(category, "gpu") for category in groups]
    on_gpu = all(rate is not None for rate in gpu)
    if on_gpu:
        pixels = [sum(part.pixels for part in group) for group in groups.values()]
        gpu_seconds = math.fsum(rate.seconds * count for rate, count in zip(gpu, pixels, strict=True) if rate)
    else:
        gpu_seconds = math.fsum(part.footage for part in plan.parts) / calibration().gpu * HOUR
    return Estimate(
        clips=_count(sum(part.clips for part in parts)),
        episodes=_count(sum(part.episodes for part in parts)),
        frames=_count(sum(part.frames for part in parts)),
        bytes=_count(sum(part.bytes for part in parts)),
        cpu_hours=seconds / HOUR,
        gpu_hours=gpu_seconds / HOUR,
        workers=workers,
        eta_seconds=seconds / workers if workers else None,
        gpus_for_a_week=_count(gpu_seconds / HOUR / WEEK),
        basis="measured" if all(own.of(category, "cpu") for category in groups) else "shipped",
        gpu_basis="measured" if on_gpu else "assumed",
        parts=parts,
    )


def _count(value: float) -> int:
    """Return a count that JSON can tell, whatever was asked for."""
    return min(math.ceil(value), MAX_INT)


@dataclass(frozen=True, slots=True)
class _Rate:
    """What a pixel costs: seconds of a worker [s] and bytes [B]."""

    seconds: float
    bytes: float


class _Rates:
    """Rates that were measured here, of what a plan asks for."""

    def __init__(self, plan: Plan, rates: Sequence[RateRow]) -> None:
        request = plan.request
        sums: dict[tuple[str, str], list[float]] = {}
        for row in rates:
            if (row.backend, row.preset) == (request.backend, request.preset):
                device = "cpu" if row.device == "cpu" else "gpu"
                counted = sums.setdefault((row.category, device), [0.0, 0.0, 0.0, 0.0])
                for number, value in enumerate((row.frames, row.pixels, row.seconds, row.bytes)):
                    counted[number] += value
        self._rates = {
            key: _Rate(seconds / pixels, size / pixels)
            for key, (frames, pixels, seconds, size) in sums.items()
            if frames >= FRAMES_MIN and pixels > 0
        }

    def of(self, category: str, device: str) -> _Rate | None:
        """Return the rate of a category on CPUs or GPUs, None where too little was measured."""
        return self._rates.get((category, device))


def _part(category: str, parts: Sequence[Part], plan: Plan, own: _Rates) -> EstimatePart:
    frames, pixels = sum(part.frames for part in parts), sum(part.pixels for part in parts)
    rate = own.of(category, "cpu")
    if rate is None:
        size = math.fsum(_shipped_bytes(part, plan) for part in parts)
        seconds = math.fsum(_shipped_seconds(part, plan.request.preset) for part in parts)
    else:
        size, seconds = rate.bytes * pixels, rate.seconds * pixels
    return EstimatePart(
        category=category,
        episodes=_count(sum(part.episodes for part in parts)),
        clips=_count(sum(part.clips for part in parts)),
        frames=_count(frames),
        bytes=_count(size),
        seconds=seconds,
    )


def _shipped_seconds(part: Part, preset: str) -> float:
    """Return the time of a part on one CPU worker [s]; what is not listed counts as the dearest that is."""
    table = calibration()
    cost = table.seconds.get(part.category) or {
        name: max(row[name] for row in table.seconds.values()) for name in ("simulate", "frame", "megapixel")
    }
    factor = table.presets.get(preset, max(table.presets.values()))
    drawn = part.pixels * 1e-6 * factor * cost["megapixel"]
    return part.simulated * cost["simulate"] + part.frames * cost["frame"] + drawn


def _shipped_bytes(part: Part, plan: Plan) -> float:
    """Return the stored size of a part [B]."""
    table = calibration()
    sizes = table.bytes.get(part.category) or max(table.bytes.values(), key=lambda row: math.fsum(row.values()))
    wanted = {annotation.name for annotation in annotations(part.modalities)}
    larger = part.pixels / max(part.frames, 1) / table.side**2
    frame = math.fsum(
        size
        * larger ** table.growth.get(name, 0.0)
        * (table.rgb.get(plan.request.preset, max(table.rgb.values())) if name == "rgb" else 1.0)
        for name, size in sizes.items()
        if name in wanted
    )
    return (part.frames * frame + part.clips * table.clip) * table.profiles[plan.request.profile or "portable"]
