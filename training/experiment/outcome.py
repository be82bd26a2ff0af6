"""What an experiment has found: one table, what each arm took, sentences from intervals alone, and pictures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from training.data import Source
from training.evaluation import MetricRow, Report, ReportCurve, ReportFiles, ReportPicture, write_report
from training.evaluation.held_out import evaluate_clips
from training.evaluation.pictures import write_picture
from training.experiment.chain import ArmChain
from training.experiment.execution import RunCost, read_cost
from training.experiment.figures import (
    FEWEST_CLIPS,
    Comparison,
    Figures,
    beside_trivial,
    comparisons,
    figure_rows,
)
from training.experiment.judging import clip_groups, judged_models, judged_result, reader_of, test_clips
from training.experiment.plan import Plan
from training.experiment.setting import Setting
from training.model import TrainedModel

__all__ = ["EXPERIMENT_FILE", "FIGURES", "write_outcome"]

EXPERIMENT_FILE = "experiment.json"
SCHEMA = "simfactory.experiment/1"
# On all test clips; on what is new in some of them, the shorter list.
FIGURES = (
    "psnr",
    "psnr_changing",
    "ssim",
    "abs_rel",
    "object_abs_rel",
    "epe",
    "object_epe",
    "warp_visible",
    "rgb_warp",
    "chamfer",
    "chamfer_moving",
    "object_worldline",
    "novel_depth",
)
NEW_FIGURES = ("psnr_changing", "object_abs_rel", "object_epe", "object_worldline")

# Any: JSON.
Tree = dict[str, Any]


def write_outcome(
    plan: Plan, setting: Setting, chains: Sequence[ArmChain], folder: Path, *, picture_count: int = 2
) -> ReportFiles:
    """Write `experiment.json`, the report in three formats, and pictures, from runs that are finished.

    Args:
        plan: The arms.
        setting: What they share.
        chains: Of all arms and seeds.
        folder: Of the experiment.
        picture_count: Test clips that are pictured, with the models of the first seed.

    Raises:
        StoreError: Figures are not there.
    """
    judged = judged_models(chains, setting, folder)
    figures = Figures(
        seeds=setting.seeds,
        clips={arm.name: [judged_result(each) for each in judged if each.chain.arm == arm] for arm in plan.arms},
    )
    groups = clip_groups(setting)
    whole = {name: ids for name, ids in groups.items() if name == "all"}
    parts = {name: ids for name, ids in groups.items() if name != "all"}
    rows = figure_rows(plan, figures, whole, FIGURES) + figure_rows(plan, figures, parts, NEW_FIGURES)
    found = comparisons(plan, figures, whole, FIGURES) + comparisons(plan, figures, parts, NEW_FIGURES)
    trivial = beside_trivial(plan, figures, whole["all"])
    costs = {arm.name: _arm_cost([chain for chain in chains if chain.arm == arm]) for arm in plan.arms}
    _write_json(folder / EXPERIMENT_FILE, _content(plan, setting, groups, rows, (found, trivial), costs))
    report = Report(
        title=f"Arms of the plan {plan.name}",
        rows=rows,
        notes=_notes(plan, setting, groups, found, trivial),
        curves=[_cost_table(costs)],
        pictures=_pictures(plan, setting, chains, folder, picture_count),
    )
    return write_report(report, folder)


def _notes(
    plan: Plan,
    setting: Setting,
    groups: Mapping[str, Sequence[str]],
    found: Sequence[Comparison],
    trivial: Sequence[Comparison],
) -> list[str]:
    sizes = ", ".join(f"{name} {len(ids)}" for name, ids in groups.items())
    decided = sum(one.decided for one in found)
    notes = [
        "; ".join(f"{arm.name}: {arm.title}" for arm in plan.arms) + ".",
        f"Seeds {', '.join(map(str, setting.seeds))}; test clips: {sizes}. All arms take the same number of steps and "
        "see equally many clips; heads of arms without stage II are trained on the finished network.",
        f"Intervals: 95 %, seeds and clips drawn anew, in pairs for differences; of fewer than {FEWEST_CLIPS} clips no "
        "differences are told"
        + ("; with one seed they say nothing of what other seeds would do." if len(setting.seeds) == 1 else "."),
    ]
    if found:
        notes.append(
            f"{decided} of {len(found)} differences have an interval without zero; about {0.05 * len(found):.0f} would "
            "if no arm differed from another."
        )
    notes += [" ".join(one.sentence for one in trivial if one.arm == arm.name) for arm in plan.arms]
    for arm in plan.arms:
        own = [one for one in found if one.arm == arm.name]
        told = " ".join(one.sentence for one in own if one.decided)
        notes += [told] if told else []
        undecided = "; ".join(f"{one.what} {one.span}" for one in own if not one.decided)
        notes += [f"No difference shown between {arm.name} and {arm.against}: {undecided}."] if undecided else []
    return [note for note in notes if note]


def _arm_cost(chains: Sequence[ArmChain]) -> Tree:
    """Return what an arm took; runs that arms share count for each. CPU time is the mean of uninterrupted seeds."""
    seeds = [[cost for run in chain.runs if (cost := read_cost(run)) is not None] for chain in chains]
    first = seeds[0]
    seconds = [[cost.cpu_seconds for cost in costs] for costs in seeds]
    known = [sum(filter(None, row)) for row in seconds if None not in row]
    return {
        "steps": sum(cost.steps for cost in first),
        "windows": sum(cost.windows for cost in first),
        "network_steps": _steps(first, "trains_network"),
        "head_steps": _steps(first, "trains_heads"),
        "cpu_seconds": round(sum(known) / len(known), 1) if known else None,
        "network_parameters": first[-1].network_parameters,
        "head_parameters": first[-1].head_parameters,
    }


def _steps(costs: Sequence[RunCost], what: str) -> int:
    return sum(cost.steps for cost in costs if getattr(cost, what))


def _cost_table(costs: Mapping[str, Tree]) -> ReportCurve:
    names = {
        "steps": "steps",
        "windows": "clips seen",
        "network_steps": "steps of the network",
        "head_steps": "steps of heads",
        "cpu_seconds": "CPU [s]",
        "network_parameters": "parameters of the network",
        "head_parameters": "parameters of heads",
    }
    series = {
        title: [float("nan") if cost[name] is None else float(cost[name]) for cost in costs.values()]
        for name, title in names.items()
    }
    return ReportCurve(name="What each arm took with one seed", x_name="arm", x=list(costs), series=series)


def _pictures(
    plan: Plan, setting: Setting, chains: Sequence[ArmChain], folder: Path, count: int
) -> list[ReportPicture]:
    """Paint the truth and what each arm's first seed makes of the first test clips."""
    source = test_clips(setting)
    few: Source = replace(source, dataset=source.dataset.where(clip_id=[*source.dataset.ids[:count]]))
    models = {chain.arm.name: _asked(chain) for chain in chains if chain.seed == setting.seeds[0]}
    clip = models[plan.arms[0].name].clip
    if not count or clip is None:
        return []
    pictures = []
    for found in evaluate_clips(models, few, clip=clip, reader=reader_of(setting), seed=setting.seeds[0]):
        made = {arm.name: found.predictions[f"{arm.name}, generated"] for arm in plan.arms}
        path = write_picture(found.truth, made, folder / "pictures" / f"{found.truth.clip_id}.png")
        caption = f"{found.truth.caption} The truth, and what each arm makes of its first frame; columns are frames."
        pictures.append(ReportPicture(path=path, caption=caption.strip()))
    return pictures


def _asked(chain: ArmChain) -> TrainedModel:
    model = TrainedModel.load(chain.model)
    for part in (model.backbone, model.heads):
        if part is not None:
            part.eval()
    return model


def _content(
    plan: Plan,
    setting: Setting,
    groups: Mapping[str, Sequence[str]],
    rows: Sequence[MetricRow],
    differences: tuple[Sequence[Comparison], Sequence[Comparison]],
    costs: Mapping[str, Tree],
) -> Tree:
    told = asdict(setting)
    found, trivial = differences
    return {
        "schema": SCHEMA,
        "plan": plan.name,
        "setting": {name: dict(value) if isinstance(value, Mapping) else value for name, value in told.items()},
        "clips": {name: len(ids) for name, ids in groups.items()},
        "arms": [
            {"name": arm.name, "title": arm.title, "against": arm.against, **costs[arm.name]} for arm in plan.arms
        ],
        "rows": [
            {
                "name": row.name,
                "unit": row.unit,
                "better": row.better,
                "floor": row.floor,
                "values": {name: _rounded(asdict(interval)) for name, interval in row.values.items()},
            }
            for row in rows
        ],
        "comparisons": [_told(one) for one in found],
        "beside_trivial": [_told(one) for one in trivial],
    }


def _told(one: Comparison) -> Tree:
    return {
        **{name: value for name, value in asdict(one).items() if name != "interval"},
        **_rounded(asdict(one.interval)),
        "verdict": one.verdict,
        "sentence": one.sentence,
    }


def _rounded(values: Tree) -> Tree:
    return {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in values.items()}


def _write_json(path: Path, content: Tree) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
