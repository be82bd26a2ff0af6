"""How requests get out: blocking or with asyncio, behind one interface, so that the client is written once."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Generator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar, final

import httpx

from simfactory.client.endpoint import Endpoint
from simfactory.client.wire import Call

__all__ = ["AsyncTransport", "BlockingTransport", "Stream", "Transport", "iterated", "run"]

T = TypeVar("T")
Stream = tuple[httpx.Response, AsyncIterator[bytes]]

CONNECT_SECONDS = 5.0


class Transport(ABC):
    """Sends requests to one endpoint."""

    @abstractmethod
    async def send(self, call: Call) -> httpx.Response:
        """Send a request and return the whole answer."""

    @abstractmethod
    def stream(self, call: Call, *, quiet: float) -> AbstractAsyncContextManager[Stream]:
        """Send a request and return its answer piece by piece; an answer that is no success is read whole.

        Args:
            call: The request.
            quiet: Longest time without a byte [s].
        """

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """Wait."""

    @abstractmethod
    async def close(self) -> None:
        """Close all connections."""


@final
class BlockingTransport(Transport):
    """Blocks: its coroutines never wait for anything, so `run` can take each of them to its end in one go."""

    def __init__(self, endpoint: Endpoint, *, timeout: float) -> None:
        self._endpoint = endpoint
        self._http = httpx.Client(**_options(endpoint, timeout))

    async def send(self, call: Call) -> httpx.Response:
        """Send a request and return the whole answer."""
        return self._http.request(**_request(self._endpoint, call))

    @asynccontextmanager
    async def stream(self, call: Call, *, quiet: float) -> AsyncIterator[Stream]:
        """Send a request and return its answer piece by piece."""
        with self._http.stream(**_request(self._endpoint, call, quiet=quiet)) as response:
            if not response.is_success:
                response.read()
            yield response, _stepped(response.iter_bytes())

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    async def close(self) -> None:
        """Close all connections."""
        self._http.close()


@final
class AsyncTransport(Transport):
    """Waits with asyncio."""

    def __init__(self, endpoint: Endpoint, *, timeout: float) -> None:
        self._endpoint = endpoint
        self._http = httpx.AsyncClient(**_options(endpoint, timeout))

    async def send(self, call: Call) -> httpx.Response:
        """Send a request and return the whole answer."""
        return await self._http.request(**_request(self._endpoint, call))

    @asynccontextmanager
    async def stream(self, call: Call, *, quiet: float) -> AsyncIterator[Stream]:
        """Send a request and return its answer piece by piece."""
        async with self._http.stream(**_request(self._endpoint, call, quiet=quiet)) as response:
            if not response.is_success:
                await response.aread()
            yield response, response.aiter_bytes()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()


def run(coroutine: Coroutine[Any, Any, T]) -> T:  # Any: nothing is sent in, nothing comes out
    """Return the result of a coroutine over a `BlockingTransport`."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise RuntimeError("a coroutine of the blocking client waits: it needs an AsyncClient")


def iterated(values: AsyncGenerator[T, None]) -> Generator[T, None, None]:
    """Yield what an async generator over a `BlockingTransport` yields."""
    try:
        while True:
            try:
                value = run(values.__anext__())
            except StopAsyncIteration:
                return
            yield value
    finally:
        run(values.aclose())


async def _stepped(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def _options(endpoint: Endpoint, timeout: float) -> dict[str, Any]:  # Any: arguments of httpx
    return {
        "base_url": endpoint.url,
        "timeout": httpx.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout)),
        "follow_redirects": False,  # a redirect would take the token elsewhere
        "trust_env": not endpoint.is_local,  # no proxy between this machine and itself
        "headers": {"User-Agent": "simfactory", "Accept": "application/json"},
    }


def _request(endpoint: Endpoint, call: Call, *, quiet: float | None = None) -> dict[str, Any]:  # Any: as above
    headers = dict(call.headers)
    if call.has_token and endpoint.token:
        headers["Authorization"] = f"Bearer {endpoint.token}"
    if call.body is not None:
        headers["Content-Type"] = "application/json"
    options: dict[str, Any] = {  # Any: as above
        "method": call.method,
        "url": call.path,
        "params": {name: value for name, value in call.query.items() if value is not None},
        "headers": headers,
        "content": call.body,
        "data": call.form,
        "files": list(call.files) or None,
    }
    if quiet is not None or call.timeout is not None:
        options["timeout"] = httpx.Timeout(quiet or call.timeout, connect=CONNECT_SECONDS)
    if quiet is not None:
        headers.setdefault("Accept-Encoding", "identity")  # ranges and digests are those of the bytes as they are
    return options
