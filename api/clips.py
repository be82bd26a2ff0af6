"""Clips as the catalogue knows them, by page."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.paging import decode_cursor, encode_cursor
from api.problems import ProblemError
from api.tables import ClipRow
from simfactory.protocol import Clip, ClipPage

__all__ = ["clip_page", "find_clip", "told"]

FIELDS = tuple(Clip.model_fields)


def told(row: ClipRow) -> Clip:
    """Return a clip as it is told."""
    return Clip.model_validate({name: getattr(row, name) for name in FIELDS})


def find_clip(session: Session, identity: str) -> ClipRow:
    """Return a clip, of any dataset.

    Raises:
        ProblemError: There is none.
    """
    row = session.scalar(select(ClipRow).where(ClipRow.id == identity).limit(1))
    if row is None:
        raise ProblemError(404, f"there is no clip {identity!r}; GET /v1/clips lists them")
    return row


def clip_page(session: Session, secret: bytes, wanted: Mapping[str, str], cursor: str | None, limit: int) -> ClipPage:
    """Return clips whose columns have the wanted values, in the order of the catalogue."""
    query = select(ClipRow).order_by(ClipRow.number).limit(limit + 1)
    for column, value in wanted.items():
        query = query.where(getattr(ClipRow, column) == value)
    if cursor is not None:
        query = query.where(ClipRow.number > decode_cursor(secret, "clips", cursor)[0])
    rows = session.scalars(query).all()
    following = encode_cursor(secret, "clips", [rows[limit - 1].number]) if len(rows) > limit else None
    return ClipPage(items=[told(row) for row in rows[:limit]], next=following)
