"""Whether each loss does its own work: all losses on, then each off, from the same model with the same chance.

    simfactory generate --scene free_drop --tier single --clips 60 --views 1 --cameras ring --size 32x32 --frames 13
        --fps 12 --split 80/20/0 --out data   (in one line)
    simfactory-train sft --stage base --preset tiny --data data --out runs/base
    python benchmarks/training_terms.py data runs/base/model

It trains on split train and tells, for every loss, its value on split val before training, after training with all
losses, and after training with all but this one. Heads begin anew. Without its loss a projection is not trained: pixel
and semantic are measured with projections that are trained afterwards, on features that stay. Figures are stored in
`benchmarks/results/training_terms.json`.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import torch
from generate import machine

from training.config import Config
from training.config_files import read_config
from training.data import Batch
from training.model import TrainedModel
from training.objectives import Objective, StepResult, draw, encoded
from training.preparation import build_loader, build_model, open_sources
from training.running import run_training

RESULTS = Path(__file__).parent / "results" / "training_terms.json"
WEIGHTS = {
    "flow_matching": 1.0,
    "depth": 0.3,
    "flow": 0.3,
    "depth_change": 1.0,
    "visibility": 0.1,
    "warp": 0.5,
    "rgb": 0.5,
    "pixel": 1.0,
    "semantic": 0.5,
}
PROBE_STEPS = 60


def config_of(dataset: str, model: str, split: str, steps: int, weights: dict[str, float]) -> Config:
    """Return the configuration of a short run on a split."""
    changes = {
        "data.sources": [{"path": dataset, "query": {"split": [split]}}],
        "data.frames": 5,
        "data.stride": 4,
        "model.start": model,
        "optimizer.steps": steps,
        "optimizer.batch": 4,
        "optimizer.warm_up": 5,
        "optimizer.decay": "constant",
        "log.picture_every": 0,
        "losses": {**weights},
        "device": "cpu",
    }
    return read_config("sft", preset="tiny", changes=[changes])


def held_out(model: TrainedModel, config: Config) -> dict[str, float]:
    """Return each loss over all windows of a configuration's clips, always with the same noise."""
    objective = Objective(model, config)
    loader = build_loader(config, open_sources(config.data), model)
    batches = list(loader)
    probe(objective, batches, config)
    found: dict[str, list[float]] = {}
    with torch.no_grad():
        for number, batch in enumerate(batches):
            for name, value in step(objective, batch, config, number).losses.items():
                found.setdefault(name, []).append(float(value))
    return {name: sum(values) / len(values) for name, values in found.items()}


def step(objective: Objective, batch: Batch, config: Config, number: int) -> StepResult:
    """Return what a batch costs; the same noise for the same number."""
    shape = objective.backbone.shape
    frames, _, height, width = batch["rgb"].shape[1:]
    latents = (len(batch), shape.latent_channels, *shape.grid.latent_shape(frames, height, width))
    draws = draw(latents, config=config.noise, seed=config.seed, step=1_000_000 + number)
    return objective(batch, encoded(objective.backbone, batch, draws.keeps_text), draws)


def probe(objective: Objective, batches: list[Batch], config: Config) -> None:
    """Train the projections alone, so that features are judged and not projections."""
    assert objective.alignment is not None
    features = []
    with torch.no_grad(), objective.backbone.capture([objective.alignment.block]) as captured:
        for number, batch in enumerate(batches):
            step(objective, batch, config, number)
            features.append(captured[objective.alignment.block].clone())
    optimizer = torch.optim.Adam(objective.alignment.parameters(), lr=1e-3)
    for number in range(PROBE_STEPS):
        chosen = number % len(batches)
        costs = objective.alignment(features[chosen], batches[chosen])
        optimizer.zero_grad()
        torch.stack(list(costs.values())).sum().backward()
        optimizer.step()


def trained(config: Config) -> TrainedModel:
    """Return the model of a run that leaves nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        return TrainedModel.load(run_training(config, folder=Path(folder) / "run", tell=lambda line: None))


def main() -> None:
    """Train once for each loss, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("model")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE")
    chosen = parser.parse_args()
    judged = config_of(chosen.dataset, chosen.model, "val", 1, WEIGHTS)
    before = held_out(build_model(judged), judged)
    full = config_of(chosen.dataset, chosen.model, "train", chosen.steps, WEIGHTS)
    after = held_out(trained(full), judged)
    print(f"{'loss':14} {'before':>9} {'all on':>9} {'off':>9}", flush=True)
    rows = {}
    for name in WEIGHTS:
        off = {name: 0.0} | ({"warp": 0.0} if name in ("depth", "flow") else {})
        losses = replace(full.losses, **off)
        assert asdict(losses) != asdict(full.losses)
        without = held_out(trained(replace(full, losses=losses)), judged)
        print(f"{name:14} {before[name]:9.4f} {after[name]:9.4f} {without[name]:9.4f}", flush=True)
        rows[name] = {"before": before[name], "on": after[name], "off": without[name]}
    report = {"machine": machine(), "steps": chosen.steps, "weights": WEIGHTS, "held_out": rows}
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
