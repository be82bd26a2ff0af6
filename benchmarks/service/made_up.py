"""Made-up clips as workers report them, spread as those of a long-lived service are."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scenes.listing import catalogue

__all__ = ["COLUMNS", "Batch", "batches", "made_up_clip"]

# What GET /v1/clips can be filtered by.
COLUMNS = ("dataset", "category", "scene", "tier", "split", "job", "backend", "preset")
MODALITIES = [
    "bodies", "camera", "contacts", "depth", "flow_backward", "flow_forward", "instance", "mask", "normal", "points",
    "rgb", "scene_flow", "tracks",
]  # fmt: skip
BATCH = 500
SMALL = 60  # clips of the jobs that are rare on purpose


@dataclass(frozen=True, slots=True)
class Batch:
    """Clips that are entered together: of one job and dataset."""

    job: str
    dataset: str
    clips: list[dict[str, object]]


def made_up_clip(number: int, **values: object) -> dict[str, object]:
    """Return a report of a clip; `values` are its categories and the like."""
    caption = f"Clip {number}: two balls fall onto a ramp and roll off it while the camera circles about them."
    return {
        "clip_id": f"{number * 0x9E3779B97F4A7C15 % (1 << 80):020x}",
        "seed": 1,
        "index": number // 5,
        "camera": f"ring_{number % 5}",
        "backend": "newton",
        "preset": "draft",
        "frame_count": 48,
        "fps": 24.0,
        "width": 256,
        "height": 256,
        "modalities": MODALITIES,
        "bytes": 2_700_000 + number % 1000,
        "profile": "portable",
        "extra": f'{{"rig": "ring", "caption": "{caption}"}}',
        **values,
    }


def batches(count: int, kinds: Counter[tuple[str, ...]]) -> Iterator[Batch]:
    """Yield so many clips: big jobs one after the other, three at a time, with small and odd ones between.

    Args:
        count: Clips.
        kinds: Is told how many clips have which values of `COLUMNS`.
    """
    rng = random.Random(11)
    jobs = 120
    share = (count - 8 * SMALL) // jobs
    number, open_jobs, following = 0, list[list[int]](), 0
    while following < jobs or open_jobs:
        while len(open_jobs) < 3 and following < jobs:
            open_jobs.append([following, share])
            following += 1
        turn = rng.choice(open_jobs)
        size = min(BATCH, turn[1])
        yield _batch(rng, turn[0], number, size, kinds)
        number += size
        turn[1] -= size
        if turn[1] == 0:
            open_jobs.remove(turn)
            if turn[0] % (jobs // 8) == 0:
                yield _batch(rng, jobs + turn[0], number, SMALL, kinds)
                number += SMALL


def _batch(rng: random.Random, job: int, number: int, size: int, kinds: Counter[tuple[str, ...]]) -> Batch:
    """Return clips of a job; what a job has in common follows from its number."""
    is_small = job >= 120
    dataset = f"rare{job % 3}" if is_small else "main" if job % 10 < 7 else f"data{job % 10}"
    backend = "mock" if is_small or job % 12 == 5 else "newton"
    preset = "high" if is_small else ("draft", "standard", "draft", "draft")[job % 4]
    entries = catalogue()
    if job % 5 == 2:  # a job of one category
        wanted = sorted({entry.category for entry in entries})[job // 5 % 9]
        entries = tuple(entry for entry in entries if entry.category == wanted)
    name, clips = f"j{job:012x}0123456789", []
    for each in range(number, number + size):
        entry = rng.choice(entries)
        tier = rng.choices(("single", "two_body", "multi_object"), (30, 35, 35))[0]
        split = "test" if entry.split == "test" else rng.choices(("train", "val", "test"), (90, 5, 5))[0]
        values: Mapping[str, str] = {
            "category": entry.category, "scene": entry.name, "tier": tier, "split": split, "backend": backend,
            "preset": preset,
        }  # fmt: skip
        clips.append(made_up_clip(each, **values))
        kinds[tuple({**values, "dataset": dataset, "job": name}[column] for column in COLUMNS)] += 1
    return Batch(name, dataset, clips)
