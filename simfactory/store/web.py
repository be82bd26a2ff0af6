"""A dataset that a service hands out over HTTP: read only, file by file and range by range.

The service answers, below the dataset's address and with `Authorization: Bearer <token>` where it asks for one:

    GET files/<path>      the file's bytes, unencoded; `Range: bytes=a-b` and `bytes=-n` with 206; 404 if it is missing
    GET files/catalog/    JSON {"names": [...]}: the names in that folder, which it brings up to date before

No other folder is listed.
"""

import os
import time
import weakref
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Never, final

import httpx

from simfactory.errors import StoreError
from simfactory.store.base import Volume
from simfactory.store.canonical import JSON

__all__ = ["HttpVolume"]

_VARIABLE = "SIMFACTORY_TOKEN"
_TIMEOUT_S = httpx.Timeout(60.0, connect=10.0)
_ATTEMPTS = 3
_PAUSE_S = 0.2


@final
class HttpVolume(Volume):
    """The files of one dataset behind `<url>/files/`.

    Args:
        url: The dataset's address, `http(s)://…/v1/datasets/NAME`.
        token: What the service asks for; None = the environment's SIMFACTORY_TOKEN, if any.
    """

    listing = "none"
    fences = False

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self.url = url
        self._token = os.environ.get(_VARIABLE) or None if token is None else token

    def __reduce__(self) -> tuple[type["HttpVolume"], tuple[str], dict[str, str | None]]:
        """Go to another process with the token, without the open connections."""
        return HttpVolume, (self.url,), {"_token": self._token}

    def read(self, key: str, *, start: int | None = None, stop: int | None = None) -> bytes:
        """Return the bytes of a file, or a range of them."""
        response = self._get(key, {} if start is None else {"Range": _range(start, stop)})
        if start is not None and response.status_code != httpx.codes.PARTIAL_CONTENT:
            raise StoreError(f"{self.url}: the server ignores Range, and clips are read in parts; serve it otherwise")
        return response.content

    def exists(self, key: str) -> bool:
        """Return whether a file exists."""
        try:
            self.read(key, start=0, stop=1)
        except FileNotFoundError:
            return False
        return True

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names in a folder; the service lists `catalog` and may refuse any other."""
        try:
            listed = self._get(f"{prefix}/", {}).json()
            names = [str(name) for name in listed["names"]]
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{self.url}: {prefix}/ is not listed as JSON: {error!r}; is it a dataset?") from error
        yield from names

    def keys(self, prefix: str) -> Iterator[str]:
        """Refuse: nothing but the catalogue is listed over HTTP."""
        raise StoreError(f"{self.url}: {prefix}/ cannot be listed over HTTP; do this where the dataset lies")

    def kvstore(self, prefix: str) -> dict[str, JSON]:
        """Return tensorstore's spec of the files below `prefix`; it holds the token."""
        headers: list[JSON] = [f"Authorization: Bearer {self._token}"] if self._token else []
        return {"driver": "http", "base_url": f"{self.url}/files/", "path": f"{prefix}/", "headers": headers}

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Refuse: a served dataset is read only."""
        self._refuse_writing()

    def remove(self, key: str) -> None:
        """Refuse: a served dataset is read only."""
        self._refuse_writing()

    def stage(self, name: str) -> Path:
        """Refuse: a served dataset is read only."""
        self._refuse_writing()

    def publish(self, name: str, part: str, key: str) -> None:
        """Refuse: a served dataset is read only."""
        self._refuse_writing()

    def release(self, name: str) -> None:
        """Refuse: a served dataset is read only."""
        self._refuse_writing()

    def abandoned(self, older_than_s: float) -> Iterator[str]:
        """Refuse: a served dataset is read only."""
        self._refuse_writing()

    @cached_property
    def _client(self) -> httpx.Client:
        headers = {"Accept-Encoding": "identity"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        client = httpx.Client(headers=headers, timeout=_TIMEOUT_S)
        weakref.finalize(self, client.close)
        return client

    def _get(self, path: str, headers: dict[str, str]) -> httpx.Response:
        response = self._answer(f"{self.url}/files/{path}", headers)
        status = response.status_code
        if status == httpx.codes.NOT_FOUND:
            raise FileNotFoundError(f"{self.url}/files/{path} is missing")
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            given = "this token" if self._token else "access without a token"
            raise StoreError(
                f"{self.url}: the service refuses {given} ({status}); give open_dataset(token=...) or set {_VARIABLE}"
            )
        if not response.is_success:
            raise StoreError(f"{self.url}/files/{path}: the service answers {status} {response.reason_phrase}")
        return response

    def _answer(self, address: str, headers: dict[str, str]) -> httpx.Response:
        """Ask until the network lets an answer through, a few times."""
        attempt = 1
        while True:
            try:
                return self._client.get(address, headers=headers)
            except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
                if attempt == _ATTEMPTS or not isinstance(error, httpx.TransportError):
                    raise StoreError(
                        f"{self.url}: cannot be reached: {error}; check the address and the service"
                    ) from error
            time.sleep(_PAUSE_S * attempt)
            attempt += 1

    def _refuse_writing(self) -> Never:
        raise StoreError(f"{self.url}: a dataset served over HTTP is read only; write to its folder or bucket")


def _range(start: int, stop: int | None) -> str:
    if start < 0:
        return f"bytes={start}"
    return f"bytes={start}-{'' if stop is None else stop - 1}"
