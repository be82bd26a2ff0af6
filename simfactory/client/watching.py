"""Events as they come, over any number of connections; and how a job goes, until it has ended."""

import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx
from pydantic import TypeAdapter

from simfactory.client.events import EventReader, ServerEvent
from simfactory.client.problems import parsed_text
from simfactory.client.retries import Retries
from simfactory.client.session import QUIET_SECONDS, Session
from simfactory.client.wire import Call, segment
from simfactory.errors import ServiceError
from simfactory.protocol import Event, Job

__all__ = ["ENDED", "PATIENT", "listen", "watch"]

ENDED = frozenset({"completed", "cancelled", "failed"})
PATIENT = Retries(attempts=12)  # about forty seconds: a service that is started anew is waited for
POLL_SECONDS = 2.0
_PATH = "/v1/events"
_EVENT = TypeAdapter(Event)
_JOB = TypeAdapter(Job)

log = logging.getLogger(__name__)


async def listen(session: Session, job: str | None, *, after: int | None) -> AsyncGenerator[list[Event], None]:
    """Yield the events of each piece of the stream, none for a sign of life alone; a broken stream is taken up again.

    Args:
        session: Connection to the service.
        job: Only events of this job.
        after: Id of the last event that is known already.

    Raises:
        ServiceError: The service refuses, or stays away.
    """
    last, failures = None if after is None else str(after), 0
    while True:
        headers = {"Accept": "text/event-stream"} | ({} if last is None else {"Last-Event-ID": last})
        call = Call(method="GET", path=_PATH, query={"job": job}, headers=headers)
        reader = EventReader()
        failure: httpx.Response | httpx.TransportError
        try:
            async with session.transport.stream(call, quiet=QUIET_SECONDS) as (response, chunks):
                failure = response
                if response.is_success:
                    _check_kind(response)
                    yield []  # what happened before is to be looked up
                    async for chunk in chunks:
                        failures = 0
                        found = reader.feed(chunk)
                        last = (found[-1].id or last) if found else last
                        yield [_event(one) for one in found]
                    failure = httpx.RemoteProtocolError("the stream ended")
        except httpx.ReadTimeout as error:
            failure = error
            yield []  # no heartbeat: what happened is to be looked up
        except httpx.TransportError as error:
            failure = error
        failures += 1
        await session.pause_after(failure, call, failures)


async def watch(session: Session, job: str, *, every: float) -> AsyncGenerator[Job, None]:
    """Yield a job now and whenever it has changed, until it has ended; see `AsyncClient.watch`."""
    last, call = None, Call(method="GET", path=f"/v1/jobs/{segment(job)}")
    async with aclosing(_ticks(session, job, every)) as ticks:
        async for _ in ticks:
            found = await session.ask(_JOB, call, retries=session.retries if last is None else PATIENT)
            if found != last:
                yield found
            last = found
            if found.state in ENDED:
                return


async def _ticks(session: Session, job: str, every: float) -> AsyncGenerator[None, None]:
    """Yield when the job is to be looked at: now, after events, and from time to time where there is no stream."""
    yield
    try:
        async with aclosing(listen(Session(session.endpoint, session.transport, PATIENT), job, after=None)) as pieces:
            due = 0.0
            async for _ in pieces:
                wait = due - time.monotonic()
                if wait > 0:
                    await session.transport.sleep(wait)  # what comes meanwhile is part of the next look
                yield
                due = time.monotonic() + every
    except ServiceError as error:
        if error.status in (401, 403):
            raise
        log.info("events cannot be listened to, job %s is looked at every %g s: %s", job, POLL_SECONDS, error)
    while True:
        await session.transport.sleep(max(every, POLL_SECONDS))
        yield


def _check_kind(response: httpx.Response) -> None:
    kind = response.headers.get("Content-Type", "")
    if not kind.startswith("text/event-stream"):
        raise ServiceError(f"{_PATH} answers {kind or 'something'} instead of a stream of events", status=406)


def _event(found: ServerEvent) -> Event:
    return parsed_text(_EVENT, found.data, asked=f"GET {_PATH}")
