"""Server-sent events: from bytes as they come to whole events."""

from dataclasses import dataclass, field
from typing import final

__all__ = ["EventReader", "ServerEvent"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class ServerEvent:
    """One event as sent.

    Attributes:
        id: Id of the newest event, its own or an earlier one's; empty before there is one.
        kind: Its `event` field; `message` by default.
        data: Its data.
    """

    id: str
    kind: str
    data: str


@final
@dataclass(slots=True)
class EventReader:
    """Reads a stream; a piece may end anywhere, also within a character."""

    _rest: bytes = b""
    _id: str = ""
    _kind: str = ""
    _data: list[str] = field(default_factory=list)

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """Return the events that a further piece completes."""
        text = self._rest + piece
        # The \n of a \r\n may still come: the \r waits for it.
        held = b"\r" if text.endswith(b"\r") else b""
        *lines, rest = text.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = rest + held
        return [event for line in lines if (event := self._line(line.decode("utf-8", "replace"))) is not None]

    def _line(self, line: str) -> ServerEvent | None:
        if not line:
            return self._ended()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._kind = value
            case "id" if "\0" not in value:
                self._id = value
        return None

    def _ended(self) -> ServerEvent | None:
        event = None
        if self._data:
            event = ServerEvent(id=self._id, kind=self._kind or "message", data="\n".join(self._data))
        self._kind, self._data = "", []
        return event
