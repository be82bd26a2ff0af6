"""Our presets beside MuJoCo, pyrender and Cycles: the same scenes, cameras and lights, with CPU-seconds of each frame.

    python benchmarks/side_by_side.py --mujoco PYTHON --pyrender PYTHON --cycles PYTHON
    python benchmarks/side_by_side.py --keep-others       # render ours anew, keep the other pictures and figures

Writes docs/images/side_by_side.png and results/side_by_side.json. Every renderer runs in a process of its own, by the
interpreter that is named for it, because their requirements exclude each other (pyrender pins a PyOpenGL that MuJoCo
cannot use, bpy needs Python 3.11 and numpy 1). To make these interpreters:

    for name in mujoco pyrender cycles; do
        python3.11 -m venv out/$name && out/$name/bin/pip install ".[compare-$name]"
    done

MuJoCo and pyrender draw with Mesa's software OpenGL (Debian and Ubuntu: libegl1 and libgl1-mesa-dri).

All get the same triangles, smooth normals, base colours (patterns baked to textures), roughness, metal, glass, pinhole
and lights, as far as they have them. Cycles' linear light goes through our tone curve; the others show what they show.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from comparison.export import export
from comparison.sheet import draw_sheet, picture_in_sheet
from generate import machine
from presets import FRAME, PRESETS, SCENES, decibels, reference, reference_file

from simfactory.rendering import find_preset
from simfactory.rendering.color import display_values
from simfactory.spec import SceneSpec, read_specs
from simfactory.testing.ground_truth import mock_trajectory

FOLDER = Path(__file__).parent
FRAMES = FOLDER / "comparison"
SHEET = FOLDER.parent / "docs" / "images" / "side_by_side.png"
RESULTS = FOLDER / "results" / "side_by_side.json"
OTHERS = ("mujoco", "pyrender", "cycles")
TITLES = {"mujoco": "MuJoCo", "pyrender": "pyrender", "cycles": "Cycles"}
NOTES = {
    "mujoco": "Phong: no PBR, sky light, bounces, area lights",
    "pyrender": "no shadows, sky light, bounces, area lights",
    "cycles": "same materials, lights and tone curve",
}
FIRST_BODY = 3  # instance id
FEWEST_PIXELS = 100  # of a body whose outline is judged

Facts = dict[str, Any]  # Any: as JSON
Array = npt.NDArray[Any]  # Any: of several types


def run(name: str, arguments: list[str], kept: Path) -> tuple[Array, Array, Facts]:
    """Return the picture or light, the instance ids and the facts of a frame, rendered by another process."""
    command = [*arguments, str(kept)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if not kept.is_file():
        raise SystemExit(
            f"{name}: {command[0]} made no frame; name an interpreter with it (--{name} PYTHON, see --help).\n"
            + done.stderr[-2000:]
        )
    with np.load(kept) as frame:
        return frame["rgb"], frame["instance"], json.loads(str(frame["facts"]))


def outlines(ids: Array, ours: Array) -> Facts:
    """Return how well instance ids agree with ours: of all bodies together, and of the worst one."""

    def overlap(a: Array, b: Array) -> float:
        return round(float((a & b).sum() / max((a | b).sum(), 1)), 4)

    bodies = [k for k in np.unique(ours) if k >= FIRST_BODY and (ours == k).sum() >= FEWEST_PIXELS]
    return {
        "iou_bodies": overlap(ids >= FIRST_BODY, ours >= FIRST_BODY),
        "iou_worst_body": min(overlap(ids == k, ours == k) for k in bodies),
    }


def render_ours(name: str, folder: Path) -> tuple[dict[str, Array], dict[str, Facts], Array]:
    """Return pictures and facts by preset, and our instance ids."""
    pictures, report, ids = {}, {}, np.zeros(0)
    truth, samples = reference(name)
    for preset in PRESETS:
        command = [sys.executable, str(FRAMES / "ours_frame.py"), str(FOLDER / "scenes" / f"{name}.json"), preset]
        pictures[preset], ids, facts = run("ours", command, folder / f"{name}_{preset}.npz")
        error = pictures[preset].astype(np.float64) - truth
        report[preset] = {
            **facts,
            "rgb_cpu_s": round(facts["rgb_cpu_s"], 4),
            "psnr_db": round(decibels(error), 2),
            "reference_samples": samples,
        }
        print(name, preset, report[preset], flush=True)
    return pictures, report, ids


def render_others(
    name: str, pythons: dict[str, str], folder: Path, ours: Array
) -> tuple[dict[str, Array], dict[str, Facts]]:
    """Return pictures and facts of the other renderers."""
    spec: SceneSpec = read_specs(FOLDER / "scenes" / f"{name}.json")[0]
    scene = folder / f"{name}.npz"
    export(spec, mock_trajectory(spec).state(FRAME), scene)
    pictures, report = {}, {}
    for other, python in pythons.items():
        command = [python, str(FRAMES / f"{other}_frame.py"), str(scene)]
        image, ids, facts = run(other, command, folder / f"{name}_{other}.npz")
        facts = {key: round(value, 4) if isinstance(value, float) else value for key, value in facts.items()}
        report[other] = {**facts, **outlines(ids, ours)}
        if image.dtype != np.uint8:
            with np.load(reference_file(name)) as kept:
                bodies = (ours >= FIRST_BODY) & (ids == ours)
                ratio = image[bodies].mean() / kept["light"].astype(np.float64)[bodies].mean()
            report[other]["light_of_bodies_over_our_reference"] = round(float(ratio), 3)
            preset = find_preset("high")
            image = np.rint(display_values(image, exposure=preset.exposure, contrast=preset.contrast)).astype(np.uint8)
        pictures[other] = image
        print(name, other, report[other], flush=True)
    return pictures, report


def caption(name: str, renderer: str, facts: Facts) -> list[str]:
    """Return the lines under a picture."""
    cost = f"{facts['rgb_cpu_s']:.3g} CPU-s"
    if renderer in PRESETS:
        way = f"{facts['samples']} samples + OIDN" if facts["samples"] else "deferred, no samples"
        return [f"simfactory {renderer}", f"{way}: {cost}", f"{facts['psnr_db']} dB to our reference", name]
    unit = "samples + OIDN" if renderer == "cycles" else "edge samples"
    return [
        f"{TITLES[renderer]} {facts['version']}",
        f"{facts['samples']} {unit}: {cost}",
        NOTES[renderer],
        f"{name}, outlines IoU {facts['iou_bodies']:.3f}",
    ]


def main() -> None:
    """Render, measure, draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", nargs="+", choices=SCENES, default=["outdoor", "indoor"])
    parser.add_argument("--keep-others", action="store_true", help="take other renderers from the last sheet")
    for other in OTHERS:
        parser.add_argument(f"--{other}", default=sys.executable, metavar="PYTHON", help=f"interpreter with {other}")
    parser.add_argument("--sheet", type=Path, default=SHEET)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    before: dict[str, Facts] = {}
    if options.keep_others:
        before = json.loads(options.out.read_text(encoding="utf-8"))["scenes"]
        options.scenes = list(before)
    rows, report = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for row, name in enumerate(options.scenes):
            pictures, facts, ids = render_ours(name, Path(folder))
            if options.keep_others:
                for column, other in enumerate(OTHERS, start=len(PRESETS)):
                    pictures[other] = picture_in_sheet(options.sheet, row, column)
                    facts[other] = before[name][other]
            else:
                pythons = {other: getattr(options, other) for other in OTHERS}
                more = render_others(name, pythons, Path(folder), ids)
                pictures, facts = pictures | more[0], facts | more[1]
            report[name] = facts
            rows.append([(pictures[key], caption(name, key, facts[key])) for key in (*PRESETS, *OTHERS)])
    units = {
        "rgb_cpu_s": "user and system CPU-seconds of a warm 256x256 colour frame, whole process, one thread asked for",
        "truth_cpu_s": "the same for what the renderer gives of depth and ids apart from colour",
        "psnr_db": "of sRGB against our many-sample reference; other renderers have other shading, so no such figure",
        "iou_bodies": "of all bodies' pixels with ours",
        "light_of_bodies_over_our_reference": "mean linear light on bodies, relative to our many-sample reference",
    }
    draw_sheet(rows, options.sheet)
    text = json.dumps({"units": units, "notes": NOTES, "machine": machine(), "scenes": report}, indent=1)
    options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
