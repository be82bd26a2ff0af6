"""Readers of training runs: bounded, and wary of whatever may lie in a folder."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import JsonValue, TypeAdapter, ValidationError

from simfactory.errors import RunError
from simfactory.protocol import MAX_INT, RunRecord
from simfactory.runs.files import IMAGES_FILE, IMAGES_FOLDER, PICTURE_NAME, RECORD_FILE, RUN_NAME

__all__ = [
    "LINE",
    "PICTURE_BYTES",
    "PNG",
    "Picture",
    "is_silent",
    "list_runs",
    "opened",
    "read_picture",
    "read_pictures",
    "read_run",
]

RECORD_BYTES = 1 << 20
PICTURE_BYTES = 4 << 20
LIST_BYTES = 1 << 20  # of images.jsonl, its end
LINE: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture of a run.

    Attributes:
        file: Its file name.
        tag: What it shows.
        step: Of which step.
        caption: Words below it.
    """

    file: str
    tag: str
    step: int
    caption: str


def is_silent(record: RunRecord, now: float) -> bool:
    """Tell whether a run that has not ended has said nothing for too long at a time [s]."""
    return record.state == "running" and now - record.heartbeat > record.silence_limit


def list_runs(root: str | os.PathLike[str]) -> list[tuple[int, str]]:
    """Return when each run below a folder last told something [ns] and its name, the newest first."""
    found = []
    try:
        entries = list(os.scandir(root))
    except FileNotFoundError:
        return []
    for entry in entries:
        if not RUN_NAME.fullmatch(entry.name) or not entry.is_dir(follow_symlinks=False):
            continue
        try:
            status = os.lstat(os.path.join(entry.path, RECORD_FILE))  # noqa: PTH118  # 10,000 of them
        except OSError:
            continue  # no run, or gone meanwhile
        found.append((status.st_mtime_ns, entry.name))
    return sorted(found, reverse=True)


def read_run(folder: str | os.PathLike[str]) -> RunRecord:
    """Return what a run says of itself.

    Raises:
        RunError: There is none, or its `run.json` is not of this form.
    """
    path = Path(folder) / RECORD_FILE
    with opened(path) as file:
        content = file.read(RECORD_BYTES + 1)
    if len(content) > RECORD_BYTES:
        raise RunError(f"{path.parent.name}: run.json has more than {RECORD_BYTES} bytes")
    try:
        return RunRecord.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "/".join(map(str, first["loc"]))
        raise RunError(f"{path.parent.name}: run.json is not of its form: {where[:100]} {first['msg'][:200]}") from None


def read_pictures(folder: str | os.PathLike[str], *, count: int = 200) -> Sequence[Picture]:
    """Return the newest pictures of a run, the newest first; none where nothing readable names one."""
    try:
        with opened(Path(folder) / IMAGES_FILE) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LIST_BYTES))
            lines = file.read(LIST_BYTES).split(b"\n")[:-1]  # the last is empty, or unfinished
    except RunError:
        return []
    found: dict[str, Picture] = {}
    for line in reversed(lines):
        picture = _picture(line)
        if picture is not None:
            found.setdefault(picture.file, picture)
        if len(found) >= count:
            break
    return list(found.values())


def read_picture(folder: str | os.PathLike[str], name: str) -> bytes:
    """Return a picture that a run names.

    Raises:
        RunError: It names no such picture, or what lies there is none.
    """
    named = PICTURE_NAME.fullmatch(name) and any(each.file == name for each in read_pictures(folder, count=100_000))
    images = Path(folder) / IMAGES_FOLDER
    if not named or images.is_symlink():
        raise RunError(f"the run has no picture {name[:100]!r}")
    with opened(images / name) as file:
        content = file.read(PICTURE_BYTES + 1)
    if not content.startswith(PNG) or len(content) > PICTURE_BYTES:
        raise RunError(f"{name} is no PNG of at most {PICTURE_BYTES} bytes")
    return content


def opened(path: Path) -> IO[bytes]:
    """Open a regular file for reading; links are not followed, and pipes not waited for.

    Raises:
        RunError: There is none.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise RunError(f"{path.parent.name} has no file {path.name} to read") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RunError(f"{path.parent.name}: {path.name} is no regular file")
    return os.fdopen(descriptor, "rb")


def _picture(line: bytes) -> Picture | None:
    try:
        entry = LINE.validate_json(line)
    except ValidationError:
        return None
    file, tag, step, caption = (entry.get(name) for name in ("file", "tag", "step", "caption"))
    if not (isinstance(file, str) and isinstance(tag, str) and PICTURE_NAME.fullmatch(file)):
        return None
    if not (type(step) is int and 0 <= step <= MAX_INT):
        return None
    return Picture(file=file, tag=tag[:80], step=step, caption=caption[:500] if isinstance(caption, str) else "")
