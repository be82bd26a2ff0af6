"""The service's figures over the last hour, sampled as they are: rates, slots, queue, machines, disk."""

import hashlib
import shutil
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from api.settings import Settings
from simfactory.protocol import Worker
from simfactory.telemetry import Telemetry, TelemetrySample

__all__ = ["SAMPLE_SECONDS", "SLOT_STATES", "Flow", "History", "slot_states"]

SAMPLE_SECONDS = 2.0
KEPT_SECONDS = 3600.0
RATE_SECONDS = 60.0  # over which rates are averaged: episodes end in bursts
DISK_SECONDS = 600.0  # likewise, for when the disk will be full
SLOT_STATES = ("load", "simulate", "wait", "idle")
BODIES_KEPT = 8
Body = tuple[str, bytes]  # ETag and JSON


class Flow(NamedTuple):
    """What has gone through since the service started."""

    clips: float
    frames: float
    steps: float
    bytes: float

    @classmethod
    def of(cls, counts: Mapping[str, float]) -> "Flow":
        """Return it by the control plane's counters."""
        committed = [count for name, count in counts.items() if _is_committed(name)]
        return cls(sum(committed), counts.get("frames", 0), counts.get("steps", 0), counts.get("bytes", 0))


class History:
    """Samples of the last hour, in memory; any thread may ask.

    Args:
        settings: Where the datasets are, and what shall stay free there.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        kept = int(KEPT_SECONDS / SAMPLE_SECONDS)
        self._samples: deque[TelemetrySample] = deque(maxlen=kept)
        self._flows: deque[tuple[float, Flow]] = deque(maxlen=int(DISK_SECONDS / SAMPLE_SECONDS) + 1)
        self._bodies: dict[int, tuple[float, Body]] = {}

    @property
    def newest(self) -> TelemetrySample | None:
        """The newest sample; None before the first."""
        with self._lock:
            return self._samples[-1] if self._samples else None

    def observe(
        self,
        counts: Mapping[str, float],
        workers: Sequence[Worker] | None,
        *,
        waiting: int | None,
        out: int,
        jobs: int,
        now: float | None = None,
    ) -> TelemetrySample:
        """Take a sample.

        Args:
            counts: The control plane's counters.
            workers: Workers that report; None while the queue's server is away.
            waiting: Shards that wait for a worker; None likewise.
            out: Shards handed out without a result.
            jobs: Jobs that run.
            now: The time, if not now [s].
        """
        at, flow = time.time() if now is None else now, Flow.of(counts)
        self._flows.append((at, flow))
        rate, slow = self._rate(at, RATE_SECONDS), self._rate(at, DISK_SECONDS)
        free = self._free()
        sample = TelemetrySample(
            at=round(at, 3),
            clips_per_hour=None if rate is None else round(3600.0 * rate.clips, 1),
            frames_per_second=None if rate is None else round(rate.frames, 2),
            steps_per_second=None if rate is None else round(rate.steps, 2),
            bytes_per_second=None if rate is None else round(rate.bytes),
            queue_shards=waiting,
            open_shards=out,
            jobs_running=jobs,
            disk_free=free,
            disk_seconds=_seconds_left(free, self._settings.disk_reserve, slow),
        ).model_copy(update=_machines(workers))
        with self._lock:
            self._samples.append(sample)
        return sample

    def told(self, points: int) -> Telemetry:
        """Return the hour as arrays of at most so many points, each the mean of its stretch of time."""
        with self._lock:
            samples = list(self._samples)
        step = max(SAMPLE_SECONDS, KEPT_SECONDS / points)
        stretches: dict[int, list[TelemetrySample]] = {}
        for sample in samples:
            stretches.setdefault(int(sample.at // step), []).append(sample)
        rows = [_mean(stretch) for stretch in stretches.values()]
        names = sorted({name for row in rows for name in row})
        return Telemetry(
            at=[round(stretch[-1].at, 1) for stretch in stretches.values()],
            series={name: [row.get(name) for row in rows] for name in names},
            step=step,
        )

    def body(self, points: int) -> Body:
        """Return the same as JSON with its ETag; made once for each sample, whoever asks."""
        newest = self.newest
        at = 0.0 if newest is None else newest.at
        with self._lock:
            kept = self._bodies.get(points)
        if kept is None or kept[0] != at:
            text = self.told(points).model_dump_json().encode()
            kept = at, (f'"{hashlib.sha256(text).hexdigest()[:24]}"', text)
            with self._lock:
                if len(self._bodies) >= BODIES_KEPT:
                    self._bodies.clear()
                self._bodies[points] = kept
        return kept[1]

    def _rate(self, at: float, seconds: float) -> Flow | None:
        """Return what goes through a second; None before there are two samples."""
        first = next((each for each in self._flows if at - each[0] <= seconds + 0.5 * SAMPLE_SECONDS), None)
        if first is None or at - first[0] < 0.5 * SAMPLE_SECONDS:
            return None
        now = self._flows[-1][1]
        return Flow(*((new - old) / (at - first[0]) for new, old in zip(now, first[1], strict=True)))

    def _free(self) -> int | None:
        """Return the free bytes of the datasets' disk; None for an object store, or one that is not there yet."""
        if not isinstance(self._settings.data, Path):
            return None
        try:
            return shutil.disk_usage(self._settings.data).free
        except OSError:
            return None


def slot_states(workers: Sequence[Worker]) -> dict[str, int]:
    """Return how many environment slots are in which state."""
    counts = Counter(dict.fromkeys(SLOT_STATES, 0))
    for worker in workers:
        used = worker.slots[: worker.environments]
        counts.update(slot.stage if slot.stage in SLOT_STATES else "simulate" for slot in used)
        counts["idle"] += worker.environments - len(used)
    return dict(counts)


def _machines(workers: Sequence[Worker] | None) -> dict[str, object]:
    """Return what workers tell of themselves, summed; what none of them tells is absent, never zero."""
    if workers is None:
        return {"workers": None}
    cpu = [worker.cpu_percent for worker in workers if worker.cpu_percent is not None]
    memory = [worker.memory_bytes for worker in workers if worker.memory_bytes is not None]
    # Workers of one machine tell of the same GPU.
    gpus = {(worker.host, worker.device): worker.gpu for worker in workers if worker.gpu is not None}
    found = {name: [gpu[name] for gpu in gpus.values() if name in gpu] for name in ("percent", "memory_bytes")}
    return {
        "workers": len(workers),
        "slots": slot_states(workers),
        "cpu_percent": round(sum(cpu), 1) if cpu else None,
        "memory_bytes": sum(memory) if memory else None,
        "gpu_percent": round(sum(found["percent"]) / len(found["percent"]), 1) if found["percent"] else None,
        "gpu_memory_bytes": round(sum(found["memory_bytes"])) if found["memory_bytes"] else None,
    }


def _seconds_left(free: int | None, reserve: int, rate: Flow | None) -> float | None:
    """Return when the disk will be full at the present rate [s]; None if it will not, or nobody knows."""
    if free is None or rate is None or rate.bytes <= 0.0:
        return None
    return round(max(free - reserve, 0) / rate.bytes, 1)


def _mean(samples: Sequence[TelemetrySample]) -> dict[str, float]:
    """Return the means of the figures of some samples, of those that have them."""
    values: dict[str, list[float]] = {}
    for sample in samples:
        flat = sample.model_dump(exclude={"at", "slots"}, exclude_none=True)
        flat |= {f"slots_{state}": count for state, count in sample.slots.items()}
        for name, value in flat.items():
            values.setdefault(name, []).append(value)
    return {name: round(sum(found) / len(found), 2) for name, found in values.items()}


def _is_committed(name: str) -> bool:
    return name.startswith("clips_by.") and name.split("|")[1:2] == ["committed"]
