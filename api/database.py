"""The state of record: one writer, the control plane; SQLite by default, PostgreSQL by its address."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, delete, event, func, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, sessionmaker

from api.tables import EventRow, MetaRow, Table

__all__ = ["Database", "new_id"]

EVENTS_KEPT = 20_000
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


def note(session: Session, kind: str, job: str | None = None, **data: Any) -> None:  # Any: JSON
    """Add an event."""
    session.add(EventRow(at=time.time(), kind=kind, job=job, data=data))


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
