"""Which of two clips a model finds likelier: an intact one, or the same with broken physics."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch

from simfactory.errors import SpecError
from training.data import Framing, WindowKey, Windows, collate
from training.dpo import PairDataset, Pairs
from training.dpo.objective import pair_errors
from training.dpo.pairs import LOSER
from training.evaluation._inputs import Float64
from training.evaluation.bootstrap import Interval, bootstrap_interval
from training.model import Backbone, ClipFormat, TrainedModel
from training.objectives import Draws, Encoded, encoded

__all__ = ["PairScore", "PreferenceRow", "preference_rows", "score_pairs", "write_preferences"]

TIME_COUNT = 8
ALL = "all"


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class PairScore:
    """The errors of models on both clips of a pair.

    Attributes:
        winner: Id of the intact clip.
        loser: Id of the broken one.
        violation: What is broken.
        errors: Name of a model → (e(w), e(l)), means over several times with the same noise for both.
    """

    winner: str
    loser: str
    violation: str
    errors: Mapping[str, tuple[float, float]]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class PreferenceRow:
    """What a model prefers among the pairs of a violation.

    Attributes:
        violation: What is broken; `all` = the pairs of every violation.
        model: Name of the model.
        share: Share of the pairs in which e(w) < e(l), mean over intact clips; equal errors count half. A model that
            cannot tell has 0.5.
        relative: Share in which e(w) − e(l) is less than that of the reference; None of the reference itself.
        equal: Pairs whose two errors are equal: the clips do not differ in the frames that are looked at.
        winner_error: Mean e(w).
    """

    violation: str
    model: str
    share: Interval
    relative: Interval | None
    equal: int
    winner_error: float


@torch.no_grad()
def score_pairs(
    models: Mapping[str, TrainedModel], pairs: Pairs, *, clip: ClipFormat, seed: int, limit: int
) -> Iterator[PairScore]:
    """Yield the errors on each pair, from its first frame on.

    The first frame and the caption are given; errors are means over 8 times, evenly spaced between 0 and 1.

    Args:
        models: By name; with their devices.
        pairs: The pairs.
        clip: Length and size that the models take.
        seed: Of the noise; a pair gets its own, and every model the same.
        limit: Pairs at most.

    Raises:
        SpecError: A clip is shorter than the models' clips.
    """
    dataset = PairDataset(
        [pairs], windows=Windows(length=clip.frame_count), framing=Framing(size=(clip.height, clip.width))
    )
    for number, row in enumerate(pairs.losers.dataset.rows()):
        if number == limit:
            return
        loser, frames = str(row["clip_id"]), int(str(row["frame_count"]))
        if frames < clip.frame_count:
            raise SpecError(
                f"clip {loser} has {frames} frames, the models take {clip.frame_count}: give a dataset of longer clips"
            )
        batch = collate([dataset[WindowKey(source=0, clip_id=loser, start=0)]])
        errors: dict[str, tuple[float, float]] = {}
        for name, model in models.items():
            backbone = model.backbone
            moved = batch.to(next(backbone.parameters()).device)
            given = encoded(backbone, moved, [True])
            losing = backbone.encode(moved[LOSER].transpose(1, 2).to(given.latents))
            errors[name] = _errors(backbone, given, losing, seed=seed + number)
        yield PairScore(winner=pairs.winner_of[loser], loser=loser, violation=str(row["violation"]), errors=errors)


def _errors(backbone: Backbone, given: Encoded, losing: torch.Tensor, *, seed: int) -> tuple[float, float]:
    shape = (TIME_COUNT, *losing.shape[1:])
    draws = Draws(
        noise=torch.randn(shape, generator=torch.Generator().manual_seed(seed)),
        times=(torch.arange(TIME_COUNT) + 0.5) / TIME_COUNT,
        gives_first_frame=True,
        keeps_text=(True,) * TIME_COUNT,
    )
    repeated = Encoded(
        latents=given.latents.expand(shape),
        first_frame=given.first_frame.expand(TIME_COUNT, *given.first_frame.shape[1:]),
        text=given.text.expand(TIME_COUNT, *given.text.shape[1:]),
    )
    (winner, lost), _ = pair_errors(backbone, repeated, losing.expand(shape), draws)
    return float(winner.double().mean()), float(lost.double().mean())


def preference_rows(scores: Sequence[PairScore], *, reference: str, seed: int) -> list[PreferenceRow]:
    """Return shares by violation and model, with 95 % bootstrap intervals over intact clips.

    Args:
        scores: Of all pairs.
        reference: Name of the model that others are compared with.
        seed: Of the bootstrap.

    Raises:
        SpecError: There is no pair, or an error is not finite.
    """
    if not scores:
        raise SpecError("there are no pairs to compare")
    rows = []
    for violation in (ALL, *sorted({score.violation for score in scores})):
        chosen = [score for score in scores if violation in (ALL, score.violation)]
        base = np.array([score.errors[reference] for score in chosen])
        for model in chosen[0].errors:
            errors = np.array([score.errors[model] for score in chosen])
            if not np.isfinite(errors).all():
                raise SpecError(
                    f"model {model}: an error is not finite (violation {violation}): look at its weights and the clips"
                )
            gap, base_gap = errors[:, 1] - errors[:, 0], base[:, 1] - base[:, 0]
            rows.append(
                PreferenceRow(
                    violation=violation,
                    model=model,
                    share=bootstrap_interval(_by_winner(chosen, gap), seed=seed),
                    relative=None
                    if model == reference
                    else bootstrap_interval(_by_winner(chosen, gap - base_gap), seed=seed),
                    equal=int((gap == 0.0).sum()),
                    winner_error=float(errors[:, 0].mean()),
                )
            )
    return rows


def _by_winner(scores: Sequence[PairScore], gap: Float64) -> Float64:
    """Return for each intact clip the share of its losers with more error than it; the same error counts half.

    Losers of one clip are not independent, so that clips and not pairs are resampled.
    """
    found: dict[str, list[float]] = {}
    for score, value in zip(scores, gap, strict=True):
        found.setdefault(score.winner, []).append(0.5 * (1.0 + float(np.sign(value))))
    return np.array([sum(values) / len(values) for values in found.values()])


def write_preferences(
    scores: Sequence[PairScore], folder: Path, *, reference: str, seed: int, notes: Sequence[str]
) -> Path:
    """Write `preferences.json`, with every pair, and `preferences.md`; return the latter.

    Args:
        scores: Of all pairs.
        folder: Where to.
        reference: As in `preference_rows`.
        seed: As there.
        notes: Sentences on what was compared.
    """
    rows = preference_rows(scores, reference=reference, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "notes": list(notes),
        "reference": reference,
        "rows": [asdict(row) for row in rows],
        "pairs": [asdict(score) for score in scores],
    }
    (folder / "preferences.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    lines = ["# Preferences", "", *(f"- {note}" for note in notes), ""]
    lines += [
        f"| violation | intact clips | model | prefers the intact | more than {reference} does | equal | e(intact) |"
    ]
    lines += ["|---|---|---|---|---|---|---|"]
    for row in rows:
        relative = "" if row.relative is None else _told(row.relative)
        lines.append(
            f"| {row.violation} | {row.share.clip_count} | {row.model} | {_told(row.share)} | {relative} | {row.equal} "
            f"| {row.winner_error:.4f} |"
        )
    path = folder / "preferences.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _told(interval: Interval) -> str:
    return f"{interval.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
