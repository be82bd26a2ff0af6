"""The writer of a training run: appends what it is told, survives its own death, and goes on where it stopped."""

import fcntl
import json
import math
import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from pydantic import ValidationError

from simfactory.errors import RunError
from simfactory.protocol import MAX_INT, DatasetReference, RunRecord, RunState
from simfactory.runs.files import (
    IMAGES_FILE,
    IMAGES_FOLDER,
    METRIC_LENGTH,
    METRICS_FILE,
    PICTURE_NAME,
    RECORD_FILE,
    RUN_NAME,
)
from simfactory.runs.reading import PICTURE_BYTES, PNG, read_run

__all__ = ["RunLog"]

BEAT_SECONDS = 2.0  # between two versions of run.json


class RunLog:
    """Writes a run's folder while the run goes; the end of its `with` block is the run's end.

    A metric's line is with the system before `write` returns, so the death of this process loses none. An exception
    that leaves the block ends the run as failed, Ctrl-C and `SystemExit` as stopped; a process that dies is told by
    its silence.

    Args:
        folder: Folder of the run; its name is the run's address.
        name: Name for people; None = the folder's.
        kind: What kind of training it is, e.g. `pretrain`, `sft`, `rl`, `dpo`, `eval`.
        config: Its configuration, as JSON.
        datasets: What it reads.
        steps: Steps that it is to take in all; None = open.
        resume_at: Step to go on from, if there is such a run: what was told of later steps is void. None = a new run.
        silence_limit: Silence after which the run counts as lost [s].

    Raises:
        RunError: The folder holds another run, another process writes it, or what it is to hold is not allowed.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        kind: str,
        name: str | None = None,
        config: Mapping[str, Any] | None = None,  # Any: JSON
        datasets: Sequence[DatasetReference] = (),
        steps: int | None = None,
        resume_at: int | None = None,
        silence_limit: float = 300.0,
    ) -> None:
        self.folder = Path(folder)
        if not RUN_NAME.fullmatch(self.folder.name):
            raise RunError(f"{self.folder.name!r}: a run's folder is called by letters, digits, '_', '.' and '-'")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._metrics = _opened(self.folder / METRICS_FILE)
        try:
            now = time.time()
            earlier = read_run(self.folder) if (self.folder / RECORD_FILE).exists() else None
            if earlier is not None and resume_at is None:
                raise RunError(f"{self.folder} holds a run: give resume_at to go on with it, or take another folder")
            self._record = RunRecord.model_validate(
                {
                    "name": name or self.folder.name,
                    "kind": kind,
                    "started": now if earlier is None else earlier.started,
                    "heartbeat": now,
                    "silence_limit": silence_limit,
                    "step": resume_at or 0,
                    "steps": steps,
                    "resumed": 0 if earlier is None else earlier.resumed + 1,
                    "config": dict(config or {}),
                    "datasets": list(datasets),
                    "host": socket.gethostname()[:500],
                    "pid": os.getpid(),
                }
            )
        except (ValidationError, RunError) as error:
            self._metrics.close()
            raise RunError(f"{self.folder}: {error}") from error
        self._written = 0.0
        if earlier is not None:
            self._append({"step": resume_at, "time": now, "resumed": True})
        self._tell(self._record)

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the run, in the state that fits."""
        if error is None:
            self.close("completed")
        elif isinstance(error, KeyboardInterrupt | SystemExit):
            self.close("stopped", detail=type(error).__name__)
        else:
            self.close("failed", detail=f"{type(error).__name__}: {error}")

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Append the values of a step.

        Args:
            step: The step, no less than the one before.
            values: Metric → value; a slash makes groups, e.g. `loss/depth`. What is not finite is kept as unknown.

        Raises:
            RunError: A name or a step is not allowed.
        """
        if not self._record.step <= step <= MAX_INT:
            raise RunError(f"step {step} comes after step {self._record.step}: give steps in order")
        wrong = [name for name in values if not (0 < len(name) <= METRIC_LENGTH and name.isprintable())]
        if wrong:
            raise RunError(f"{wrong[0][:200]!r}: a metric has a printable name of at most {METRIC_LENGTH} characters")
        told = {name: float(value) for name, value in values.items()}
        finite = {name: value if math.isfinite(value) else None for name, value in told.items()}
        self._append({"step": step, "time": round(time.time(), 3), "values": finite})
        self.beat(step)

    def picture(self, tag: str, step: int, png: bytes, *, caption: str = "") -> None:
        """Keep a picture of a step.

        Args:
            tag: What it shows, by small letters, digits, `_` and `-`; pictures of one tag make a row.
            step: The step.
            png: A PNG file of at most 4 MB.
            caption: Words below it.

        Raises:
            RunError: It is no such picture.
        """
        file = f"{tag}-{step:09d}.png"
        if not PICTURE_NAME.fullmatch(file):
            raise RunError(f"{tag!r}: a picture's tag has small letters, digits, '_' and '-', at most 80")
        if not png.startswith(PNG) or len(png) > PICTURE_BYTES:
            raise RunError(f"{file}: {len(png)} bytes that are no PNG, or more than {PICTURE_BYTES}")
        folder = self.folder / IMAGES_FOLDER
        folder.mkdir(exist_ok=True)
        _replace(folder / file, png)
        entry = {"file": file, "tag": tag, "step": step, "time": round(time.time(), 3), "caption": caption[:500]}
        with _opened(self.folder / IMAGES_FILE) as lines:
            lines.write(json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        self.beat(step)

    def beat(self, step: int | None = None) -> None:
        """Say that the run lives; at most every 2 s it is written down."""
        if step is not None and step > self._record.step:
            self._record = self._record.model_copy(update={"step": step})
        if time.monotonic() - self._written >= BEAT_SECONDS:
            self._tell(self._record.model_copy(update={"heartbeat": time.time()}))

    def close(self, state: RunState = "completed", *, detail: str = "") -> None:
        """End the run in a state; a second end changes nothing."""
        if self._metrics.closed:
            return
        os.fsync(self._metrics.fileno())
        now = time.time()
        words = detail[:2000].encode("utf-8", "replace").decode()
        self._tell(
            self._record.model_copy(update={"state": state, "heartbeat": now, "ended": now, "detail": words}),
        )
        self._metrics.close()  # and with it its lock

    def _append(self, line: Mapping[str, object]) -> None:
        if self._metrics.closed:
            raise RunError(f"{self.folder}: the run has ended; open it again with resume_at")
        text = json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self._metrics.write(text.encode() + b"\n")

    def _tell(self, record: RunRecord) -> None:
        self._record, self._written = record, time.monotonic()
        _replace(self.folder / RECORD_FILE, record.model_dump_json(indent=1).encode() + b"\n")


def _opened(path: Path) -> IO[bytes]:
    """Open a file of lines for this process alone; a line that an earlier one left unfinished is ended.

    Raises:
        RunError: Another process writes it.
    """
    file = path.open("a+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise RunError(f"{path.parent}: another process writes this run") from error
    size = file.seek(0, os.SEEK_END)
    if size:
        file.seek(size - 1)
        if file.read(1) != b"\n":
            file.write(b"\n")
    return file


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that whoever reads it finds the old one or the new one, whole."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
