"""Clips as the catalogue knows them, by page."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, select, text, true
from sqlalchemy.orm import Session, aliased

from api.paging import decode_cursor, encode_cursor
from api.problems import ProblemError
from api.tables import ClipRow, KindRow
from simfactory.protocol import Clip, ClipPage

__all__ = ["clip_page", "find_clip", "told"]

FIELDS = tuple(Clip.model_fields)
COLUMNS = [ClipRow.number, *(getattr(ClipRow, name) for name in FIELDS)]
NEARBY = 2000  # rows


def told(row: ClipRow | Row[Any]) -> Clip:  # Any: columns
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
    after = 0 if cursor is None else int(decode_cursor(secret, "clips", cursor)[0])
    rows = _found(session, wanted, after, limit + 1)
    following = encode_cursor(secret, "clips", [rows[limit - 1].number]) if len(rows) > limit else None
    return ClipPage(items=[told(row) for row in rows[:limit]], next=following)


def _found(session: Session, wanted: Mapping[str, str], after: int, count: int) -> Sequence[Row[Any]]:  # Any: columns
    """Return the next clips: none of the ways there looks at more than a few thousand rows, whatever is wanted."""
    base = [ClipRow.number > after]
    if "job" in wanted:
        base.append(ClipRow.job == wanted["job"])
    rest = {name: value for name, value in wanted.items() if name != "job"}
    clips = select(*COLUMNS).order_by(ClipRow.number).limit(count)
    if not rest or wanted.keys() == {"dataset"}:  # an index has them in order
        return session.execute(clips.where(*base, *_equal(ClipRow, rest))).all()
    # What is common is found nearby.
    nearby = session.scalar(select(ClipRow.number).where(*base).order_by(ClipRow.number).offset(NEARBY).limit(1))
    bound = [] if nearby is None else [ClipRow.number <= nearby]
    # As expressions, that no index is for: a database that went through one of a dataset's would miss the bound.
    same = [getattr(ClipRow, name).concat("") == value for name, value in rest.items()]
    rows = session.execute(clips.where(*base, *bound, *same)).all()
    if nearby is None or len(rows) == count:
        return rows
    return _merged(session, base, rest, count)


def _merged(
    session: Session, base: Sequence[ColumnElement[bool]], wanted: Mapping[str, str], count: int
) -> Sequence[Row[Any]]:  # Any: columns
    """Return the next clips of the kinds that have the wanted values: a look into the index for each, then a merge."""
    own = [*base, ClipRow.kind == KindRow.id]
    nearest = select(ClipRow.number).where(*own).order_by(ClipRow.number).limit(1).scalar_subquery()
    query = select(KindRow.id, nearest.label("nearest")).where(*_equal(KindRow, wanted))
    kinds = [row for row in session.execute(query.order_by(text("nearest NULLS LAST")).limit(count)) if row[1]]
    if not kinds:
        return []
    if len(kinds) == count:  # there are that many clips up to the last of these, so none beyond it is needed
        own.append(ClipRow.number <= kinds[-1][1])
    numbers = _first_numbers(session, own, [row[0] for row in kinds], count)
    return session.execute(select(*COLUMNS).where(ClipRow.number.in_(numbers)).order_by(ClipRow.number)).all()


def _first_numbers(
    session: Session, own: Sequence[ColumnElement[bool]], kinds: Sequence[int], count: int
) -> Sequence[int]:
    """Return the first numbers of clips of some kinds: a few of each are read, more only where they do not do."""
    size = max(16, 2 * count // len(kinds))
    while True:
        few = select(ClipRow.number).where(*own).order_by(ClipRow.number).limit(size).correlate(KindRow)
        found = aliased(ClipRow)
        if session.get_bind().dialect.name == "sqlite":
            own_few = and_(found.kind == KindRow.id, found.number.in_(few))  # the kind, for the index to do
            query = select(KindRow.id, found.number).join_from(KindRow, found, own_few)
        else:
            each = few.lateral()
            query = select(KindRow.id, each.c.number).join_from(KindRow, each, true())
        read: dict[int, list[int]] = {}
        for kind, number in session.execute(query.where(KindRow.id.in_(kinds))):
            read.setdefault(kind, []).append(number)
        known_up_to = min((max(each) for each in read.values() if len(each) == size), default=None)
        numbers = sorted(number for each in read.values() for number in each)
        if known_up_to is None or (len(numbers) >= count and numbers[count - 1] <= known_up_to):
            return numbers[:count]
        if len(numbers) >= count:  # the last one wanted is none beyond this
            own = [*own, ClipRow.number <= numbers[count - 1]]
        size *= 8


def _equal(table: type[ClipRow | KindRow], wanted: Mapping[str, str]) -> list[ColumnElement[bool]]:
    return [getattr(table, name) == value for name, value in wanted.items()]
