"""Kinds of clips: those that a list cannot tell apart by its filters. A list by any filters is a merge of few kinds."""

import hashlib
import json
from collections.abc import Sequence

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from api.tables import ClipRow, KindRow

__all__ = ["KIND", "enter_kinds"]

# What clips of one kind have in common. Their job is not among it: there are too many jobs.
KIND = ("dataset", "category", "scene", "tier", "split", "backend", "preset")


def enter_kinds(session: Session, clips: Sequence[ClipRow]) -> None:
    """Give clips the numbers of their kinds; kinds that are new are entered."""
    known: set[int] = session.info.setdefault("kinds", set())  # in this transaction
    fresh: dict[int, dict[str, object]] = {}
    for clip in clips:
        values = [getattr(clip, name) for name in KIND]
        clip.kind = _number(values)
        if clip.kind not in known:
            fresh[clip.kind] = {"id": clip.kind, **dict(zip(KIND, values, strict=True))}
    if fresh:
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        with session.no_autoflush:  # a transaction's clips are written together
            session.execute(dialect.insert(KindRow).on_conflict_do_nothing(), list(fresh.values()))
        known.update(fresh)


def _number(values: Sequence[str]) -> int:
    """Return the number of a kind: it follows from the values, so that no two writers can disagree on it."""
    return int.from_bytes(hashlib.sha256(json.dumps(values).encode()).digest()[:7])
