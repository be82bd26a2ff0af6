"""Curves of a training run: read as they grow, thinned to a bounded number of points that keep every peak."""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from pydantic import ValidationError

from simfactory.protocol import MAX_INT
from simfactory.runs.files import METRIC_LENGTH, METRICS_FILE
from simfactory.runs.reading import LINE, opened

__all__ = ["Curve", "MetricLine", "MetricsReader"]

POINTS_MAX = 2000  # of a curve
METRICS_MAX = 200  # of a run
LINE_BYTES = 1 << 16
READ_BYTES = 16 << 20  # at a time
Point: TypeAlias = tuple[int, float]  # step and value


@dataclass(frozen=True, slots=True)
class MetricLine:
    """A line: values of a step (None = not finite), or that the run goes on from this step."""

    step: int
    time: float
    values: Mapping[str, float | None]
    is_resumed: bool


@dataclass(slots=True)
class _Span:
    """Neighbouring points: the first, lowest, highest and last of them, and how many they are."""

    first: Point
    low: Point
    high: Point
    last: Point
    count: int = 1

    def join(self, other: "_Span") -> None:
        self.low = min(self.low, other.low, key=lambda point: point[1])
        self.high = max(self.high, other.high, key=lambda point: point[1])
        self.last = other.last
        self.count += other.count

    def cut(self, step: int) -> None:
        """Forget what lies behind a step; the first point does not."""
        kept = [point for point in (self.first, self.low, self.high, self.last) if point[0] <= step]
        self.low = min(kept, key=lambda point: point[1])
        self.high = max(kept, key=lambda point: point[1])
        self.last = max(kept)


class Curve:
    """A metric over the steps: every point while they are few, else the lowest and highest of each stretch.

    Args:
        points_max: Points that it has at most.

    Attributes:
        count: Values told, of steps that still count.
        not_finite: Values that were no number.
    """

    def __init__(self, points_max: int = POINTS_MAX) -> None:
        self._spans: list[_Span] = []
        self._spans_max, self._stretch = max(points_max // 2 - 1, 1), 1
        self.not_finite = 0

    @property
    def count(self) -> int:
        """How many values it stands for."""
        return sum(span.count for span in self._spans)

    @property
    def last(self) -> Point | None:
        """The newest point."""
        return self._spans[-1].last if self._spans else None

    def add(self, step: int, value: float) -> None:
        """Append a value; steps that were told before are told anew from here on."""
        if self._spans and self._spans[-1].last[0] >= step:
            self.rewind(step - 1)
        point = (step, value)
        new = _Span(point, point, point, point)
        if self._spans and self._spans[-1].count < self._stretch:
            self._spans[-1].join(new)
            return
        self._spans.append(new)
        if len(self._spans) > self._spans_max:
            self._thin()

    def rewind(self, step: int) -> None:
        """Forget everything behind a step."""
        while self._spans and self._spans[-1].first[0] > step:
            self._spans.pop()
        if self._spans and self._spans[-1].last[0] > step:
            self._spans[-1].cut(step)

    def points(self) -> list[Point]:
        """Return the points, by step."""
        found = [point for span in self._spans for point in sorted({span.low, span.high})]
        if self._spans and found[-1] != self._spans[-1].last:
            found.append(self._spans[-1].last)
        return found

    def _thin(self) -> None:
        self._stretch *= 2
        pairs = self._spans[::2]
        for span, other in zip(pairs, self._spans[1::2], strict=False):
            span.join(other)
        self._spans = pairs


class MetricsReader:
    """Follows a run's `metrics.jsonl`: each `read` takes in what has been appended, and holds thinned curves.

    A line that is not finished waits for its end; one that is no JSON of the form, or too long, is skipped and counted.
    A file that was replaced is read anew.

    Args:
        folder: Folder of the run.

    Attributes:
        curves: The curves by metric, in the order they appeared.
        skipped: Lines that made no sense.
        left_out: Metrics beyond the limit.
        is_at_end: Whether the last reading came to the end of what is finished.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._path = Path(folder) / METRICS_FILE
        self._begin(0)

    def _begin(self, inode: int) -> None:
        self.curves: dict[str, Curve] = {}
        self.left_out: set[str] = set()
        self.skipped = 0
        self.is_at_end = True
        self._inode, self._offset, self._is_long = inode, 0, False

    @property
    def place(self) -> str:
        """How far it has read, for `read_since`."""
        return f"{self._inode}-{self._offset}"

    def read(self, *, limit: int = READ_BYTES) -> bool:
        """Take in what is new, at most so many bytes; return whether that was all.

        Raises:
            RunError: The file cannot be read.
        """
        with opened(self._path) as file:
            status = os.fstat(file.fileno())
            if status.st_ino != self._inode or status.st_size < self._offset:
                self._begin(status.st_ino)
            self.is_at_end, stop = True, self._offset + limit
            for line in self._lines(file, stop):
                if line is None:
                    self.skipped += 1
                else:
                    self._take(line)
                if self._offset >= stop:
                    self.is_at_end = False
                    break
        return self.is_at_end

    def read_since(self, place: str, *, count: int = POINTS_MAX) -> list[MetricLine] | None:
        """Return the lines behind a place, and go there; None if the file is another one, or went back meanwhile.

        Raises:
            RunError: The file cannot be read.
        """
        inode, _, offset = place.partition("-")
        found: list[MetricLine] = []
        with opened(self._path) as file:
            status = os.fstat(file.fileno())
            at = int(offset)
            if status.st_ino != int(inode) or status.st_size < at:
                return None
            file.seek(max(at - 1, 0))
            if at and file.read(1) != b"\n":
                return None
            self._inode, self._offset, self.is_at_end = status.st_ino, at, True
            for line in self._lines(file, at + READ_BYTES):
                if line is not None:
                    if line.is_resumed:
                        return None
                    found.append(line)
                if len(found) >= count or self._offset - at >= READ_BYTES:
                    self.is_at_end = False
                    break
        return found

    def _lines(self, file: IO[bytes], stop: int) -> Iterator[MetricLine | None]:
        """Yield finished lines from where it stands; None for one that makes no sense."""
        file.seek(self._offset)
        while content := file.readline(LINE_BYTES):
            if content.endswith(b"\n"):
                self._offset += len(content)
                was_long, self._is_long = self._is_long, False
                yield None if was_long else _metric_line(content)
            elif len(content) == LINE_BYTES or self._is_long:
                self._offset += len(content)
                self._is_long = True
                if self._offset >= stop:
                    self.is_at_end = False
                    return
            else:
                return  # its end is still to come

    def _take(self, line: MetricLine) -> None:
        if line.is_resumed:
            for curve in self.curves.values():
                curve.rewind(line.step)
            return
        for name, value in line.values.items():
            if name not in self.curves and len(self.curves) >= METRICS_MAX:
                if len(self.left_out) < METRICS_MAX:
                    self.left_out.add(name)
                continue
            curve = self.curves.setdefault(name, Curve())
            if value is None:
                curve.not_finite += 1
            else:
                curve.add(line.step, value)


def _metric_line(content: bytes) -> MetricLine | None:
    try:
        line = LINE.validate_json(content)
    except ValidationError:
        return None
    step, at, values = line.get("step"), line.get("time"), line.get("values", {})
    if not (type(step) is int and 0 <= step <= MAX_INT and isinstance(values, dict)):
        return None
    told = {
        name: _number(value)
        for name, value in values.items()
        if 0 < len(name) <= METRIC_LENGTH and name.isprintable() and type(value) in (int, float, type(None))
    }
    return MetricLine(step, _number(at) or 0.0, told, line.get("resumed") is True)


def _number(value: object) -> float | None:
    """Return a finite number; None for anything else."""
    if type(value) not in (int, float):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]  # a number, by the line above
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
