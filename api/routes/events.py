"""`/v1/events`: what happens, as server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response
from sqlalchemy import select
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from api.database import Database, newest_event
from api.routes.dependencies import Stored
from api.security import needs
from api.tables import EventRow
from simfactory.protocol import MAX_INT, Event

__all__ = ["router"]

router = APIRouter(prefix="/v1/events", tags=["events"], dependencies=[Depends(needs("read"))])
POLL_SECONDS = 0.5
PING_SECONDS = 15
BATCH = 500
FIELDS = {name: {"type": "string"} for name in ("id", "event", "data")}  # data: an `Event` as JSON
STREAM: dict[str, Any] = {  # Any: OpenAPI; the schema is that of each event
    "content": {"text/event-stream": {"schema": {"type": "object", "properties": FIELDS}}}
}
Last = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=MAX_INT)]
Job = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


@router.get("", response_class=Response, responses={200: STREAM})
async def events(
    database: Stored,
    job: Job = None,
    last_event_id: Last = None,
    limit: Annotated[int | None, Query(ge=1, le=10_000, description="End after so many; default: never")] = None,
) -> Response:
    """Stream events as they happen, from the one after `Last-Event-ID`; without it, from now on."""
    ending = anyio.Event()

    async def stream() -> AsyncIterator[ServerSentEvent]:
        last = last_event_id
        if last is None:
            last = await run_in_threadpool(_newest, database)
        sent = 0
        while not ending.is_set():  # whoever goes ends it too: see EventSourceResponse
            found = await run_in_threadpool(_after, database, last, job)
            for event in found:
                last = event.id
                yield ServerSentEvent(id=str(event.id), event=event.kind, data=event.model_dump_json())
                sent += 1
                if limit is not None and sent >= limit:
                    return
            if limit is not None and last_event_id is not None and not found:
                return  # all there is was asked for
            with anyio.move_on_after(POLL_SECONDS):
                await ending.wait()

    # The service's end is told to streams, which end in good order then.
    return EventSourceResponse(
        stream(), ping=PING_SECONDS, shutdown_event=ending, shutdown_grace_period=2.0 * POLL_SECONDS
    )


def _newest(database: Database) -> int:
    with database.reading() as session:
        return newest_event(session)


def _after(database: Database, last: int, job: str | None) -> list[Event]:
    query = select(EventRow).where(EventRow.id > last).order_by(EventRow.id).limit(BATCH)
    if job is not None:
        query = query.where(EventRow.job == job)
    with database.reading() as session:
        return [
            Event(id=row.id, at=row.at, kind=row.kind, job=row.job, data=row.data) for row in session.scalars(query)
        ]
