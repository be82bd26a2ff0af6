"""What workers report becomes the state of record: each result once, with the place in their stream it came from."""

import json
import time
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.database import note
from api.distribution import count_delivered, places_kept, unit_name
from api.kinds import enter_kinds
from api.tables import ClipRow, DatasetRow, FailureRow, JobRow, RateRow, ReplacementRow, ShardRow, Table

__all__ = ["CRASHES_MAX", "TRIES_MAX", "add_clips", "apply_result", "give_up", "hand_back", "replacement", "settle_job"]

CAPTION_MAX = 2000  # characters that the catalogue keeps; the clip itself has the whole caption
TRIES_MAX = 3  # of one attempt whose simulation or rendering broke off
CRASHES_MAX = 2  # workers that one episode may take with it before it is set aside
Message = Mapping[str, Any]  # Any: JSON
Key = tuple[int, int, int]
Row = TypeVar("Row", bound=Table)


def apply_result(session: Session, message: Message) -> None:
    """Enter one report of a worker."""
    kind = message["kind"]
    if kind == "unit":
        _unit(session, message)
    elif kind == "returned":
        _returned(session, message)
    elif kind == "blocked":
        job = session.get(JobRow, message["job"])
        if job is not None and job.state == "running":
            pause(session, job, f"disk: {message['detail']}")
    elif kind == "refused":
        note(session, "refused", detail=str(message["detail"]))


def pause(session: Session, job: JobRow, reason: str) -> None:
    """Pause a job for a reason that is not the user's."""
    job.state, job.reason = "paused", reason
    job.version += 1
    note(session, "paused", job.id, reason=reason)


def _unit(session: Session, message: Message) -> None:
    job = _locked(session, JobRow, str(message["job"]))
    key: Key = tuple(message["unit"])
    places = None if job is None else places_kept(session, str(message["shard"]), key)  # gone with the shard
    left = None if job is None else _close_unit(session, str(message["shard"]), key)
    if job is None or left is None:
        if job is not None and message["clips"]:  # a late twin: its clips are known, or are now
            add_clips(session, job.id, str(message["dataset"]), message["clips"], at=float(message["at"]))
        return
    job.started = job.started or time.time()
    job.version += 1
    match message["status"]:
        case "committed":
            frames, size = add_clips(
                session, job.id, str(message["dataset"]), message["clips"], at=float(message["at"])
            )
            job.clips_done += len(message["clips"])
            job.frames += frames
            job.bytes += size
            count_delivered(session, job, places, message["clips"])
            _rate(session, job, message)
            note(session, "clips", job.id, count=len(message["clips"]), worker=message["worker"])
        case "rejected":
            job.replaced += 1
            job.reasons = _counted(job.reasons, message["reasons"])
            note(session, "rejected", job.id, unit=list(key), reasons=list(message["reasons"]))
            _rejected(session, job, key, message["reasons"])
        case _:
            note(session, "failed", job.id, unit=list(key), detail=str(message["failure"]))
            _failed(session, job, key, str(message["failure"]))
    if left == 0:  # a job with an open shard is not at its end
        settle_job(session, job)


def _returned(session: Session, message: Message) -> None:
    """Take back what a worker did not finish; what it had begun when it broke is tried alone."""
    job = _locked(session, JobRow, str(message["job"]))
    shard = _locked(session, ShardRow, str(message["shard"]))
    if job is None or shard is None:
        return
    begun: list[Key] = [tuple(key) for key in message["begun"]] if message["broken"] else []
    hand_back(session, job, shard, begun, detail=str(message["broken"]), crashed=False)


def hand_back(
    session: Session, job: JobRow, shard: ShardRow, begun: Collection[Key], *, detail: str, crashed: bool
) -> None:
    """Put what is left of a shard among what is to be done.

    What was begun when a worker broke may be to blame, and so may what was beside it: each is tried alone. One that was
    alone is: after `CRASHES_MAX` workers it is set aside until all else is done, and given up if it takes one more, for
    an innocent one may have been struck twice by chance.
    """
    suspects = {tuple(key) for key in begun}
    left: list[Key] = [tuple(key) for key in shard.units]
    shard_alone = bool(shard.alone)
    session.delete(shard)
    session.flush()
    if job.state in ("cancelled", "completed"):
        return
    for key in left:
        if key in suspects and shard_alone and not crashed:
            _failed(session, job, key, detail)
            continue
        if key in suspects:
            crashes = _trial(job, key).crashes + shard_alone
            _remember(job, key, crashes=crashes, alone=True)
            if crashes > CRASHES_MAX:
                give_up(session, job, key, "quarantined", detail)
                continue
        session.add(replacement(job, key))
    job.version += 1
    settle_job(session, job)


def replacement(job: JobRow, key: Key) -> ReplacementRow:
    """Return what has an attempt tried again: alone if it was to be before, at the end if it took workers with it."""
    part, index, attempt = key
    trial = _trial(job, key)
    last = trial.crashes >= CRASHES_MAX
    return ReplacementRow(job=job.id, part=part, index=index, attempt=attempt, alone=trial.alone, last=last)


def _rejected(session: Session, job: JobRow, key: Key, reasons: Sequence[str]) -> None:
    """Replace a unit that the quality gate refused by its next attempt."""
    from scenes.generate import ATTEMPTS_MAX  # see api.app

    part, index, attempt = key
    if job.state == "cancelled":
        return
    if attempt + 1 < ATTEMPTS_MAX and not job.request.get("specs"):
        session.add(replacement(job, (part, index, attempt + 1)))
    else:
        give_up(session, job, key, "no_attempt_passed", ", ".join(reasons))


def _failed(session: Session, job: JobRow, key: Key, detail: str) -> None:
    """Have a unit that failed tried again, a few times."""
    if job.state == "cancelled":
        return
    failures = _trial(job, key).failures + 1
    _remember(job, key, failures=failures)
    if failures >= TRIES_MAX:
        give_up(session, job, key, "failed", detail)
    else:
        session.add(replacement(job, key))


def give_up(session: Session, job: JobRow, key: Key, reason: str, detail: str) -> None:
    """Give a unit up, and say why."""
    part, index, attempt = key
    session.add(
        FailureRow(job=job.id, part=part, index=index, attempt=attempt, reason=reason, detail=detail, at=time.time())
    )
    job.failed += 1
    note(session, "given_up", job.id, unit=list(key), reason=reason, detail=detail)


def add_clips(
    session: Session,
    job: str | None,
    dataset: str,
    clips: Sequence[Message],
    *,
    at: float,
    places: Mapping[str, tuple[int, float]] = MappingProxyType({}),
) -> tuple[int, int]:
    """Enter clips that are not in the catalogue yet; return the frames and bytes of all of them.

    Args:
        session: A writing one.
        job: Id of the job that made them, if it is known.
        dataset: Their dataset.
        clips: Their rows, as commit records have them, with `bytes`.
        at: When they were committed [s].
        places: Number and time of those that were in the catalogue before, by id.
    """
    entered: set[tuple[str, str]] = session.info.setdefault("entered", set())  # in this transaction
    ids = [clip["clip_id"] for clip in clips]
    with session.no_autoflush:  # a transaction's clips are written together
        known = set(session.scalars(select(ClipRow.id).where(ClipRow.dataset == dataset, ClipRow.id.in_(ids))))
    fresh = [clip for clip in clips if clip["clip_id"] not in known and (dataset, clip["clip_id"]) not in entered]
    entered.update((dataset, clip["clip_id"]) for clip in fresh)
    if fresh:
        rows = [_row(clip, dataset, job, at) for clip in fresh]
        for row in rows:
            if row.id in places:
                row.number, row.committed = places[row.id]
        enter_kinds(session, rows)
        session.add_all(rows)
        folder = _locked(session, DatasetRow, dataset)
        if folder is None:
            folder = DatasetRow(name=dataset, profile=str(fresh[0]["profile"]), created=at, clips=0, frames=0, bytes=0)
            folder.categories, folder.splits = {}, {}
            session.add(folder)
            session.flush()
        folder.clips += len(fresh)
        folder.frames += sum(clip["frame_count"] for clip in fresh)
        folder.bytes += sum(clip["bytes"] for clip in fresh)
        folder.categories = _counted(folder.categories, [clip["category"] or "" for clip in fresh])
        folder.splits = _counted(folder.splits, [clip["split"] or "" for clip in fresh])
    return sum(clip["frame_count"] for clip in clips), sum(clip["bytes"] for clip in clips)


def settle_job(session: Session, job: JobRow) -> None:
    """Close a job that has nothing left to do."""
    if job.state != "running" or not job.planned:
        return
    session.flush()
    for table in (ShardRow, ReplacementRow):
        if session.scalar(select(table.id).where(table.job == job.id).limit(1)) is not None:
            return
    job.state, job.finished = "completed", time.time()
    job.version += 1
    note(session, "completed", job.id, clips=job.clips_done, failed=job.failed)


def _close_unit(session: Session, shard: str, key: Key) -> int | None:
    """Take a unit off its shard; return how many are left, None if it is not there (any more)."""
    row = _locked(session, ShardRow, shard)
    if row is None:
        return None
    left = [unit for unit in row.units if tuple(unit) != key]
    if len(left) == len(row.units):
        return None
    row.units = left
    if not left:
        session.delete(row)
    return len(left)


def _locked(session: Session, table: type[Row], key: str | tuple[str, ...]) -> Row | None:
    """Return a row that nobody else can change before this transaction ends; it is read once."""
    held: dict[object, Row | None] = session.info.setdefault("held", {})
    if (table, key) not in held:
        held[table, key] = session.get(table, key, with_for_update=True)
        return held[table, key]
    return session.get(table, key)  # at hand, unless it was deleted meanwhile


class _Trial(NamedTuple):
    """What an attempt has been through."""

    failures: int = 0
    crashes: int = 0  # workers it took with it while it was alone
    alone: bool = False  # whether it may have


def _trial(job: JobRow, key: Key) -> _Trial:
    return _Trial(*job.trials.get(unit_name(key), ()))


def _remember(
    job: JobRow, key: Key, *, failures: int | None = None, crashes: int | None = None, alone: bool = False
) -> None:
    """Remember what an attempt has been through: the few that broke off."""
    before = _trial(job, key)
    now = _Trial(
        failures=before.failures if failures is None else failures,
        crashes=before.crashes if crashes is None else crashes,
        alone=before.alone or alone,
    )
    job.trials = {**job.trials, unit_name(key): [*now]}


def _counted(counts: Mapping[str, int], more: Sequence[str]) -> dict[str, int]:
    found = dict(counts)
    for name in more:
        found[name] = found.get(name, 0) + 1
    return found


def _rate(session: Session, job: JobRow, message: Message) -> None:
    """Add to what is known of the cost of such clips."""
    seconds = sum(message["stages"].values())
    if not message["added"] or seconds <= 0.0:
        return
    clips = message["clips"]
    key = (job.backend, str(clips[0]["preset"]), str(clips[0]["category"]), str(message["device"]).split(":")[0])
    row = _locked(session, RateRow, key)
    if row is None:
        row = RateRow(
            backend=key[0], preset=key[1], category=key[2], device=key[3], frames=0, pixels=0, bytes=0, seconds=0.0
        )
        session.add(row)
        session.flush()
    row.frames += sum(clip["frame_count"] for clip in clips)
    row.pixels += sum(clip["frame_count"] * clip["width"] * clip["height"] for clip in clips)
    row.bytes += sum(clip["bytes"] for clip in clips)
    row.seconds += seconds


def _cut(caption: str) -> str:
    return caption if len(caption) <= CAPTION_MAX else caption[: CAPTION_MAX - 1] + "…"


def _row(clip: Message, dataset: str, job: str | None, at: float) -> ClipRow:
    extra = json.loads(clip.get("extra") or "{}")
    return ClipRow(
        id=clip["clip_id"],
        dataset=dataset,
        job=job,
        category=clip["category"] or "",
        scene=clip["scene"] or "",
        tier=clip["tier"] or "",
        split=clip["split"] or "",
        seed=clip["seed"] or 0,
        index=clip["index"] or 0,
        camera=clip["camera"] or "",
        rig=str(extra.get("rig", "")),
        backend=clip["backend"] or "",
        preset=clip["preset"] or "",
        frame_count=clip["frame_count"],
        fps=clip["fps"] or 0.0,
        width=clip["width"],
        height=clip["height"],
        modalities=clip["modalities"] or [],
        caption=_cut(str(extra.get("caption", ""))),
        bytes=clip["bytes"],
        committed=at,
    )
