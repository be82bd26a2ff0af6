"""Pairs of clips: an intact one, and the one of the same episode and camera in which a law of physics is broken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast, final

import torch.utils.data

from simfactory.dataset import open_dataset
from simfactory.errors import StoreError
from simfactory.store import JSON
from training.data import ClipQuery, Framing, Sample, Source, WindowDataset, WindowKey, Windows, select_clips

__all__ = ["LOSER", "PairDataset", "Pairs", "open_pairs"]

LOSER = "loser_rgb"
_ALIKE = ("frame_count", "height", "width", "fps", "camera")


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Pairs:
    """The pairs of one dataset.

    Attributes:
        losers: The clips of broken physics; windows are drawn from them.
        winners: The intact clips.
        winner_of: Id of a loser → id of its winner.
    """

    losers: Source
    winners: Source
    winner_of: Mapping[str, str]


def open_pairs(path: str, *, query: ClipQuery | None = None, name: str = "", weight: float | None = None) -> Pairs:
    """Open a dataset, and find the losers that a query wants, and the winner of each.

    Args:
        path: As `simfactory.open_dataset` takes it.
        query: Which losers; without violations, those of all. None = all.
        name: Name of the source; empty = the path.
        weight: See `Source`.

    Raises:
        StoreError: There is no dataset, no loser that the query wants, a winner is missing, or it differs from its
            loser in size, length, rate or camera.
    """
    whole, query = open_dataset(path, violation=None), query or ClipQuery()
    kinds = sorted({str(kind) for kind in whole.table["violation"].to_pylist()} - {""})
    if not kinds:
        raise StoreError(
            f"{path}: none of its {len(whole)} clips has broken physics, so there is no pair; `simfactory generate "
            "--broken gravity,teleport` records such clips beside intact ones"
        )
    wanted = tuple(kind for kind in query.violation if kind) or tuple(kinds)
    losers = select_clips(whole, replace(query, violation=wanted))
    rows = {str(row["clip_id"]): row for row in whole.rows()}
    winner_of: dict[str, str] = {}
    for row in losers.rows():
        loser, winner = str(row["clip_id"]), str(row["pair"] or "")
        _check_pair(path, row, rows.get(winner))
        winner_of[loser] = winner
    winners = whole.where(clip_id=cast(JSON, sorted(set(winner_of.values()))))
    return Pairs(
        losers=Source(name=name or path, dataset=losers, weight=weight),
        winners=Source(name=name or path, dataset=winners),
        winner_of=winner_of,
    )


def _check_pair(path: str, loser: Mapping[str, JSON], winner: Mapping[str, JSON] | None) -> None:
    if winner is None or winner["violation"]:
        raise StoreError(
            f"{path}: clip {loser['clip_id']} ({loser['violation']}) is to be compared with the intact clip "
            f"{loser['pair'] or '(none is named)'}, which is not there: run `simfactory generate` again, or leave the "
            "clip out by --split, --category, --tier or --range"
        )
    wrong = [f"{name} {loser[name]} and {winner[name]}" for name in _ALIKE if loser[name] != winner[name]]
    if wrong:
        raise StoreError(
            f"{path}: clip {loser['clip_id']} ({loser['violation']}) and its intact clip {loser['pair']} differ in "
            f"{', '.join(wrong)}; a pair is alike in these: record both with the same settings"
        )


@final
class PairDataset(torch.utils.data.Dataset[Sample]):
    """Reads the same window of both clips of a pair by the key of the loser's; see `WindowDataset`.

    A sample has `rgb` of the winner and `loser_rgb` of the loser, both `(frame, 3, height, width)` in −1 … 1; its clip
    id names both, `WINNER>LOSER`.

    Args:
        pairs: Where keys point to.
        windows: Length of the windows.
        framing: Crop and size.
    """

    def __init__(self, pairs: Sequence[Pairs], *, windows: Windows, framing: Framing | None = None) -> None:
        self._winner_of = [each.winner_of for each in pairs]
        self._losers, self._winners = (
            WindowDataset(sources, windows=windows, outputs=("rgb",), framing=framing)
            for sources in ([each.losers for each in pairs], [each.winners for each in pairs])
        )

    def __getitem__(self, key: WindowKey) -> Sample:
        """Return the window of a pair.

        Raises:
            CorruptClip: Bytes of a clip are damaged.
            IndexError: The window does not lie inside the clips.
        """
        loser = self._losers[key]
        winner = self._winners[replace(key, clip_id=self._winner_of[key.source][key.clip_id])]
        tensors = {**winner.tensors, LOSER: loser["rgb"]}
        return replace(winner, tensors=tensors, clip_id=f"{winner.clip_id}>{loser.clip_id}")
