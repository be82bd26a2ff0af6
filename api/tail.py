"""The end of the list of events, read once for all who listen, and the newest figures beside it."""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sse_starlette import ServerSentEvent
from starlette.concurrency import run_in_threadpool

from api.database import Database, newest_event
from api.tables import EventRow
from api.telemetry import History
from simfactory.protocol import Event

__all__ = ["Tail", "encoded", "events_after"]

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
KEPT = 2000  # events
BATCH = 500
FAULT_SECONDS = 2.0


def events_after(database: Database, last: int, job: str | None = None) -> tuple[list[Event], int]:
    """Return the events after one, in their order, and up to which one that is all there are."""
    with database.reading() as session:
        newest = newest_event(session)
        query = select(EventRow).where(EventRow.id > last, EventRow.id <= newest).order_by(EventRow.id).limit(BATCH)
        if job is not None:
            query = query.where(EventRow.job == job)
        found = [
            Event(id=row.id, at=row.at, kind=row.kind, job=row.job, data=row.data) for row in session.scalars(query)
        ]
    return found, found[-1].id if len(found) == BATCH else max(newest, last)


def encoded(event: Event) -> bytes:
    """Return an event as it is sent."""
    return bytes(ServerSentEvent(id=str(event.id), event=event.kind, data=event.model_dump_json()).encode())


class Tail:
    """Reads new events, encodes each once, and wakes those who listen; lives in the event loop.

    Args:
        database: Where events are.
        history: The figures.

    Attributes:
        changed: Is set at the next news, and replaced by another one then.
        telemetry: The newest figures as they are sent; empty before the first.
        sample: Their time.
    """

    def __init__(self, database: Database, history: History) -> None:
        self._database, self._history = database, history
        self.changed = anyio.Event()
        self.telemetry, self.sample = b"", 0.0
        self._kept: deque[tuple[int, str | None, bytes]] = deque()
        self._floor, self._last = 0, -1  # all events after the one, up to the other, are kept
        self._listeners = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Be one who listens: while there is none, nothing is read."""
        self._listeners += 1
        try:
            yield
        finally:
            self._listeners -= 1

    def after(self, last: int, job: str | None) -> tuple[bytes, int] | None:
        """Return the events after one as they are sent, and where it goes on; None if they are not kept (any more)."""
        if self._last < 0 or last < self._floor:
            return None
        if last >= self._last:
            return b"", last
        found = []
        for identity, owner, text in reversed(self._kept):
            if identity <= last:
                break
            if job is None or job == owner:
                found.append(text)
        return b"".join(reversed(found)), self._last

    async def run(self) -> None:
        """Read for ever."""
        while True:
            try:
                await self._read()
            except SQLAlchemyError as error:  # the next round may do better; streams are told nothing meanwhile
                logger.error("events cannot be read: %s", error)
                await anyio.sleep(FAULT_SECONDS)
            await anyio.sleep(POLL_SECONDS)

    async def _read(self) -> None:
        if not self._listeners:
            self._last = -1  # what happens now is nobody's news: whoever comes begins at the database
            return
        if self._last < 0:
            self._kept.clear()
            self._floor = self._last = await run_in_threadpool(_newest, self._database)
        found, last = await run_in_threadpool(events_after, self._database, self._last)
        self._kept.extend((event.id, event.job, encoded(event)) for event in found)
        self._last = last
        while len(self._kept) > KEPT:
            self._floor = self._kept.popleft()[0]
        sample = self._history.newest
        is_new = sample is not None and sample.at != self.sample
        if sample is not None and is_new:
            self.sample = sample.at
            self.telemetry = bytes(ServerSentEvent(event="telemetry", data=sample.model_dump_json()).encode())
        if found or is_new:
            self.changed.set()
            self.changed = anyio.Event()


def _newest(database: Database) -> int:
    with database.reading() as session:
        return newest_event(session)
