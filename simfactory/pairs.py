"""Pairs: an intact clip and the one of the same episode and camera in which a law of physics is broken."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from simfactory.spec import parse_spec

if TYPE_CHECKING:
    from simfactory.dataset import Clip
    from simfactory.store import JSON

__all__ = ["pair_problems"]


def pair_problems(clips: Iterable["Clip"]) -> list[tuple[str, str]]:
    """Return (clip id, problem) where losers lack their intact clip, differ in more than the violation, or in labels.

    Args:
        clips: All clips of a dataset whose specs can be read.
    """
    known = {clip.id: clip for clip in clips}
    return [(clip.id, problem) for clip in known.values() if clip.spec for problem in _problems(clip, known)]


def _problems(clip: "Clip", known: dict[str, "Clip"]) -> Iterator[str]:
    spec = parse_spec(clip.spec)
    row = cast("dict[str, JSON]", clip.record["row"])
    listed, pair = row.get("violation") or "", row.get("pair") or ""
    if listed != (spec.violation or ""):
        yield f"listed with violation {listed or 'none'!r}, its spec says {spec.violation or 'none'!r}"
    if spec.violation is None:
        return
    if pair not in known:
        yield f"the intact clip {pair or '(none is named)'} that it is compared with is missing: run `generate` again"
        return
    intact = known[str(pair)]
    same = parse_spec(intact.spec) == spec.model_copy(
        update={"violation": None, "cameras": parse_spec(intact.spec).cameras}
    )
    if not same or clip.attributes["camera_name"] != intact.attributes["camera_name"]:
        yield f"differs from its intact clip {intact.id} in more than the violation"
    if clip.frame_count != intact.frame_count:
        yield f"has {clip.frame_count} frames, its intact clip {intact.id} {intact.frame_count}"
