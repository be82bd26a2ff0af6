"""A service that has seen much: many jobs, clips and workers, none of which has to be made."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import insert

from api.database import Database
from api.ledger import add_clips
from api.tables import JobRow
from simfactory.queue import ShardQueue, connect

__all__ = ["crowd_clips", "crowd_jobs", "pretending_workers"]

BEAT_SECONDS = 2.0
MODALITIES = ["bodies", "camera", "depth", "flow_forward", "instance", "rgb", "tracks"]
STATES = ("completed", "completed", "completed", "cancelled", "failed")


def crowd_jobs(database: Database, count: int, *, names: Sequence[str] = (), **changes: object) -> list[str]:
    """Enter ended jobs, the given names last, and return the ids of these; `changes` are further columns of theirs."""
    request = {"dataset": "crowd", "items": [{"category": "rigid", "clips": 100}]}
    rows: list[dict[str, object]] = [
        {
            "id": f"j{number:012x}0123456789", "name": f"job {number}", "state": STATES[number % len(STATES)],
            "reason": "", "priority": "default", "backend": "mock", "dataset": f"crowd{number % 7}", "request": request,
            "tags": ["nightly"], "parts": [[100, 100]], "planned": True, "clips_wanted": 100, "clips_done": 100,
            "created": 1.7e9 + number, "started": 1.7e9 + number, "finished": 1.7e9 + number + 60.0, "frames": 4800,
            "bytes": 1 << 28, "replaced": 0, "failed": 0, "reasons": {}, "trials": {}, "version": 1, "part": 1,
            "index": 0,
        }
        for number in range(count + len(names))
    ]  # fmt: skip
    named = rows[count:]
    for row, name in zip(named, names, strict=True):
        row |= {"name": name, "request": {**request, "name": name}, **changes}
    with database.writing() as session:
        for start in range(0, len(rows), 10_000):
            session.execute(insert(JobRow), rows[start : start + 10_000])
    return [str(row["id"]) for row in named]


def crowd_clips(database: Database, job: str, count: int, *, dataset: str = "crowd", caption: str = "") -> list[str]:
    """Enter clips that no dataset has, and return their ids."""
    clips = [
        {
            "clip_id": f"{number:032x}", "seed": 1, "index": number, "camera": "ring_0", "backend": "mock",
            "preset": "draft", "frame_count": 48, "fps": 24.0, "width": 64, "height": 64, "modalities": MODALITIES,
            "bytes": 100_000, "profile": "portable", "category": "rigid", "scene": "free_drop", "tier": "single",
            "split": "train", "extra": '{"rig": "ring"}',
        }
        for number in range(count)
    ]  # fmt: skip
    if caption and clips:
        clips[0]["extra"] = json.dumps({"rig": "ring", "caption": caption})
    with database.writing() as session:
        add_clips(session, job, dataset, clips, at=time.time())
    return [str(clip["clip_id"]) for clip in clips]


@contextmanager
def pretending_workers(redis: str, names: Sequence[str]) -> Iterator[None]:
    """Have workers report that do nothing."""
    queue, stop = ShardQueue(connect(redis)), threading.Event()
    begun = time.time()

    def beat() -> None:
        count = 0
        while True:
            count += 1
            for number, name in enumerate(names):
                status = {
                    "name": name, "state": "working", "host": f"host-{number}", "pid": number, "version": "0",
                    "backends": ["mock"], "device": "cpu", "environments": 4, "since": begun, "beat": time.time(),
                    "clips": number, "frames": 48 * number, "jobs": [], "shards": [], "memory_bytes": 1 << 30,
                    "cpu_percent": 50.0,
                    "slots": [
                        {"slot": slot, "stage": "simulate", "scene": "free_drop", "episode": "1", "frame": 3,
                         "frames": 48}
                        for slot in range(3)
                    ],
                }  # fmt: skip
                queue.beat(name, count, (), status)
            if stop.wait(BEAT_SECONDS):
                return

    thread = threading.Thread(target=beat, name="pretending-workers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10.0)
        for name in names:
            queue.forget_worker(name)
