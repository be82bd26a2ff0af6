"""A dataset in an object store that speaks S3: staged on this machine, uploaded, committed by put-if-absent."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, final
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from simfactory.errors import StoreError
from simfactory.store.base import Volume
from simfactory.store.canonical import JSON
from simfactory.store.disk import disk_errors
from simfactory.store.local import LocalVolume

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

__all__ = ["ObjectVolume"]

_STAGING = "staging"
_UPLOADS = 8
_TRUE = {"1", "true", "t", "yes", "y", "on"}


@final
class ObjectVolume(Volume):
    """The objects below `s3://bucket/prefix`; where and as whom, the environment says as it does to obstore.

    That is AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
    AWS_SKIP_SIGNATURE and AWS_ALLOW_HTTP (on loopback, http needs no leave), or the machine's own role.

    An attempt is staged in a local folder. Its upload leaves a mark at `staging/<name>`, removed once the attempt is
    over; a mark that stays is how a killed writer's objects are found without listing the bucket.

    Raises:
        StoreError: The address names no bucket, or obstore refuses the environment's settings.
    """

    listing = "paid"
    fences = False

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if not parts.netloc:
            raise StoreError(f"{url}: names no bucket; give s3://bucket/prefix")
        self.url = url
        self._bucket, self._prefix = parts.netloc, parts.path.strip("/")
        self._endpoint = _setting("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
        self._region = _setting("AWS_REGION", "AWS_DEFAULT_REGION") or "us-east-1"
        with self._errors():
            self._store = self._open_store()
        self._local = LocalVolume(_staging_folder(url))
        self._marked: set[str] = set()

    def __reduce__(self) -> tuple[type["ObjectVolume"], tuple[str]]:
        """Go to another process without the attempts held in this one, and without credentials."""
        return ObjectVolume, (self.url,)

    def read(self, key: str, *, start: int | None = None, stop: int | None = None) -> bytes:
        """Return the bytes of an object, or a range of them."""
        with self._errors():
            if start is None:
                return obstore.get(self._store, key).bytes().to_bytes()
            if stop is not None:
                return obstore.get_range(self._store, key, start=start, end=stop).to_bytes()
            found = obstore.get(
                self._store, key, options={"range": {"suffix": -start} if start < 0 else {"offset": start}}
            )
            return found.bytes().to_bytes()

    def exists(self, key: str) -> bool:
        """Return whether an object exists."""
        try:
            with self._errors():
                obstore.head(self._store, key)
        except FileNotFoundError:
            return False
        return True

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names directly below `prefix`; a request brings a thousand."""
        with self._errors():
            found = obstore.list_with_delimiter(self._store, prefix)
        keys = [*found["common_prefixes"], *(item["path"] for item in found["objects"])]
        yield from (key.rstrip("/").rpartition("/")[2] for key in keys)

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the objects below `prefix`; a request brings a thousand."""
        with self._errors():
            for items in obstore.list(self._store, prefix):
                yield from (item["path"].removeprefix(f"{prefix}/") for item in items)

    def kvstore(self, prefix: str) -> dict[str, JSON]:
        """Return tensorstore's spec of the objects below `prefix`."""
        kind = "default"
        if (_setting("AWS_SKIP_SIGNATURE") or "").lower() in _TRUE:
            kind = "anonymous"
        elif _setting("AWS_ACCESS_KEY_ID"):
            kind = "environment"
        path = f"{self._prefix}/{prefix}/" if self._prefix else f"{prefix}/"
        spec: dict[str, JSON] = {"driver": "s3", "bucket": self._bucket, "path": path, "aws_region": self._region}
        endpoint: dict[str, JSON] = {"endpoint": self._endpoint} if self._endpoint else {}
        return {**spec, **endpoint, "aws_credentials": {"type": kind}}

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Put an object on the condition that there is none.

        The library repeats a put whose answer got lost; the repeated one then meets the object that the first one
        made. So a refused put has won if what it meets are its own bytes.
        """
        with self._errors():
            try:
                obstore.put(self._store, key, data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return self.read(key) == data
        return True

    def remove(self, key: str) -> None:
        """Remove an object and all below it."""
        with self._errors():
            obstore.delete(self._store, [key, *(f"{key}/{name}" for name in self.keys(key))])

    def stage(self, name: str) -> Path:
        """Create and lock a local folder, in the system's folder for temporary files (TMPDIR)."""
        return self._local.stage(name)

    def publish(self, name: str, part: str, key: str) -> None:
        """Mark the attempt, then upload every file of the staged part."""
        source = self._local.stage(name) / part
        with self._errors():
            obstore.put(self._store, f"{_STAGING}/{name}", b"")
            self._marked.add(name)
            files = [path for path in source.rglob("*") if path.is_file()]
            with ThreadPoolExecutor(_UPLOADS) as pool:
                # list() brings up the first upload that failed.
                list(pool.map(lambda path: self._upload(f"{key}/{path.relative_to(source).as_posix()}", path), files))

    def release(self, name: str) -> None:
        """Remove the staged folder, and the attempt's mark."""
        self._local.release(name)
        if name in self._marked:
            with self._errors():
                obstore.delete(self._store, f"{_STAGING}/{name}")
            self._marked.discard(name)

    def abandoned(self, older_than_s: float) -> Iterator[str]:
        """Yield attempts whose mark is old, after removing what dead writers of this machine staged.

        A mark says nothing about its writer, which may only be slow: its objects may go once another attempt's record
        exists, not before.
        """
        for name in self._local.abandoned(older_than_s):
            self._local.release(name)
        horizon = datetime.now(UTC) - timedelta(seconds=older_than_s)
        with self._errors():
            marks = obstore.list_with_delimiter(self._store, _STAGING)["objects"]
        for mark in marks:
            name = mark["path"].rpartition("/")[2]
            if mark["last_modified"] <= horizon and name not in self._marked:
                self._marked.add(name)
                try:
                    yield name
                finally:
                    self._marked.discard(name)

    def _open_store(self) -> S3Store:
        client: "ClientConfig" = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(minutes=5)}
        if _on_loopback(self._endpoint):
            client["allow_http"] = True
        config: "S3Config" = {"region": self._region}
        if self._endpoint:
            config["endpoint"] = self._endpoint
        return S3Store(
            self._bucket,
            prefix=self._prefix or None,
            config=config,
            client_options=client,
            retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=60)},
        )

    def _upload(self, key: str, path: Path) -> None:
        with self._errors():
            obstore.put(self._store, key, path)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what obstore raises into the project's own errors; a missing object stays a FileNotFoundError."""
        try:
            yield
        except (FileNotFoundError, BaseError) as error:
            if "NoSuchBucket" in str(error):
                raise StoreError(f"{self.url}: there is no bucket {self._bucket!r}; make it first") from error
            if isinstance(error, FileNotFoundError):
                raise
            reason = str(error).partition("\n")[0]
            if isinstance(error, PermissionDeniedError | UnauthenticatedError):
                raise StoreError(
                    f"{self.url}: the object store refuses these credentials: {reason}; check AWS_ACCESS_KEY_ID, "
                    "AWS_SECRET_ACCESS_KEY and the bucket's policy"
                ) from error
            raise StoreError(
                f"{self.url}: {reason}; check AWS_ENDPOINT_URL ({self._endpoint or 'not set'}) and the network"
            ) from error


def _setting(*names: str) -> str | None:
    """Return the first of these environment variables that says something."""
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _on_loopback(endpoint: str | None) -> bool:
    host = urlsplit(endpoint or "").hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _staging_folder(url: str) -> Path:
    """Return where attempts for `url` are staged: the same for every process of a user, so that any can sweep it."""
    top = Path(tempfile.gettempdir()) / f"simfactory-{os.getuid()}"
    with disk_errors(top):
        top.mkdir(mode=0o700, exist_ok=True)
        if top.lstat().st_uid != os.getuid():
            raise StoreError(f"{top}: belongs to another user; set TMPDIR to a folder of your own")
    return top / hashlib.sha256(url.encode()).hexdigest()[:16]
