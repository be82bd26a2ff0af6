"""Clips as cards of a gallery: the newest of a job or dataset, and which picture stands for each."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from api.clips import told
from api.tables import ClipRow
from simfactory.protocol import Clip

__all__ = ["ClipCard", "card", "newest"]

PICTURES = (
    "rgb",
    "depth",
    "segmentation",
    "instance",
    "normal",
    "flow_forward",
)  # the first there is


@dataclass(frozen=True, slots=True)
class ClipCard:
    """A clip, and the addresses of its pictures: of its start, middle and end, none without a picture."""

    clip: Clip
    pictures: tuple[str, ...]

    @property
    def middle(self) -> str:
        """Picture of its middle."""
        return self.pictures[len(self.pictures) // 2] if self.pictures else ""


def card(clip: Clip) -> ClipCard:
    """Return a clip as a card."""
    shown = next((name for name in PICTURES if name in clip.modalities), None)
    if shown is None or clip.frame_count < 1:
        return ClipCard(clip, ())
    last = clip.frame_count - 1
    frames = dict.fromkeys((0, last // 2, last))
    return ClipCard(clip, tuple(f"/v1/clips/{clip.id}/preview/{shown}?frame={frame}" for frame in frames))


def newest(session: Session, where: ColumnElement[bool], *, count: int) -> Sequence[ClipCard]:
    """Return the newest clips of a job or dataset."""
    rows = session.scalars(select(ClipRow).where(where).order_by(ClipRow.number.desc()).limit(count)).all()
    return [card(told(row)) for row in rows]
