"""What routes share: where the application keeps its parts."""

from typing import Annotated, Any, cast

from fastapi import Depends, Path, Query, Request
from starlette.convertors import Convertor, register_url_convertor

from api.control import Control
from api.database import Database
from api.settings import Settings

__all__ = ["NOT_MODIFIED", "Controlled", "Filter", "Identity", "Named", "Secret", "Stored", "Tuned"]


class _Word(Convertor[str]):
    """A step of a path up to a colon, after which stands what is to be done: `/v1/jobs/{identity}:cancel`."""

    regex = "[^/:]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("word", _Word())


def _database(request: Request) -> Database:
    return cast(Database, request.app.state.database)


def _control(request: Request) -> Control:
    return cast(Control, request.app.state.control)


def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


def _secret(request: Request) -> bytes:
    return cast(bytes, request.app.state.secret)


Stored = Annotated[Database, Depends(_database)]
Controlled = Annotated[Control, Depends(_control)]
Tuned = Annotated[Settings, Depends(_settings)]
Secret = Annotated[bytes, Depends(_secret)]
Identity = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Named = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
# What columns are compared with: no NUL, which PostgreSQL refuses.
Filter = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_.-]{0,64}$")]
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI
    304: {"description": "What If-None-Match names is what there is"}
}
