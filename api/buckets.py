"""How often pictures are made for one token: a bucket of permissions for each, refilled at a steady rate."""

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from fastapi import Request

from api.problems import ProblemError
from api.security import COOKIE

__all__ = ["Buckets", "picture_buckets", "take_picture"]

# Pictures a second and pictures at once, of what costs about half a core when the rate is used up: a frame of a clip is
# read, painted and encoded; what a worker shows lies in memory (thirty walls of twenty workers ask for so many).
CLIP_RATE, CLIP_BURST = 40.0, 400
LIVE_RATE, LIVE_BURST = 400.0, 2000
SESSIONS_MAX = 4096


class Buckets:
    """Buckets by name; the least recently used are forgotten.

    Args:
        rate: Permissions a second.
        burst: Permissions of a full bucket.
        clock: Returns the time [s].

    Attributes:
        rate: As given.
    """

    def __init__(self, *, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self._burst, self._clock = rate, float(burst), clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # permissions, and when that was

    def take(self, name: str) -> float:
        """Take a permission; return 0, or after how many seconds there will be one [s]."""
        with self._lock:
            now = self._clock()
            left, at = self._left.pop(name, (self._burst, now))
            left = min(self._burst, left + (now - at) * self.rate)
            wait = 0.0 if left >= 1.0 else (1.0 - left) / self.rate
            self._left[name] = left - 1.0 if wait == 0.0 else left, now
            while len(self._left) > SESSIONS_MAX:
                self._left.popitem(last=False)
        return wait


def picture_buckets() -> dict[str, Buckets]:
    """Return full buckets for pictures of clips and of what workers show."""
    return {
        "clip": Buckets(rate=CLIP_RATE, burst=CLIP_BURST),
        "live": Buckets(rate=LIVE_RATE, burst=LIVE_BURST),
    }


def take_picture(request: Request, kind: str) -> None:
    """Count a picture that is to be sent; what the browser has still costs nothing.

    Args:
        request: Asks for it.
        kind: `clip` or `live`.

    Raises:
        ProblemError: Too many were sent to those who share this token (429).
    """
    buckets: Buckets = request.app.state.pictures[kind]
    token = request.headers.get("authorization", "") or request.cookies.get(COOKIE, "")
    wait = buckets.take(hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest())
    if wait:
        detail = f"more than {buckets.rate:g} pictures a second; try again in {wait:.1f} s"
        raise ProblemError(429, detail, headers={"retry-after": str(max(1, math.ceil(wait)))})
