"""The service's figures in Prometheus' text format; this process is the only one that tells any."""

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import func, select

from api.control import Control
from api.database import Database
from api.tables import JobRow, ShardRow
from api.telemetry import slot_states
from simfactory.queue import AWAY

__all__ = ["METRICS", "metrics_text"]

# name → (kind, meaning)
METRICS = {
    "sf_clips_total": ("counter", "Clips reported, by backend, status and reason"),
    "sf_frames_total": ("counter", "Frames committed"),
    "sf_env_steps_total": ("counter", "Frames simulated by all environments"),
    "sf_bytes_written_total": ("counter", "Bytes committed"),
    "sf_stage_seconds": ("counter", "CPU-seconds of workers, by stage"),
    "sf_slots": ("gauge", "Environment slots, by state: load, simulate, wait, idle"),
    "sf_queue_shards": ("gauge", "Shards waiting, by queue"),
    "sf_open_shards": ("gauge", "Shards handed out without a result"),
    "sf_jobs": ("gauge", "Jobs, by state"),
    "sf_workers": ("gauge", "Workers that report, by state"),
    "sf_lease_expired_total": ("counter", "Shards taken back from dead workers"),
    "sf_requeued_total": ("counter", "Shards queued again because they were nowhere"),
    "sf_duplicate_commits_total": ("counter", "Clips reported that were known already"),
    "sf_worker_cpu_percent": ("gauge", "Use of the CPU by a worker; 100 = one core"),
    "sf_worker_memory_bytes": ("gauge", "Resident memory of a worker"),
    "sf_gpu_percent": ("gauge", "Use of a worker's GPU, where there is a driver"),
}
Sample = tuple[Mapping[str, str], float]


def metrics_text(database: Database, control: Control) -> str:
    """Return all figures."""
    counts = Counter(dict(control.counts))  # a copy: other threads go on counting
    workers = control.workers()
    with database.reading() as session:
        jobs = session.execute(select(JobRow.state, func.count()).group_by(JobRow.state)).all()
        shards = dict(session.execute(select(ShardRow.queue, func.count()).group_by(ShardRow.queue)).all())
    states: dict[str, int] = {}
    for worker in workers:
        states[worker.state] = states.get(worker.state, 0) + 1
    units = {name.partition(".")[2]: count for name, count in counts.items() if name.startswith("clips_by.")}
    samples: dict[str, Iterable[Sample]] = {
        "sf_clips_total": [
            (dict(zip(("backend", "status", "reason"), key.split("|", 2), strict=True)), n) for key, n in units.items()
        ],
        "sf_frames_total": [({}, counts["frames"])],
        "sf_env_steps_total": [({}, counts["steps"])],
        "sf_bytes_written_total": [({}, counts["bytes"])],
        "sf_stage_seconds": [
            ({"stage": name.partition(".")[2]}, n) for name, n in counts.items() if name.startswith("stage.")
        ],
        "sf_slots": [({"state": state}, n) for state, n in slot_states(workers).items()],
        "sf_queue_shards": [({"queue": name}, count) for name, count in _waiting(control, shards).items()],
        "sf_open_shards": [({}, sum(shards.values()))],
        "sf_jobs": [({"state": state}, n) for state, n in jobs],
        "sf_workers": [({"state": state}, n) for state, n in states.items()],
        "sf_lease_expired_total": [({}, counts["leases_expired"])],
        "sf_requeued_total": [({}, counts["requeued"])],
        "sf_duplicate_commits_total": [({}, counts["known"])],
        "sf_worker_cpu_percent": [({"worker": w.name}, w.cpu_percent) for w in workers if w.cpu_percent is not None],
        "sf_worker_memory_bytes": [({"worker": w.name}, w.memory_bytes) for w in workers if w.memory_bytes is not None],
        "sf_gpu_percent": [({"worker": w.name}, w.gpu["percent"]) for w in workers if w.gpu is not None],
    }
    return "".join(_family(name, samples[name]) for name in METRICS)


def _waiting(control: Control, queues: Iterable[str]) -> dict[str, int]:
    """Return how many shards wait; nothing where the queue's server is away, rather than none."""
    try:
        return control.queue.depth(queues)
    except AWAY:
        return {}


def _family(name: str, samples: Iterable[Sample]) -> str:
    kind, meaning = METRICS[name]
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{inner}}} {value:g}" if inner else f"{name} {value:g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
