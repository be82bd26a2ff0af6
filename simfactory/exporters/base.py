"""What an exporter is, and how exporters are found: every module here with an `EXPORTER`, by its file name."""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from pathlib import Path

from simfactory.dataset import Clip
from simfactory.errors import StoreError

__all__ = ["Exporter", "exporter_names", "find_exporter"]

_NOT_FORMATS = {"base", "painting"}
_PACKAGE = __name__.rpartition(".")[0]


class Exporter(ABC):
    """Writes clips in one format.

    Attributes:
        suffix: Ending of the files it writes, with its dot.
    """

    suffix: str

    @abstractmethod
    def export(self, clip: Clip, path: Path) -> Path:
        """Write `clip` to `path` and return the path; its folder is made, an existing file is replaced.

        Raises:
            StoreError: The clip lacks what the format shows, or the file cannot be written.
        """


def exporter_names() -> tuple[str, ...]:
    """Return the names of the formats, in alphabetical order."""
    return tuple(sorted({module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])} - _NOT_FORMATS))


def find_exporter(name: str) -> Exporter:
    """Return the exporter of a format.

    Raises:
        StoreError: There is no such format.
    """
    if name not in exporter_names():
        raise StoreError(f"there is no exporter {name!r}; choose one of {', '.join(exporter_names())}")
    found = importlib.import_module(f"{_PACKAGE}.{name}").EXPORTER
    if not isinstance(found, Exporter):
        raise TypeError(f"{_PACKAGE}.{name}.EXPORTER is a {type(found).__name__}, not an Exporter")
    return found
