"""One request to the service, and the answers that have no schema of their own in the protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, final
from urllib.parse import quote

from simfactory.errors import ServiceError
from simfactory.protocol import ApiModel, Count

__all__ = ["Call", "FileEntry", "FileList", "Layout", "Page", "Schema", "Upload", "segment", "segments"]

T_co = TypeVar("T_co", covariant=True)
Upload = tuple[str, tuple[str, bytes, str]]  # field, (file name, bytes, media type)


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request.

    Attributes:
        method: HTTP method.
        path: Path below the address, quoted.
        query: Query; values that are None are left out.
        headers: Headers beside the usual ones.
        body: JSON text.
        form: Fields of a form.
        files: Files of a form.
        timeout: Longest wait for the answer [s]; None = the client's usual one.
        repeatable: Whether doing it twice does no more than doing it once.
        has_token: Whether the token is sent along.
    """

    method: str
    path: str
    query: Mapping[str, str | int | None] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    form: Mapping[str, str] | None = None
    files: tuple[Upload, ...] = ()
    timeout: float | None = None
    repeatable: bool = True
    has_token: bool = True


class Schema(Protocol[T_co]):
    """Reads JSON: a pydantic `TypeAdapter`."""

    def validate_json(self, data: str | bytes | bytearray, /) -> T_co:
        """Return what the JSON means."""


class Page(Protocol[T_co]):
    """A part of a listing."""

    @property
    def items(self) -> Sequence[T_co]:
        """What it lists."""

    @property
    def next(self) -> str | None:
        """Cursor of the page after it."""


@final
class FileEntry(ApiModel):
    """A file of a clip or dataset: its path, size [B] and SHA-256."""

    path: str
    bytes: Count
    sha256: str | None = None


@final
class FileList(ApiModel):
    """Files of a clip or dataset."""

    files: list[FileEntry]


@final
class Layout(ApiModel):
    """A placement, camera rig or the like that scenes name."""

    name: str
    kind: str
    description: str


def segment(text: str) -> str:
    """Return an id or name as one segment of a path.

    Raises:
        ServiceError: It would be something else in a path.
    """
    if text in ("", ".", ".."):
        raise ServiceError(f"{text!r} is neither an id nor a name")
    return quote(text, safe="")


def segments(path: str) -> str:
    """Return a relative path of files as segments of a path; see `segment`."""
    return "/".join(segment(part) for part in path.split("/"))
