"""Training runs as the service tells them: pages of them, their curves, and their pictures."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from api.paging import decode_cursor, encode_cursor
from api.problems import ProblemError
from simfactory.errors import RunError
from simfactory.protocol import ApiModel, RunRecord
from simfactory.runs import MetricsReader, Picture, is_silent, list_runs, read_picture, read_pictures, read_run
from simfactory.runs.curves import MetricLine

__all__ = ["Runs", "TrainingCurve", "TrainingMetrics", "TrainingPicture", "TrainingRun", "TrainingRunPage"]

KEPT = 16  # runs whose curves are held
LISTED_FOLD = 10.0  # a listing is good enough for so many times the time that it took


class TrainingPicture(ApiModel):
    """A picture of a run: its file, what it shows, the step, words below it."""

    file: str
    tag: str
    step: int
    caption: str


class TrainingRun(ApiModel):
    """A training run.

    Attributes:
        id: Name of its folder.
        record: What it says of itself; None if that cannot be read.
        state: How it goes: the record's state, `silent` for one that runs and says nothing any more, or `unreadable`.
        detail: Why it is not as it should be.
        progress: Share of its steps that are done, where it says how many they are.
    """

    id: str
    record: RunRecord | None
    state: str
    detail: str
    progress: Annotated[float, Field(ge=0.0, le=1.0)] | None


class TrainingRunPage(ApiModel):
    """Training runs, who told something last first; `next` is the cursor of the following page."""

    items: list[TrainingRun]
    count: int
    next: str | None


class TrainingCurve(ApiModel):
    """A metric.

    Attributes:
        name: Its name.
        steps: Steps in order.
        values: Its value at each.
        count: Values that these points stand for.
        not_finite: Values that were no number.
    """

    name: str
    steps: list[int]
    values: list[float]
    count: int
    not_finite: int


class TrainingMetrics(ApiModel):
    """Curves of a run: at most 2,000 points each, or what is new since a place.

    Attributes:
        curves: The curves.
        next: Place to ask from for what comes next.
        is_complete: Whether that is all there is by now.
        is_reset: The run is another one, or went back to an earlier step: ask for everything.
        skipped: Lines that made no sense.
        left_out: Metrics beyond the 200 that are shown.
    """

    curves: list[TrainingCurve]
    next: str
    is_complete: bool
    is_reset: bool = False
    skipped: int = 0
    left_out: int = 0


class Runs:
    """The training runs below a folder.

    Args:
        root: The folder; it need not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._readers: OrderedDict[str, tuple[MetricsReader, threading.Lock]] = OrderedDict()
        self._listed: tuple[float, list[tuple[int, str]]] = (-math.inf, [])

    def page(self, secret: bytes, *, cursor: str | None, limit: int) -> TrainingRunPage:
        """Return a page of runs.

        Raises:
            ProblemError: The cursor is none of ours.
        """
        found = everything = self._list()
        if cursor is not None:
            at, name = decode_cursor(secret, "training", cursor)
            found = [each for each in everything if each < (at, name)]
        shown = found[:limit]
        following = encode_cursor(secret, "training", shown[-1]) if len(found) > limit else None
        return TrainingRunPage(items=[self.one(name) for _, name in shown], count=len(everything), next=following)

    def one(self, name: str) -> TrainingRun:
        """Return a run; one that cannot be read says why."""
        try:
            record = read_run(self._folder(name))
        except RunError as error:
            return TrainingRun(id=name, record=None, state="unreadable", detail=str(error)[:1000], progress=None)
        state = "silent" if is_silent(record, time.time()) else record.state
        detail = record.detail
        if state == "silent":
            detail = f"it has said nothing for more than {record.silence_limit:g} s"
        progress = None if not record.steps else min(record.step / record.steps, 1.0)
        if record.state == "completed":
            progress = 1.0
        return TrainingRun(id=name, record=record, state=state, detail=detail, progress=progress)

    def find(self, name: str) -> TrainingRun:
        """Return a run.

        Raises:
            ProblemError: There is none of this name (404).
        """
        self._folder(name)
        return self.one(name)

    def metrics(self, name: str, since: str | None) -> TrainingMetrics:
        """Return the curves of a run, or what is new since a place.

        Raises:
            ProblemError: There is no such run (404).
        """
        folder = self._folder(name)
        try:
            return self._thinned(name, folder) if since is None else _new_points(folder, since)
        except RunError:  # nothing was told yet
            return TrainingMetrics(curves=[], next="0-0", is_complete=True)

    def pictures(self, name: str) -> list[TrainingPicture]:
        """Return the newest pictures of a run."""
        return [_told(picture) for picture in read_pictures(self._folder(name))]

    def picture(self, name: str, file: str) -> bytes:
        """Return a picture that a run names.

        Raises:
            ProblemError: There is none (404).
        """
        try:
            return read_picture(self._folder(name), file)
        except RunError as error:
            raise ProblemError(404, str(error)) from None

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        if folder.is_symlink() or not (folder / "run.json").exists():
            raise ProblemError(404, f"there is no training run {name[:128]!r}; GET /v1/training/runs lists them")
        return folder

    def _list(self) -> list[tuple[int, str]]:
        with self._lock:
            begin = time.monotonic()
            if begin > self._listed[0]:
                found = list_runs(self.root)
                now = time.monotonic()
                self._listed = now + LISTED_FOLD * (now - begin), found
            return self._listed[1]

    def _thinned(self, name: str, folder: Path) -> TrainingMetrics:
        with self._lock:
            reader, lock = self._readers.setdefault(name, (MetricsReader(folder), threading.Lock()))
            self._readers.move_to_end(name)
            if len(self._readers) > KEPT:
                self._readers.popitem(last=False)
        with lock:
            is_complete = reader.read()
            curves = [
                TrainingCurve(
                    name=metric,
                    steps=[step for step, _ in points],
                    values=[value for _, value in points],
                    count=curve.count,
                    not_finite=curve.not_finite,
                )
                for metric, curve in reader.curves.items()
                for points in [curve.points()]
            ]
            return TrainingMetrics(
                curves=curves,
                next=reader.place,
                is_complete=is_complete,
                skipped=reader.skipped,
                left_out=len(reader.left_out),
            )


def _new_points(folder: Path, since: str) -> TrainingMetrics:
    reader = MetricsReader(folder)
    lines = reader.read_since(since)
    if lines is None:
        return TrainingMetrics(curves=[], next=since, is_complete=False, is_reset=True)
    return TrainingMetrics(curves=_curves(lines), next=reader.place, is_complete=reader.is_at_end)


def _curves(lines: Sequence[MetricLine]) -> list[TrainingCurve]:
    found: dict[str, dict[int, float]] = {}
    unknown: dict[str, int] = {}
    for line in lines:
        for name, value in line.values.items():
            points = found.setdefault(name, {})
            if value is None:
                unknown[name] = unknown.get(name, 0) + 1
            else:
                points[line.step] = value
    return [
        TrainingCurve(
            name=name,
            steps=sorted(points),
            values=[points[step] for step in sorted(points)],
            count=len(points),
            not_finite=unknown.get(name, 0),
        )
        for name, points in list(found.items())[:200]
    ]


def _told(picture: Picture) -> TrainingPicture:
    return TrainingPicture(file=picture.file, tag=picture.tag, step=picture.step, caption=picture.caption)
