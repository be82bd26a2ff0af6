"""Where the service is, and the token it is asked with."""

import ipaddress
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import httpx

from simfactory.errors import ServiceError

__all__ = ["Endpoint"]

_STATE, _SERVICE, _TOKEN = ".simfactory", "service.json", "token"


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """An address and a token.

    Attributes:
        url: Address without the `/v1`, e.g. `http://127.0.0.1:8000`.
        token: Bearer token; None = none is sent.
    """

    url: str
    token: str | None = field(default=None, repr=False)

    @property
    def is_local(self) -> bool:
        """Whether the address is this very machine's loopback."""
        return _is_loopback(httpx.URL(self.url).host)

    @classmethod
    def of(
        cls, url: str | None = None, state: str | os.PathLike[str] | None = None, token: str | None = None
    ) -> "Endpoint":
        """Return the endpoint that is meant.

        Args:
            url: Address; None = `SIMFACTORY_URL`, else what `simfactory up` left in the state folder.
            state: State folder; None = `SIMFACTORY_STATE`, else `.simfactory` in the working directory.
            token: Token; None = `SIMFACTORY_TOKEN`, else that of the state folder, which stays on this machine.

        Raises:
            ServiceError: Nothing runs here, the address is none, or only the state folder's token could be sent to
                another machine.
        """
        folder = Path(state or os.environ.get("SIMFACTORY_STATE") or _STATE)
        address = _checked(url or os.environ.get("SIMFACTORY_URL") or _running(folder))
        found = cls(url=address, token=token or os.environ.get("SIMFACTORY_TOKEN") or None)
        if found.token is not None:
            return cls(url=address, token=_checked_token(found.token))
        kept = folder / _TOKEN
        if not found.is_local:
            if kept.exists():
                raise ServiceError(
                    f"{address} is another machine, and the token in {kept} is only sent to this one: "
                    "put the token for it into SIMFACTORY_TOKEN"
                )
            return found
        try:
            return cls(url=address, token=_checked_token(kept.read_text(encoding="utf-8").strip()) or None)
        except FileNotFoundError:
            return found
        except (OSError, UnicodeDecodeError) as error:
            raise ServiceError(f"the token in {kept} cannot be read: {error}") from error


def _running(folder: Path) -> str:
    """Return the address of the service that runs on a state folder."""
    path = folder / _SERVICE
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["url"])
    except (FileNotFoundError, NotADirectoryError):
        raise ServiceError(
            f"no service is running here ({path} is missing): start it with `simfactory up`, "
            "or name one with --url or SIMFACTORY_URL"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ServiceError(f"{path} is damaged ({error}): start the service anew with `simfactory up`") from error


def _checked(text: str) -> str:
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL as error:
        raise ServiceError(f"address {text!r}: {error}; give one such as http://127.0.0.1:8000") from None
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise ServiceError(f"address {text!r}: give one such as http://127.0.0.1:8000")
    if url.userinfo:
        raise ServiceError("the address holds a name or password: leave it out, the token goes into SIMFACTORY_TOKEN")
    return str(url.copy_with(host=_reachable(url.host))).rstrip("/").removesuffix("/v1").rstrip("/")


def _checked_token(text: str) -> str:
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ServiceError("the token holds blanks or characters that a token cannot hold: copy it anew")
    return text


def _reachable(host: str) -> str:
    """A service that listens on all addresses of this machine is found on its loopback."""
    address = _address(host)
    if address is None or not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
