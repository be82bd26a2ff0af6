"""Requests with retries, pages, and streams that are taken up again: what all calls of the client are made of."""

import itertools
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TypeVar

import httpx

from simfactory.client.endpoint import Endpoint
from simfactory.client.problems import parsed, parsed_text, refusal, unreachable
from simfactory.client.retries import Retries
from simfactory.client.transport import Transport
from simfactory.client.wire import Call, Page, Schema

__all__ = ["QUIET_SECONDS", "Session"]

T = TypeVar("T")

QUIET_SECONDS = 30.0  # without a byte; the service's heartbeats come more often


class Session:
    """A connection to one endpoint.

    Attributes:
        endpoint: The endpoint.
        transport: How requests get there.
        retries: Which are sent again.
    """

    def __init__(self, endpoint: Endpoint, transport: Transport, retries: Retries) -> None:
        self.endpoint, self.transport, self.retries = endpoint, transport, retries

    async def ask(self, schema: Schema[T], call: Call, *, retries: Retries | None = None) -> T:
        """Return the answer to a request.

        Raises:
            ServiceError: The service is not there, refuses it, or answers something else.
        """
        return parsed(schema, await self.reply(call, retries=retries))

    async def reply(self, call: Call, *, retries: Retries | None = None) -> httpx.Response:
        """Return the answer to a request as it is; see `ask`."""
        patience = retries or self.retries
        for attempt in itertools.count(1):
            try:
                response = await self.transport.send(call)
            except httpx.TransportError as error:
                pause = patience.after_error(error, call, attempt)
                if pause is None:
                    raise unreachable(self.endpoint, error) from error
            else:
                if response.is_success:
                    return response
                pause = patience.after_answer(response, call, attempt)
                if pause is None:
                    raise refusal(response)
            await self.transport.sleep(pause)
        raise AssertionError("the loop above has no end")

    async def listed(
        self, schema: Schema[Page[T]], path: str, query: Mapping[str, str | int | None]
    ) -> AsyncGenerator[T, None]:
        """Yield the items of a listing, page by page."""
        cursor: str | None = None
        while True:
            page = await self.ask(schema, Call(method="GET", path=path, query={**query, "cursor": cursor}))
            for item in page.items:
                yield item
            if page.next is None:
                return
            cursor = page.next

    async def lines(self, schema: Schema[T], call: Call) -> AsyncGenerator[T, None]:
        """Yield the lines of a stream of JSON lines; one that breaks off is read again from where it was."""
        count, failures = 0, 0
        while True:
            before = count
            try:
                async with aclosing(self._lines(call, skip=count)) as lines:
                    async for line in lines:
                        count += 1
                        yield parsed_text(schema, line, asked=f"{call.method} {call.path}")
                return
            except httpx.TransportError as error:
                failures = 1 if count > before else failures + 1
                await self.pause_after(error, call, failures)

    async def pause_after(self, failure: httpx.TransportError | httpx.Response, call: Call, failures: int) -> None:
        """Wait before a stream is asked for again.

        Raises:
            ServiceError: It failed too often in a row.
        """
        if isinstance(failure, httpx.Response):
            pause = self.retries.after_answer(failure, call, failures)
            if pause is None:
                raise refusal(failure)
        else:
            pause = self.retries.after_error(failure, call, failures)
            if pause is None:
                raise unreachable(self.endpoint, failure) from failure
        await self.transport.sleep(pause)

    async def _lines(self, call: Call, *, skip: int) -> AsyncGenerator[bytes, None]:
        failures = 0
        while True:
            async with self.transport.stream(call, quiet=QUIET_SECONDS) as (response, chunks):
                if response.is_success:
                    rest, number = b"", 0
                    async for chunk in chunks:
                        *whole, rest = (rest + chunk).split(b"\n")
                        for line in whole:
                            number += 1
                            if number > skip:
                                yield line
                    if rest and number >= skip:
                        yield rest
                    return
            failures += 1
            await self.pause_after(response, call, failures)
