"""`/v1/events`: what happens, as server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, cast

import anyio
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from sse_starlette import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from api.database import Database, newest_event
from api.routes.dependencies import Stored
from api.security import needs
from api.tail import Tail, encoded, events_after
from simfactory.protocol import MAX_INT

__all__ = ["router"]

router = APIRouter(prefix="/v1/events", tags=["events"], dependencies=[Depends(needs("read"))])
WAIT_SECONDS = 0.5  # after which a stream to which nothing happens sees whether the service ends
PING_SECONDS = 15
FIELDS = {name: {"type": "string"} for name in ("id", "event", "data")}  # data: an `Event` as JSON
STREAM: dict[str, Any] = {  # Any: OpenAPI; the schema is that of each event
    "content": {"text/event-stream": {"schema": {"type": "object", "properties": FIELDS}}}
}
Last = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=MAX_INT)]
LastAsked = Annotated[
    int | None, Query(alias="last_event_id", ge=0, le=MAX_INT, description="The same, for who cannot set headers")
]
Job = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


@router.get("", response_class=Response, responses={200: STREAM})
async def events(
    request: Request,
    database: Stored,
    job: Job = None,
    last_event_id: Last = None,
    asked: LastAsked = None,
    limit: Annotated[int | None, Query(ge=1, le=10_000, description="End after so many; default: never")] = None,
    telemetry: Annotated[bool, Query(description="Send the newest `TelemetrySample` too, without an id")] = False,
) -> Response:
    """Stream events as they happen, from the one after `Last-Event-ID`; without it, from now on."""
    ending = anyio.Event()
    told = asked if last_event_id is None else last_event_id  # a browser that connects again knows better
    last = await run_in_threadpool(_newest, database) if told is None else told
    if limit is None:
        stream = _listen(database, cast(Tail, request.app.state.tail), ending, last, job, telemetry)
    else:
        stream = _read(database, ending, last, job, limit, to_end=told is not None)
    # The service's end is told to streams, which end in good order then.
    return EventSourceResponse(
        stream, ping=PING_SECONDS, shutdown_event=ending, shutdown_grace_period=2.0 * WAIT_SECONDS
    )


async def _listen(
    database: Database, tail: Tail, ending: anyio.Event, last: int, job: str | None, telemetry: bool
) -> AsyncIterator[bytes]:
    """Yield what happened since, from the database, and then what happens, as all others get it."""
    sample = 0.0
    with tail.listening():
        while not ending.is_set():  # whoever goes ends it too: see EventSourceResponse
            changed = tail.changed
            found = tail.after(last, job)
            if found is None:
                events, last = await run_in_threadpool(events_after, database, last, job)
                text = b"".join(encoded(event) for event in events)
            else:
                text, last = found
            if telemetry and sample != tail.sample:
                sample = tail.sample
                text += tail.telemetry
            if text:
                yield text
                continue
            with anyio.move_on_after(WAIT_SECONDS):
                await changed.wait()


async def _read(
    database: Database, ending: anyio.Event, last: int, job: str | None, limit: int, *, to_end: bool
) -> AsyncIterator[bytes]:
    """Yield so many events, or all there are after one."""
    while not ending.is_set():
        events, last = await run_in_threadpool(events_after, database, last, job)
        for event in events[:limit]:
            yield encoded(event)
        limit -= len(events)
        if limit <= 0 or (to_end and not events):
            return
        with anyio.move_on_after(WAIT_SECONDS):
            await ending.wait()


def _newest(database: Database) -> int:
    with database.reading() as session:
        return newest_event(session)
