"""Logs as JSON lines: time, level, logger, message, and what a message is about."""

import logging
import sys
from typing import Any

import structlog

from simfactory.logs import SUBJECTS

__all__ = ["set_up_logs"]


def set_up_logs() -> None:
    """Have all loggers of this process write JSON lines to standard error."""
    shared: list[Any] = [  # Any: structlog's processors
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ExtraAdder(allow=(*SUBJECTS, "told")),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("httpx", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
