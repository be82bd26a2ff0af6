"""Records ten seconds at 1920×1080 and 60 fps with all modalities, and watches memory while it does.

    python benchmarks/full_hd.py                # 600 frames; writes results/full_hd.json as it goes
    python benchmarks/full_hd.py --frames 60    # prints only

One camera watches five rigid bodies (Newton, preset `draft`, profile `portable`). Memory is what the kernel counts for
the process (resident set and its peak), CPU time that of the whole process, all threads, user and system; the last row
includes what tracks and the commit take after the last frame.
"""

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from pathlib import Path

import scenes
from simfactory.dataset import open_dataset
from simfactory.processes import Job, Progress, run_job
from simfactory.spec import SceneSpec
from simfactory.store import create_dataset

RESULTS = Path(__file__).parent / "results" / "full_hd.json"
SIZE, FPS, FRAMES = (1920, 1080), 60.0, 600
BODIES = 5
EVERY = 10  # frames between two looks at memory
WARM = 20  # frames after which memory should grow no more


def five_bodies(frames: int) -> SceneSpec:
    """Return the first sampled rigid episode that has five bodies."""
    for index in range(100):
        spec = scenes.sample(
            "rigid", tier="multi_object", seed=1, index=index, frame_count=frames, fps=FPS, size=SIZE, views=1
        )
        if len(spec.bodies) == BODIES:
            return spec
    raise RuntimeError(f"none of 100 episodes has {BODIES} bodies")


class Gauge:
    """Looks at this process now and then while frames are recorded."""

    def __init__(self) -> None:
        """Start the clocks."""
        self.frames = 0
        self.rows: list[dict[str, float]] = []
        self._begin = time.perf_counter()

    def count(self, frames: int) -> None:
        """Take note of recorded frames."""
        self.frames += frames
        if self.frames % EVERY == 0:
            self.look()
            print(json.dumps(self.rows[-1]), flush=True)

    def look(self) -> None:
        """Keep one row of figures."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.rows.append(
            {
                "frame": self.frames,
                "rss_mb": round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20),
                "peak_mb": round(usage.ru_maxrss / 1024),
                "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
                "wall_s": round(time.perf_counter() - self._begin, 1),
            }
        )


def summary(rows: list[dict[str, float]], frames: int) -> dict[str, object]:
    """Return what the rows say about memory and time."""
    warm = [row for row in rows if row["frame"] >= min(WARM, frames // 2)]
    recorded = [row for row in warm if row["frame"] <= frames][: len(warm) - 1] or warm
    span = recorded[-1]["frame"] - recorded[0]["frame"]
    return {
        "peak_mb_after_first_frames": recorded[0]["peak_mb"],
        "peak_mb_at_last_frame": recorded[-1]["peak_mb"],
        "peak_mb_after_commit": rows[-1]["peak_mb"],
        "cpu_s_per_frame": round((recorded[-1]["cpu_s"] - recorded[0]["cpu_s"]) / max(span, 1), 3),
        "cpu_s": rows[-1]["cpu_s"],
        "wall_s": rows[-1]["wall_s"],
    }


def record(frames: int, results: Path | None) -> dict[str, object]:
    """Record one clip into a dataset that is thrown away; return the figures, and keep them in a file as they come."""
    spec, gauge = five_bodies(frames), Gauge()
    report: dict[str, object] = {
        "scene": f"{BODIES} rigid bodies, {SIZE[0]}x{SIZE[1]}, {frames} frames at {FPS:g} fps, draft, all modalities",
        "machine": {"python": platform.python_version(), "cores": os.cpu_count()},
    }

    def keep() -> None:
        report["over_time"] = gauge.rows
        if results is not None:
            results.parent.mkdir(exist_ok=True)
            results.write_text(json.dumps(report, indent=1) + "\n")

    def on_frames(count: int) -> None:
        gauge.count(count)
        keep()

    with tempfile.TemporaryDirectory() as folder:
        create_dataset(folder, profile="portable")
        job = Job(dataset=Path(folder), profile="portable", backend="newton", preset="draft", device="cpu", workers=1)
        progress = Progress(on_prepared=lambda seconds: gauge.look(), on_frames=on_frames)
        (result,) = run_job(job, [spec], progress=progress)
        gauge.look()
        if result.reasons:
            raise RuntimeError(f"the quality gate refused the episode: {result.reasons}")
        stages = {name: round(seconds / frames, 4) for name, seconds in result.cpu_seconds.items()}
        (clip,) = open_dataset(folder)
        sizes = {name: round(size / frames) for name, size in sorted(clip.stored_bytes().items())}
        report |= summary(gauge.rows, frames)
        report |= {"cpu_s_per_frame_by_stage": stages, "bytes_per_frame": sizes | {"total": sum(sizes.values())}}
    keep()
    return report


def main() -> None:
    """Record, print and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=FRAMES)
    options = parser.parse_args()
    report = record(options.frames, RESULTS if options.frames == FRAMES else None)
    print(json.dumps({name: value for name, value in report.items() if name != "over_time"}, indent=1))


if __name__ == "__main__":
    main()
