"""Settings of the control plane: from the environment and the command line."""

import os
from dataclasses import dataclass
from pathlib import Path

from simfactory.store.location import Location, Url, location_of

__all__ = ["Settings"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Where the control plane keeps what it knows, and where it listens.

    Attributes:
        state: Folder of its own: database, tokens, the queue's files and socket.
        data: Folder or `s3://` address of the datasets, one below it for each.
        redis: Address of the queue's server.
        database: SQLAlchemy address of the state of record.
        host: Address it listens on.
        port: Port.
        lease: Seconds after which a worker that does not report counts as dead.
        disk_reserve: Bytes that stay free on the datasets' disk; below it the queue pauses.
        backlog: Shards that wait in the queue at a time, at most, for each job.
        runs: Folder of the training runs, one below it for each; None = `runs` in the state folder.
    """

    state: Path
    data: Location
    redis: str
    database: str
    host: str = "127.0.0.1"
    port: int = 8000
    lease: float = 20.0
    disk_reserve: int = 1 << 30
    backlog: int = 64
    runs: Path | None = None

    @classmethod
    def of(cls, state: Path, *, host: str = "127.0.0.1", port: int = 8000, data: str | None = None) -> "Settings":
        """Return the settings of a state folder; the environment says what is not embedded.

        `REDIS_URL`, `DATABASE_URL`, `SIMFACTORY_DATA`, `SIMFACTORY_RUNS`, `SIMFACTORY_LEASE` [s] and
        `SIMFACTORY_DISK_RESERVE` [B].
        """
        state = state.resolve()
        place = location_of(data or os.environ.get("SIMFACTORY_DATA") or state / "datasets")
        database = os.environ.get("DATABASE_URL") or f"sqlite:///{state / 'simfactory.db'}"
        if database.startswith(("postgres://", "postgresql://")):
            database = "postgresql+psycopg://" + database.partition("://")[2]
        return cls(
            state=state,
            data=place if isinstance(place, Url) else place.resolve(),
            runs=Path(os.environ.get("SIMFACTORY_RUNS") or state / "runs").resolve(),
            redis=os.environ.get("REDIS_URL") or f"unix://{state / 'redis' / 'redis.sock'}",
            database=database,
            host=host,
            port=port,
            lease=float(os.environ.get("SIMFACTORY_LEASE") or 20.0),
            disk_reserve=int(os.environ.get("SIMFACTORY_DISK_RESERVE") or 1 << 30),
        )
