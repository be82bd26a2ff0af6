"""`simfactory-train eval`: models on held-out clips, or generated videos on Physics-IQ."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simfactory.errors import SpecError
from training.loading import loaded_model, size_of

if TYPE_CHECKING:
    from training.data import Source
    from training.evaluation.held_out import Reader
    from training.evaluation.result import EvalClip
    from training.evaluation.videoset import VideoSet
    from training.model import ClipFormat, TrainedModel

__all__ = ["COMMAND"]


def evaluate(
    out: Annotated[Path, typer.Option(help="Folder of the report: eval.json, report.md, .json, .html, pictures.")],
    model: Annotated[list[str] | None, typer.Option(help="RUN/model, or NAME=RUN/model; may be repeated.")] = None,
    data: Annotated[Path | None, typer.Option(help="Dataset of simulated clips that no model was trained on.")] = None,
    pairs: Annotated[
        str | None, typer.Option(help="Dataset of intact and broken physics: which of both models prefer.")
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the clips; empty = all.")] = "test",
    limit: Annotated[int, typer.Option(min=1, help="Clips at most.")] = 64,
    geometry: Annotated[str, typer.Option(help="What reads depth and flow: heads, estimators.")] = "heads",
    flow: Annotated[str, typer.Option(help="Flow estimator.")] = "dis_flow",
    depth: Annotated[str, typer.Option(help="Depth estimator; empty = none.")] = "",
    features: Annotated[str, typer.Option(help="Extractor of the Fréchet distance of all videos; empty = none.")] = (
        "random3d"
    ),
    lpips: Annotated[bool, typer.Option(help="Measure LPIPS, which needs its package.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of noise and bootstrap.")] = 0,
    steps: Annotated[int, typer.Option(min=1, help="Steps from noise to a clip.")] = 30,
    guidance: Annotated[float, typer.Option(help="Above 1, captions count more.")] = 1.0,
    shift: Annotated[float, typer.Option(help="Above 1, more of the steps are spent at high noise.")] = 5.0,
    geometry_time: Annotated[float, typer.Option(help="Time of the noise at which heads read a clip.")] = 0.1,
    frames: Annotated[int, typer.Option(min=2, help="Frames, if no model says.")] = 17,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT, if no model says.")] = "64x64",
    pictures: Annotated[int, typer.Option(min=0, help="Clips of which pictures are made.")] = 2,
    physics_iq: Annotated[Path | None, typer.Option(help="Folder of the Physics-IQ benchmark.")] = None,
    videos: Annotated[Path | None, typer.Option(help="Folder of generated videos for it.")] = None,
    seconds: Annotated[float, typer.Option(help="What Physics-IQ compares of each video.")] = 5.0,
    allow_missing: Annotated[bool, typer.Option(help="Cases of Physics-IQ may lack a video.")] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …; auto: a GPU where there is one.")] = "auto",
) -> None:
    """Measure models on held-out clips, beside the truth's own figures and predictors that know nothing."""
    if (physics_iq is None) != (videos is None):
        raise SpecError("Physics-IQ needs both: --physics-iq, its folder, and --videos, the generated ones")
    if physics_iq is not None and videos is not None:
        _physics_iq(physics_iq, videos, out, seconds=seconds, allow_missing=allow_missing)
        if data is None:
            return
    if model and pairs is not None:
        _preferences(model, pairs, out, split=split, limit=limit, seed=seed, device=device)
        if data is None:
            return
    if not model or data is None:
        raise SpecError("give --model and --data, --model and --pairs, or --physics-iq and --videos")
    from training.evaluation.features import load_extractor
    from training.evaluation.held_out import Reader, common_format
    from training.evaluation.lpips import Lpips
    from training.evaluation.videoset import VideoSet
    from training.model import ClipFormat
    from training.predicting import Sampling

    sampling = Sampling(step_count=steps, guidance=guidance, shift=shift, geometry_time=geometry_time)
    where = "cpu" if device == "auto" else device
    reader = Reader(
        geometry=_geometry(geometry),
        estimators=_estimators(geometry, depth, flow, where),
        sampling=sampling,
        lpips=Lpips.load(device=where) if lpips else None,
    )
    videos_of = VideoSet(load_extractor(features, device=where)) if features else None
    models = {name: loaded_model(path, device) for name, path in _named(model).items()}
    source = _source(data, split, limit)
    clip = common_format(models)
    if clip is None:
        height, width = size_of(size)
        rate = float(source.dataset.table["fps"][0].as_py())
        clip = ClipFormat(frame_count=frames, height=height, width=width, fps=rate)
    notes = _notes(models, source, clip, reader, split=split, seed=seed)
    _evaluate(models, source, clip, reader, out, videos_of, notes=notes, seed=seed, picture_count=pictures)


def _evaluate(
    models: Mapping[str, "TrainedModel"],
    source: "Source",
    clip: "ClipFormat",
    reader: "Reader",
    out: Path,
    videos: "VideoSet | None",
    *,
    notes: list[str],
    seed: int,
    picture_count: int,
) -> None:
    from training.evaluation.held_out import evaluate_clips
    from training.evaluation.pictures import write_picture
    from training.evaluation.report import Report, ReportPicture, write_report
    from training.evaluation.result import EvalResult, metric_rows, result_curves

    clips: list[EvalClip] = []
    pictures: list[ReportPicture] = []
    for found in evaluate_clips(models, source, clip=clip, reader=reader, seed=seed):
        clips.append(found.scores)
        if videos is not None:
            videos.add(found)
        if len(pictures) < picture_count:
            path = write_picture(found.truth, found.predictions, out / "pictures" / f"{found.truth.clip_id}.png")
            pictures.append(ReportPicture(path=path, caption=f"Clip {found.truth.clip_id}: {found.truth.caption}"))
        typer.echo(f"clip {found.truth.clip_id} ({len(clips)} of {len(source.dataset)})")
    result = EvalResult(title="Held-out clips", notes=notes, clips=clips)
    result.save(out)
    distances = videos.distances() if videos is not None else None
    files = write_report(
        Report(
            title=result.title,
            rows=metric_rows(result, seed=seed),
            notes=notes,
            curves=[*([distances] if distances else []), *result_curves(result)],
            pictures=pictures,
        ),
        out,
    )
    typer.echo(f"{files.html}: {len(clips)} clips, {len(result.columns)} columns")


def _preferences(given: list[str], path: str, out: Path, *, split: str, limit: int, seed: int, device: str) -> None:
    from training.data import ClipQuery
    from training.dpo import open_pairs
    from training.evaluation.held_out import common_format
    from training.evaluation.preferences import score_pairs, write_preferences

    pairs = open_pairs(path, query=ClipQuery(split=(split,) if split else ()))
    models = {name: loaded_model(folder, device) for name, folder in _named(given).items()}
    clip = common_format(models)
    if clip is None:
        raise SpecError("--pairs: no model says what clips it takes; give models that simfactory-train made")
    scores = list(score_pairs(models, pairs, clip=clip, seed=seed, limit=limit))
    notes = [
        f"{len(scores)} pairs of {path}, split {split or 'any'}; the first {clip.frame_count} frames, "
        f"{clip.width}x{clip.height} px.",
        "A model prefers the clip on which its flow-matching error is lower: mean over 8 times, the same noise for "
        f"both, first frame and caption given; seed {seed}.",
        "Intervals: 95 %, bootstrap over intact clips, of which each may have several losers. Equal errors count half.",
    ]
    written = write_preferences(scores, out, reference=next(iter(models)), seed=seed, notes=notes)
    typer.echo(f"{written}: {len(scores)} pairs")


def _geometry(name: str) -> Any:  # Any: one of two literals
    if name not in ("heads", "estimators"):
        raise SpecError(f"--geometry {name!r}: choose heads or estimators")
    return name


def _estimators(geometry: str, depth: str, flow: str, device: str) -> Any:  # Any: the class is imported below
    from training.estimators import load_depth_estimator, load_flow_estimator
    from training.evaluation.held_out import Estimators

    if geometry != "estimators":
        return Estimators(depth=None, flow=None)
    return Estimators(
        depth=load_depth_estimator(depth, device=device) if depth else None,
        flow=load_flow_estimator(flow, device=device) if flow else None,
    )


def _named(models: list[str]) -> dict[str, str]:
    """Return name → path of models: what stands before "=", else the folder's name, or the run's for RUN/model."""
    found: dict[str, str] = {}
    for given in models:
        name, _, path = given.rpartition("=")
        if not name:
            folder = Path(path)
            name = folder.parent.name if folder.name == "model" and folder.parent.name else folder.name
        if name in found:
            raise SpecError(f"two models are called {name!r}: name them, --model FIRST={found[name]}")
        found[name] = path
    return found


def _source(data: Path, split: str, limit: int) -> "Source":
    from dataclasses import replace

    from training.data import ClipQuery, open_source

    source = open_source(data, query=ClipQuery(split=(split,) if split else (), source=("simulation",)))
    return replace(source, dataset=source.dataset.where(clip_id=[*source.dataset.ids[:limit]]))


def _notes(
    models: Mapping[str, "TrainedModel"],
    source: "Source",
    clip: "ClipFormat",
    reader: "Reader",
    *,
    split: str,
    seed: int,
) -> list[str]:
    sampling = reader.sampling
    notes = [
        f"{len(source.dataset)} clips of {source.name}, split {split or 'any'}; {clip.frame_count} frames of "
        f"{clip.width}x{clip.height} px; models: {', '.join(models)}.",
        f"Videos: {sampling.step_count} steps, guidance {sampling.guidance:g}, shift {sampling.shift:g}, seed {seed} + "
        "number of the clip, from the first frame and the caption.",
    ]
    if reader.geometry == "heads":
        notes.append(f"Geometry: heads, one pass at t = {sampling.geometry_time:g} without a prompt.")
        bare = [name for name, model in models.items() if model.heads is None]
        notes += [f"Without heads, so without geometry: {', '.join(bare)}."] if bare else []
    else:
        used = [one.version for one in (reader.estimators.depth, reader.estimators.flow) if one is not None]
        notes.append(f"Geometry: estimated from colours by {', '.join(used)}; depth of unknown scale is aligned first.")
    rates = sorted({float(value) for value in source.dataset.table["fps"].to_pylist()})
    if any(abs(rate / clip.fps - 1.0) > 0.01 for rate in rates):
        notes.append(f"The clips have {', '.join(f'{rate:g}' for rate in rates)} fps, the models make {clip.fps:g}.")
    return notes


def _physics_iq(benchmark: Path, videos: Path, out: Path, *, seconds: float, allow_missing: bool) -> None:
    from training.evaluation import run_physics_iq

    table = out / "physics_iq.json"
    found = run_physics_iq(benchmark, videos, table=table, duration=seconds, allow_missing=allow_missing)
    score = found.score
    typer.echo(
        f"{table}: Physics-IQ {score.score:.1f}, verified {score.verified_score:.1f}, of {len(found.rows)} videos"
        f"{f'; {len(found.missing)} cases have none, so it is not the score of the benchmark' if found.missing else ''}"
    )


COMMAND = evaluate
