"""Events as sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Happening", "told"]

TONES = {
    "completed": "good", "created": "info", "clips": "", "rejected": "warn", "paused": "warn", "failed": "bad",
    "given_up": "bad", "job_failed": "bad", "lease_expired": "bad", "worker_lost": "bad", "refused": "bad",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Happening:
    """An event for people.

    Attributes:
        number: Its id.
        at: When [s].
        kind: Its kind, in plain words.
        tone: `good`, `warn`, `bad`, `info` or nothing: a class of `badge`.
        job: Id of its job, if it has one.
        text: What happened.
    """

    number: int
    at: float
    kind: str
    tone: str
    job: str | None
    text: str


def told(number: int, at: float, kind: str, job: str | None, data: Mapping[str, Any]) -> Happening:  # Any: JSON
    """Return an event as a sentence; of a kind that is not known here, what it carries."""
    return Happening(number, at, kind.replace("_", " "), TONES.get(kind, ""), job, _text(kind, data))


def _text(kind: str, data: Mapping[str, Any]) -> str:  # Any: as above
    match kind:
        case "clips":
            count = data.get("count")
            return f"{count} {'clip' if count == 1 else 'clips'} committed by {data.get('worker', 'a worker')}"
        case "created":
            return f"job of {data.get('clips')} clips"
        case "completed":
            failed = data.get("failed")
            return f"{data.get('clips')} clips" + (f", {failed} episodes given up" if failed else "")
        case "rejected":
            return "an episode was refused: " + ", ".join(map(str, data.get("reasons", ())))
        case "failed" | "given_up":
            return str(data.get("detail") or data.get("reason", ""))
        case "worker_lost":
            return f"{data.get('worker')} reports no more"
        case "lease_expired":
            return f"a shard was taken back from {data.get('worker')}"
        case "paused" | "job_failed":
            return str(data.get("reason", ""))
    return ", ".join(f"{name} {value}" for name, value in data.items())
