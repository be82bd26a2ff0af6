"""Which requests are sent again, and after what time."""

import secrets
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import final

import httpx

from simfactory.client.wire import Call

__all__ = ["Retries"]

_BUSY = frozenset({429, 502, 503, 504})
_REFUSED = 429  # refused before anything was done
_IN_FLIGHT = 409  # with a key: the first sending of this request is still being answered
_IN_FLIGHT_FACTOR = 12  # attempts then, in multiples of the usual
# The request never left this machine, so nothing can have been done twice.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_BROKEN = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError)


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Retries:
    """How patient a client is.

    Attributes:
        attempts: How often a request is sent, at most.
        first: Pause before the second attempt [s]; each further one is twice as long.
        longest: Longest pause of its own choice [s].
        patience: Longest pause that the service may ask for by Retry-After [s]; if it asks for more, the call fails.
    """

    attempts: int = 5
    first: float = 0.2
    longest: float = 5.0
    patience: float = 60.0

    def after_error(self, error: httpx.TransportError, call: Call, attempt: int) -> float | None:
        """Return the pause after a broken connection [s]; None = give up."""
        if attempt >= self.attempts or not isinstance(error, _BROKEN):
            return None
        return self.pause(attempt) if call.repeatable or isinstance(error, _UNSENT) else None

    def after_answer(self, response: httpx.Response, call: Call, attempt: int) -> float | None:
        """Return the pause after an answer that is no success [s]; None = give up."""
        status = response.status_code
        in_flight = status == _IN_FLIGHT and "Idempotency-Key" in call.headers and "Retry-After" in response.headers
        again = (call.repeatable and status in _BUSY) or status == _REFUSED or in_flight
        if attempt >= self.attempts * (_IN_FLIGHT_FACTOR if in_flight else 1) or not again:
            return None
        asked = _asked_pause(response.headers.get("Retry-After"))
        if asked is None:
            return self.pause(attempt)
        return asked if asked <= self.patience else None

    def pause(self, attempt: int) -> float:
        """Return a pause after so many attempts [s], a little random so that clients do not come back together."""
        longest = min(self.longest, self.first * 2.0 ** min(attempt - 1, 30))
        return longest * (1.0 - secrets.randbelow(1001) / 4000)


def _asked_pause(text: str | None) -> float | None:
    """Read Retry-After: seconds, or a date."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
