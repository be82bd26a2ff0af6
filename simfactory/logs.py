"""Logs as JSON lines: time, level, logger, what happened, and what it is about."""

import json
import logging
import sys
from datetime import UTC, datetime

__all__ = ["SUBJECTS", "JsonLines", "write_json_logs"]

# What a line may be about; whoever logs gives these as `extra`.
SUBJECTS = ("job", "shard", "clip", "episode", "attempt", "worker")


class JsonLines(logging.Formatter):
    """Writes a record as a line of JSON.

    Args:
        subjects: What every line is about.
    """

    def __init__(self, **subjects: str) -> None:
        super().__init__()
        self._subjects = subjects

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        about = {name: getattr(record, name) for name in SUBJECTS if hasattr(record, name)}
        line = {
            "timestamp": datetime.fromtimestamp(record.created, tz=UTC).isoformat().replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **self._subjects,
            **about,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def write_json_logs(**subjects: str) -> None:
    """Have all loggers of this process write JSON lines to standard error, all about the given subjects."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(**subjects))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
