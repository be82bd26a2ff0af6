"""Where a dataset lies: a folder, or the address of one that is reached over the network."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, final

__all__ = ["Location", "Url", "location_of"]

# pathlib, and with it the command line's arguments, makes one slash of two.
_SCHEME = re.compile(r"(https?|s3):(?://|/(?=[^/]))", re.IGNORECASE)


@final
@dataclass(frozen=True, slots=True)
class Url(os.PathLike[str]):
    """An address that is extended with `/` as a path is; `pathlib` would take its double slash away."""

    text: str

    def __truediv__(self, part: str) -> "Url":
        """Return the address of `part` below this one."""
        return Url(f"{self.text}/{part}")

    def __str__(self) -> str:
        """Return the address."""
        return self.text

    def __fspath__(self) -> str:
        """Return the address, so that it can stand where a dataset's path can."""
        return self.text

    @property
    def scheme(self) -> str:
        """`http`, `https` or `s3`."""
        return self.text.partition(":")[0]

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.text.rpartition("/")[2]


Location: TypeAlias = Path | Url


def location_of(path: str | os.PathLike[str]) -> Location:
    """Return `path` as an address if it is one (`http://`, `https://`, `s3://`), else as a local path."""
    text = os.fspath(path)
    scheme = _SCHEME.match(text)
    if scheme is None:
        return Path(text)
    return Url(f"{scheme[1].lower()}://{text[scheme.end() :].rstrip('/')}")
