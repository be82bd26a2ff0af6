"""Full HD at 60 fps with all modalities: memory does not grow with the length of a clip."""

import os
from pathlib import Path

import pytest

import scenes
from simfactory.annotations import annotations
from simfactory.dataset import open_dataset
from simfactory.processes import Job, Progress, run_job
from simfactory.store import create_dataset

FRAMES, WARM = 16, 8  # a chunk holds eight frames
GROWTH = 150 * 2**20  # [byte]: one frame of all signals; what tracks keep are 12 MB on each of 8 frames


def resident():
    """Resident set of this process [byte]."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_memory_stays_bounded_in_full_hd(tmp_path):
    spec = scenes.sample(
        "rigid",
        tier="multi_object",
        seed=1,
        index=0,
        frame_count=FRAMES,
        fps=60.0,
        size=(1920, 1080),
        views=1,
    )
    seen: list[int] = []
    create_dataset(tmp_path / "set", profile="portable")
    job = Job(dataset=tmp_path / "set", profile="portable", backend="newton", preset="draft", device="cpu", workers=1)
    progress = Progress(on_prepared=lambda seconds: None, on_frames=lambda count: seen.append(resident()))
    (result,) = run_job(job, [spec], progress=progress)
    assert not result.reasons
    (clip,) = open_dataset(tmp_path / "set")
    assert (clip.frame_count, clip.height, clip.width, clip.fps) == (FRAMES, 1080, 1920, 60.0)
    assert set(clip.modalities) == {annotation.name for annotation in annotations(spec=spec)}
    assert max(seen[WARM:]) - max(seen[:WARM]) < GROWTH
