"""What the curation of videos finds and misses, how exact chained flow is, and frames per CPU-second.

    simfactory generate --scene free_drop --clips 10 --frames 32 --out out/drop
    OMP_NUM_THREADS=1 python benchmarks/videos.py out/drop

Prints its figures and keeps them in results/videos.json. Cuts, texts and dissolves are drawn, over shots of the
dataset and over drawn ones; flow and tracks are compared with the dataset's exact ones.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from generate import machine

from simfactory.dataset import open_dataset
from training.data import WindowDataset, WindowKey, Windows, open_source
from training.estimators import load_flow_estimator
from training.evaluation import sample_queries, tapvid_metrics
from training.evaluation.videos import read_frames
from training.flow_consistency import both_flows, flow_reliability
from training.testing.drawn_videos import drawn_shot, mixed, panned, with_text, write_video
from training.trackers import load_tracker
from training.videos import Labeller, Labelling, ShotFilter, choose_filters, label_videos
from training.videos.filters import Context
from training.videos.shot import Shot, small
from training.videos.shots import split_shots

Array = np.ndarray[Any, Any]  # Any: of any shape and type
Clips = list[Array]
Figures = dict[str, Any]  # Any: figures, or groups of them

RESULTS = Path(__file__).parent / "results" / "videos.json"
WORDS = ("breaking news", "Like and subscribe", "stock footage dot com", "episode one", "a ball falls on the floor")
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--only", choices=PARTS, help="one part; the others keep their figures")
    given = parser.parse_args()
    clips = [np.asarray(clip.read("rgb"), np.uint8) for clip in open_dataset(given.dataset)]
    figures = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for name in [given.only] if given.only else PARTS:
        figures[name] = PARTS[name](given.dataset if name in ("flow", "tracks") else clips)
        print(name, json.dumps(figures[name], indent=1))
    RESULTS.write_text(json.dumps({**figures, "machine": machine()}, indent=1) + "\n")


def shots(clips: Clips) -> Clips:
    """Shots of one size, rendered, drawn and panned."""
    height, width = clips[0].shape[1:3]
    rng = np.random.default_rng(1)
    drawn = [
        drawn_shot(100 + seed, size=(height, width), frames=32, speed=float(rng.uniform(1, 12))) for seed in range(10)
    ]
    pans = [
        panned(
            500 + seed,
            frames=32,
            shift=float(rng.uniform(0.5, 20)),
            size=(height, width),
            grain=int(rng.choice([6, 12, 24])),
        )
        for seed in range(10)
    ]
    return [*clips, *drawn, *pans]


def cuts(clips: Clips) -> Figures:
    """Shots of 6 to 32 frames in random order, encoded as MPEG-4; a cut counts as found at its frame alone."""
    pool = shots(clips)
    true_positive = false_positive = false_negative = 0
    for seed in range(5):
        rng = np.random.default_rng(100 + seed)
        parts = [pool[k][: rng.integers(6, 33)] for k in rng.permutation(len(pool))]
        starts = set(np.cumsum([len(part) for part in parts])[:-1].tolist())
        with tempfile.TemporaryDirectory() as folder:
            path = write_video(Path(folder, "video.mp4"), np.concatenate(parts))
            found = {start for start, _ in split_shots(pictures(path), longest=1000)} - {0}
        true_positive += len(found & starts)
        false_positive += len(found - starts)
        false_negative += len(starts - found)
    return {
        "cuts": true_positive + false_negative,
        "precision": true_positive / (true_positive + false_positive),
        "recall": true_positive / (true_positive + false_negative),
    }


def pictures(path: Path) -> Iterator[Array]:
    """Small pictures of a file, as filters see them."""
    return (small(frame) for frame in read_frames(path))


def filters(clips: Clips) -> Figures:
    """Share of the shots that each filter drops, of those that it should drop and of those that it should not."""
    pool = shots(clips)
    rng = np.random.default_rng(2)
    height = clips[0].shape[1]
    written = [
        with_text(
            shot,
            str(rng.choice(WORDS)),
            place=(int(rng.integers(4, 40)), int(rng.integers(30, height - 6))),
            scale=float(rng.uniform(0.4, 1.0)),
            thickness=int(rng.integers(1, 3)),
            font=int(rng.choice(FONTS)),
        )
        for shot in pool
    ]
    faded = [
        mixed(shot, pool[(number + 3) % len(pool)], begin=6, length=int(rng.integers(6, 20)))
        for number, shot in enumerate(pool)
    ]
    soft = [np.stack([cv2.GaussianBlur(f, (0, 0), 2.5) for f in shot]) for shot in clips]
    still = [np.repeat(shot[:1], len(shot), axis=0) for shot in pool[::2]]
    noisy = [np.clip(shot + rng.normal(0, 4, shot.shape), 0, 255).astype(np.uint8) for shot in still]
    wanted = {"text": written, "dissolve": faded, "blur": soft, "motion": [*still, *noisy]}
    chosen = {each.name: each for each in choose_filters()}
    told = {}
    for name, shot in chosen.items():
        told[name] = {"dropped_of_good": share(shot, clips if name == "blur" else pool)}
        if name in wanted:
            told[name] |= {"dropped_of_bad": share(shot, wanted[name]), "bad": len(wanted[name])}
    return told


def share(chosen: ShotFilter, pool: Clips) -> float:
    """Share of the shots that a filter drops."""
    context = Context(size=None, fps=None, seen=[])
    dropped = 0
    for frames in pool:
        height, width = frames.shape[1:3]
        shot = Shot(np.stack([small(f) for f in frames]), start=0, fps=24.0, height=height, width=width)
        dropped += bool(chosen.refuses(chosen.measure(shot, context)))
    return dropped / len(pool)


def windows(dataset: Path) -> Iterator[tuple[Array, dict[str, Array]]]:
    """Frames and exact tensors of each clip."""
    source = open_source(dataset)
    length = min(source.dataset.table["frame_count"].to_pylist())
    reader = WindowDataset(
        [source], windows=Windows(length=length), outputs=["rgb", "tracks", "flow_forward", "mask", "instance"]
    )
    for clip_id in source.dataset.ids:
        yield (
            np.asarray(source.dataset[clip_id].read("rgb")[:length], np.uint8),
            {n: t.numpy() for n, t in reader[WindowKey(source=0, clip_id=clip_id, start=0)].tensors.items()},
        )


def flow(dataset: Path) -> Figures:
    """End-point error of DIS flow against exact flow: of all pixels, of those that it calls reliable, of objects."""
    estimator, rows = load_flow_estimator("dis_flow"), []
    for frames, truth in windows(dataset):
        there, back = both_flows(estimator, frames)
        exact, known = truth["flow_forward"][:-1], truth["flow_forward_valid"][:-1]
        reliable = np.stack([flow_reliability(*pair)[1] for pair in zip(there, back, strict=True)])
        objects = known & (truth["instance"][:-1] >= first_body(truth))
        hidden = known & (truth["mask"][:-1] & 0b110 > 0)
        error, length = (np.linalg.norm(values, axis=1) for values in (there - exact, exact))
        rows.append(
            {
                "epe": error[known].mean(),
                "epe_reliable": error[known & reliable].mean(),
                "true_length": length[known].mean(),
                "object_epe": error[objects].mean(),
                "object_epe_reliable": error[objects & reliable].mean(),
                "object_true_length": length[objects].mean(),
                "reliable_share": reliable[known].mean(),
                "object_reliable_share": reliable[objects].mean(),
                "hidden_called_reliable": reliable[hidden].mean(),
            }
        )
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}


def first_body(truth: dict[str, Array]) -> int:
    """Id of the first moving body: the ground and walls come before."""
    ids = np.unique(truth["tracks_instance"])
    world = truth["tracks_world"]
    moving = [i for i in ids if np.ptp(world[truth["tracks_instance"] == i], axis=1).max() > 0.05]
    return int(min(moving))


def tracks(dataset: Path) -> Figures:
    """TAP-Vid figures of chained DIS flow, of all points and of objects, beside points that stay where they are."""
    tracker, rows = load_tracker("chained_dis"), []
    for frames, truth in windows(dataset):
        exact, hidden = truth["tracks_image"], ~truth["tracks_visible"]
        queries = sample_queries(hidden, mode="first")
        point, frame = queries.point, queries.frame
        begin = exact[point, frame]
        found = tracker.track(frames, begin, frame)
        stay = np.repeat(begin[:, None], exact.shape[1], axis=1)
        objects = truth["tracks_instance"][point] >= first_body(truth)
        for which, chosen in (("all", objects | True), ("object", objects)):
            for who, position, lost in (
                ("chained", found.position, ~found.visible),
                ("still", stay, np.zeros_like(found.visible)),
            ):
                told = tapvid_metrics(
                    position[chosen],
                    np.nan_to_num(exact[point][chosen]),
                    predicted_occluded=lost[chosen],
                    target_occluded=hidden[point][chosen],
                    query_frames=frame[chosen],
                    image_size=frames.shape[1:3],
                )
                within = told.average_within
                rows.append((f"{which}_{who}", told.average_jaccard, within, told.occlusion_accuracy))
    names = sorted({row[0] for row in rows})
    return {
        name: dict(
            zip(
                ("AJ", "delta", "OA"),
                np.mean([r[1:] for r in rows if r[0] == name], axis=0).round(4).tolist(),
                strict=True,
            )
        )
        for name in names
    }


def throughput(clips: Clips) -> Figures:
    """Frames per CPU-second of the whole command and of its parts, 480 x 270 px."""
    frames = np.concatenate([drawn_shot(seed, size=(270, 480), frames=41) for seed in range(2)])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in").mkdir()
        write_video(Path(folder, "in", "video.mp4"), frames)
        rates = {}
        for name, options in {
            "curation": {"filters": choose_filters(ranges={"sharpness": (9e9, 1e10)})},
            "flow": {"labeller": Labeller(flow=load_flow_estimator("dis_flow"))},
            "flow and tracks": {
                "labeller": Labeller(flow=load_flow_estimator("dis_flow"), tracker=load_tracker("chained_dis"))
            },
        }.items():
            labelling = Labelling(**{"labeller": Labeller(flow=load_flow_estimator("dis_flow")), **options})
            begin = time.process_time()
            funnel = label_videos(Path(folder, "in"), Path(folder, name), labelling)
            rates[name] = round(len(frames) / (time.process_time() - begin), 1)
            assert funnel["added"] == (0 if name == "curation" else 2)
    return rates


PARTS: dict[str, Any] = {"cuts": cuts, "filters": filters, "flow": flow, "tracks": tracks, "throughput": throughput}

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cv2.setNumThreads(1)
    main()
