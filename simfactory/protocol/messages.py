"""What the service says of itself: events, health, problems."""

from typing import Any, Literal

from simfactory.protocol.base import ApiModel

__all__ = ["Event", "Health", "Problem", "ProblemItem"]


class Event(ApiModel):
    """Something that happened; `id` counts up."""

    id: int
    at: float
    kind: str
    job: str | None
    data: dict[str, Any]  # Any: by kind


class Health(ApiModel):
    """Whether the service works, part by part: `ok` or what is wrong."""

    status: Literal["ok", "degraded"]
    parts: dict[str, str]


class ProblemItem(ApiModel):
    """One wrong value: a JSON pointer to it, and what is wrong."""

    pointer: str
    detail: str


class Problem(ApiModel):
    """An error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    errors: list[ProblemItem] = []
