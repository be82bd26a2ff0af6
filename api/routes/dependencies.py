"""What routes share: where the application keeps its parts."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, Path, Query, Request
from starlette.convertors import Convertor, register_url_convertor

from api.clips import find_clip
from api.control import Control
from api.database import Database
from api.files import clip_files
from api.settings import Settings
from simfactory.dataset import Clip, open_clip

__all__ = [
    "NOT_MODIFIED",
    "ClipFilters",
    "Controlled",
    "Filter",
    "Filtered",
    "Identity",
    "Named",
    "Opened",
    "Secret",
    "Stored",
    "Tuned",
    "opened_clip",
]


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


def opened_clip(identity: Identity, database: Stored, settings: Tuned) -> Clip:
    """Return a clip of the catalogue, open for reading; a viewer without a database puts another in this place.

    Raises:
        ProblemError: There is none.
        StoreError: It cannot be read.
    """
    with database.reading() as session:
        row = find_clip(session, identity)
    root = settings.data / row.dataset
    return open_clip(root / clip_files(root, identity)[0])


Opened = Annotated[Clip, Depends(opened_clip)]


Named = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
# What columns are compared with: no NUL, which PostgreSQL refuses.
Filter = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_.-]{0,64}$")]
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI
    304: {"description": "What If-None-Match names is what there is"}
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipFilters:
    """What clips of the catalogue are asked for by; the names are those of its columns."""

    dataset: Filter = None
    category: Filter = None
    scene: Filter = None
    tier: Filter = None
    split: Filter = None
    job: Filter = None
    backend: Filter = None
    preset: Filter = None

    @property
    def wanted(self) -> dict[str, str]:
        """Column → value, of those that were given."""
        return {name: value for name, value in asdict(self).items() if value}


Filtered = Annotated[ClipFilters, Depends()]
