"""Writes the evaluation split, scenes/evaluation.jsonl.gz: run it only if all published results may lose their basis.

    python deploy/freeze_evaluation.py --each 8

Episodes are drawn for each category, over all tiers, from held-out base scenes and others in turns; each is simulated
and filmed at a small size, and one that the quality gate refuses is drawn again. At the end the SHA-256 is printed that
tests/scenes/test_evaluation.py expects.
"""

import argparse
import gzip
import hashlib
from pathlib import Path

import scenes
import simfactory
from scenes.category import BaseScene, Category
from scenes.curriculum import TIERS
from scenes.evaluation import FROZEN, SEED, pack
from scenes.listing import categories
from simfactory.arms import plan_frames
from simfactory.rng import stream
from simfactory.spec import SceneSpec, Tier

FRAMES, FPS = 49, 24.0
ATTEMPTS = 20


def chosen(category: Category, each: int) -> list[tuple[BaseScene, Tier]]:
    """Return base scenes and tiers: tiers in turns, held out and not in turns, none twice if there are enough."""
    order = stream(SEED, category.name, 0, "evaluation/order")
    shuffled = sorted(category.scenes, key=lambda row: order.uniform())
    found: list[tuple[BaseScene, Tier]] = []
    for number in range(each):
        tier, held_out = TIERS[number // 2 % len(TIERS)], number % 2 == 0
        used = [row.name for row, _ in found]
        serving = [row for row in shuffled if tier in row.tiers]
        serving.sort(key=lambda row: (row.held_out is not held_out, used.count(row.name)))
        found.append((serving[0], tier))
    return found


def frozen(category: str, row: BaseScene, tier: Tier, index: int) -> SceneSpec:
    """Return the first episode of a base scene that passes the quality gate."""
    for attempt in range(ATTEMPTS):
        spec = scenes.sample(
            category,
            scene=row.name,
            tier=tier,
            seed=SEED,
            index=index,
            attempt=attempt,
            frame_count=FRAMES,
            fps=FPS,
            rigs=("ring",),
            views=3,
        )
        spec = spec.model_copy(
            update={
                "split": "evaluation",
                "frame_count": FRAMES if spec.robot is None else max(FRAMES, plan_frames(spec)),
            }
        )
        small = tuple(camera.model_copy(update={"width": 64, "height": 64}) for camera in spec.cameras)
        verdict = simfactory.simulate(spec.model_copy(update={"cameras": small})).quality
        if verdict["passed"]:
            return spec
        print(f"  {row.name} attempt {attempt}: {verdict['reasons']}", flush=True)
    raise RuntimeError(f"{row.name}: none of {ATTEMPTS} attempts passes")


def main() -> None:
    """Draw, check and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=8, help="episodes per category")
    options = parser.parse_args()
    specs = []
    for name, category in categories().items():
        for index, (row, tier) in enumerate(chosen(category, options.each)):
            specs.append(frozen(name, row, tier, index))
            print(name, row.name, tier, flush=True)
    packed = pack(specs)
    Path(scenes.__file__).with_name(FROZEN).write_bytes(packed)
    print(f"{len(specs)} specs, {len(packed)} bytes, SHA-256 {hashlib.sha256(gzip.decompress(packed)).hexdigest()}")


if __name__ == "__main__":
    main()
