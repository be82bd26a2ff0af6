"""Writes the gallery of base scenes: docs/scenes.md and one strip of pictures a scene, which the dashboard shows too.

    python deploy/make_gallery.py                         the text anew, and the strips that are missing
    python deploy/make_gallery.py --scene free_drop       these strips anew
    python deploy/make_gallery.py --category rope         all of this category anew, and nothing else

A strip shows a scene's first episode that passes the quality gate: at first, in the middle, and at the end of 1.5 s
(with a robot: of its plan).
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

import scenes
import simfactory
from scenes.category import BaseScene
from scenes.invariants import Invariant
from scenes.listing import categories
from simfactory.arms import plan_frames
from simfactory.spec import SceneSpec

ROOT = Path(__file__).resolve().parents[1]
DOCS, STRIPS = ROOT / "docs", ROOT / "api" / "dashboard" / "static" / "scenes"
SIDE, SHOWN = 192, 128  # px: rendered, and in the strip
FPS = 12.0
ATTEMPTS = 10
VERBS = {
    "shift": "moves", "travel": "travels level", "fall": "falls", "lift": "rises", "rebound": "rebounds",
    "turn": "turns", "slowing": "loses its speed", "spin_loss": "loses its spin", "deformation": "deforms",
    "spread": "spreads", "warming": "warms up", "cooling": "cools", "success": "does its task",
}  # fmt: skip


def strip(spec: SceneSpec) -> npt.NDArray[np.uint8] | None:
    """Return three instants of an episode beside each other, or None if the quality gate refuses it."""
    episode = simfactory.simulate(spec, preset="draft")
    if not episode.quality["passed"]:
        return None
    frames = episode.clips[0].arrays["rgb"][[0, (spec.frame_count - 1) // 2, spec.frame_count - 1]]
    small = [cv2.resize(frame, (SHOWN, SHOWN), interpolation=cv2.INTER_AREA) for frame in frames]
    return np.concatenate(small, axis=1).astype(np.uint8)


def draw(category: str, row: BaseScene) -> None:
    """Write the strip of a base scene, or say that there is none."""
    for attempt in range(ATTEMPTS):
        spec = scenes.sample(
            category,
            scene=row.name,
            seed=0,
            attempt=attempt,
            views=1,
            frame_count=19,
            fps=FPS,
            size=(SIDE, SIDE),
            modalities=["rgb"],
        )
        if spec.robot is not None:
            spec = spec.model_copy(update={"frame_count": plan_frames(spec)})
        if (picture := strip(spec)) is not None:
            save(row.name, picture)
            return
    print(f"{row.name}: the quality gate refuses {ATTEMPTS} attempts", flush=True)


def save(name: str, picture: npt.NDArray[np.uint8]) -> None:
    """Write a strip."""
    STRIPS.mkdir(exist_ok=True)
    path = STRIPS / f"{name}.jpg"
    if not cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85]):
        raise RuntimeError(f"cannot write {path}")
    print(name, flush=True)


def told(invariant: Invariant) -> str:
    """Return an invariant as words."""
    bound = f"> {invariant.above:g}" if invariant.above is not None else f"< {invariant.below:g}"
    cause = invariant.cause if invariant.of is None else f"{invariant.cause} of `{invariant.of}`"
    if invariant.cause == "body":
        cause = f"`{invariant.of}`"
    every = "every " if invariant.every else ""
    return f"{every}`{invariant.role}` {VERBS.get(invariant.measure, invariant.measure)} ({bound}), not without {cause}"


def text() -> str:
    """Return the page."""
    total = sum(len(category.scenes) for category in categories().values())
    lines = [
        "# Base scenes",
        "",
        f"{total} base scenes in {len(categories())} categories. Each strip "
        "shows one episode at first, in its middle and at its end; materials, sizes, places, light and cameras differ "
        "from episode to episode. Written by `deploy/make_gallery.py`; what must be seen is checked by "
        "`benchmarks/invariants.py`.",
    ]
    for category in categories().values():
        lines += ["", f"## {category.name} ({len(category.scenes)})", "", category.description, ""]
        lines += ["| | scene | tiers | what happens, and what must be seen |", "|---|---|---|---|"]
        for row in category.scenes:
            seen = "; ".join(told(invariant) for invariant in row.invariants)
            held_out = " (held out)" if row.held_out else ""
            lines.append(
                f"| ![{row.name}](../api/dashboard/static/scenes/{row.name}.jpg) | `{row.name}`{held_out} "
                f"| {', '.join(row.tiers)} | "
                f"{row.description}{f' *{seen}.*' if seen else ''} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Draw what is asked for and what is missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", nargs="*", default=[], help="names of scenes to draw anew")
    parser.add_argument("--category", nargs="*", default=[], choices=list(categories()), help="draw all of these anew")
    parser.add_argument("--text", action="store_true", help="write the page alone")
    options = parser.parse_args()
    (DOCS / "scenes.md").write_text(text())
    if options.text:
        return
    present = {path.stem for path in STRIPS.glob("*.jpg")} - set(options.scene)
    for name, category in categories().items():
        for row in category.scenes:
            if name in options.category or (row.name not in present and not options.category):
                draw(name, row)


if __name__ == "__main__":
    main()
