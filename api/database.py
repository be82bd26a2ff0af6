"""The state of record: one writer, the control plane; SQLite by default, PostgreSQL by its address."""

import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

from sqlalchemy import create_engine, delete, event, func, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, sessionmaker

from api.tables import EventRow, MetaRow, Table
from simfactory.logs import SUBJECTS

__all__ = ["EVENT_KINDS", "Database", "EventKind", "new_id", "newest_event", "note", "trim_events"]

logger = logging.getLogger(__name__)

EVENTS_KEPT = 20_000
EventKind = Literal[
    "assets", "cancelled", "clips", "completed", "created", "failed", "given_up", "job_failed", "lease_expired",
    "paused", "refused", "rejected", "resumed", "retried", "version", "worker_lost",
]  # fmt: skip
EVENT_KINDS: tuple[str, ...] = get_args(EventKind)
TROUBLE = {"failed", "given_up", "job_failed", "lease_expired", "refused", "worker_lost"}
# One transaction writes at a time, in PostgreSQL as in SQLite: numbers of events and clips then become visible in their
# order, and what was looked up is still so when it is changed.
ONE_WRITER = "SELECT pg_advisory_xact_lock(7267426)"


def new_id(kind: str) -> str:
    """Return a new id that sorts by time: kind, milliseconds, chance."""
    return f"{kind}{int(time.time() * 1000):012x}{secrets.token_hex(5)}"


class Database:
    """Sessions on the state of record.

    Args:
        address: SQLAlchemy address.
    """

    def __init__(self, address: str) -> None:
        self.engine = _engine(address)
        Table.metadata.create_all(self.engine)
        for table in Table.metadata.tables.values():
            for index in table.indexes:  # that an older database has not
                index.create(self.engine, checkfirst=True)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that changes nothing."""
        with self._sessions() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose changes are committed at the end, or not at all."""
        with self._sessions.begin() as session:
            begin = "BEGIN IMMEDIATE" if self.engine.dialect.name == "sqlite" else ONE_WRITER
            session.connection().exec_driver_sql(begin)
            yield session

    def is_there(self) -> bool:
        """Tell whether it answers."""
        with self.engine.connect() as connection:
            return connection.exec_driver_sql("SELECT 1").scalar() == 1

    def secret(self) -> bytes:
        """Return the key that signs cursors; made once."""
        with self.writing() as session:
            row = session.get(MetaRow, "secret")
            if row is None:
                row = MetaRow(key="secret", value=secrets.token_hex(32))
                session.add(row)
            return bytes.fromhex(row.value)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def note(session: Session, kind: EventKind, job: str | None = None, **data: Any) -> None:  # Any: JSON
    """Add an event, and tell the log; a report that is entered twice may be told there twice."""
    session.add(EventRow(at=time.time(), kind=kind, job=job, data=data))
    about = {name: data[name] for name in SUBJECTS if name in data} | ({} if job is None else {"job": job})
    logger.log(logging.WARNING if kind in TROUBLE else logging.INFO, "%s", kind, extra={**about, "told": data})


def trim_events(session: Session) -> None:
    """Drop the oldest events."""
    session.execute(delete(EventRow).where(EventRow.id <= newest_event(session) - EVENTS_KEPT))


def newest_event(session: Session) -> int:
    """Return the id of the newest event; 0 if there is none."""
    return session.scalar(select(func.max(EventRow.id))) or 0


def _engine(address: str) -> Engine:
    if not address.startswith("sqlite"):
        # Compiling a query takes longer than any of ours.
        quick = {"options": "-c jit=off"}
        return create_engine(address, connect_args=quick, pool_pre_ping=True, pool_size=10, max_overflow=20)
    engine = create_engine(address, connect_args={"timeout": 30.0, "check_same_thread": False}, pool_size=16)

    @event.listens_for(engine, "connect")
    def _tune(connection: Any, record: Any) -> None:  # Any: DB-API objects have no types
        connection.isolation_level = None  # transactions begin where we say so: see `writing`
        for setting in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {setting}")

    return engine
