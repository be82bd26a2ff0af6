"""Several evaluations as one: of the clips that all of them have."""

from collections.abc import Mapping
from dataclasses import replace

from simfactory.errors import SpecError, StoreError
from training.evaluation.result import TRUTH, EvalClip, EvalResult
from training.evaluation.scoring import ClipScores

__all__ = ["joined"]

TRIVIAL = (TRUTH, "still", "background")


def joined(results: Mapping[str, EvalResult], *, first: str | None = None) -> EvalResult:
    """Return one result with the columns of all.

    Clips are those that all evaluations have. The truth and the trivial predictors, which follow from the clip alone,
    are taken once; where two evaluations have other columns of one name, the evaluation's name is put in front.

    Args:
        results: Name, e.g. its folder → evaluation.
        first: Column that comes first, with which others are compared; None = the first model's.

    Raises:
        SpecError: No clip is in all of them, or they saw a clip at different sizes; there is no such column.
        StoreError: There is none.
    """
    if not results:
        raise StoreError("there is no evaluation to join: `simfactory-train eval` makes one")
    names = [name for result in results.values() for name in result.columns if name not in TRIVIAL]
    twice = {name for name in names if names.count(name) > 1}
    renamed = {
        label: result.renamed({name: f"{label}: {name}" for name in result.columns if name in twice})
        for label, result in results.items()
    }
    by_id = {label: {clip.clip_id: clip for clip in result.clips} for label, result in renamed.items()}
    common = [clip_id for clip_id in next(iter(by_id.values())) if all(clip_id in clips for clips in by_id.values())]
    if not common:
        raise SpecError(f"no clip is in all of {', '.join(results)}: evaluate the models on the same data and split")
    clips = [_merged([clips[clip_id] for clips in by_id.values()]) for clip_id in common]
    left_out = sum(len(clips) for clips in by_id.values()) - len(common) * len(by_id)
    notes = [f"{label}: {note}" for label, result in results.items() for note in result.notes]
    notes.append(f"{len(common)} clips that all evaluations have; {left_out} rows of other clips are left out.")
    result = EvalResult(title="Evaluations, joined", notes=notes, clips=clips)
    return _led_by(result, first)


def _merged(clips: list[EvalClip]) -> EvalClip:
    floors = [clip.columns[TRUTH].values for clip in clips if TRUTH in clip.columns]
    if any(floor.get("warp") != floors[0].get("warp") for floor in floors):
        raise SpecError(
            f"clip {clips[0].clip_id} was seen at different sizes: its own figures differ; evaluate all models at one"
        )
    columns: dict[str, ClipScores] = {}
    for clip in clips:
        columns |= clip.columns
    return replace(clips[0], columns=columns)


def _led_by(result: EvalResult, first: str | None) -> EvalResult:
    models = [name for name in result.columns if name not in TRIVIAL]
    lead = first or (models or result.columns)[0]
    if lead not in result.columns:
        raise SpecError(f"there is no column {lead!r}; choose from {', '.join(map(repr, result.columns))}")
    clips = [
        replace(clip, columns=dict(sorted(clip.columns.items(), key=lambda column: column[0] != lead)))
        for clip in result.clips
    ]
    return replace(result, clips=clips)
