"""What lists cost over a million clips: every filter and pair of filters, through HTTP."""

import argparse
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from service.made_up import COLUMNS, batches
from service.servers import Api, api_process, cpu_seconds, postgres_processes, queue_server
from sqlalchemy import func, insert, select

from api.database import Database
from api.ledger import add_clips
from api.paging import encode_cursor
from api.tables import ClipRow, JobRow, KindRow

__all__ = ["measure_rows"]

NOBODY = "absent"  # a value that no clip has
DEPTHS = {"first": 0.0, "middle": 0.5, "deep": 0.97}
Kinds = Counter[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Case:
    """A filter and where in its list to ask."""

    name: str
    wanted: Mapping[str, str]
    depth: str
    group: str


@dataclass(slots=True)
class Times:
    """Times of requests [s] by case: on the wall, and of processors in the API and in the database's server."""

    wall: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def ask(self, case: str, api: Api, connection: HTTPConnection, path: str, servers: Sequence[int]) -> None:
        """Send a request and note what it took."""
        used = api.cpu() + sum(map(cpu_seconds, servers))
        begin = time.perf_counter()
        status, _ = api.ask(connection, path)
        self.wall.setdefault(case, []).append(time.perf_counter() - begin)
        self.cpu.setdefault(case, []).append(api.cpu() + sum(map(cpu_seconds, servers)) - used)
        if status != 200:
            raise RuntimeError(f"{path}: {status}")

    def figures(self, names: Sequence[str] | None = None) -> dict[str, object]:
        """Return percentiles over all requests [ms], and the case that takes most by its least time."""
        chosen = [*self.wall] if names is None else names
        least = {name: min(self.cpu[name]) for name in chosen}
        worst = max(least, key=lambda name: least[name])
        return {
            "cases": len(chosen),
            **_percentiles("wall", itertools.chain.from_iterable(self.wall[name] for name in chosen)),
            **_percentiles("cpu", itertools.chain.from_iterable(self.cpu[name] for name in chosen)),
            "most": {"case": worst, "cpu_ms": round(1e3 * least[worst], 2)},
        }


def _percentiles(name: str, times: Iterable[float]) -> dict[str, float]:
    each = sorted(times)
    return {f"{name}_p{p}_ms": round(1e3 * each[min(len(each) - 1, p * len(each) // 100)], 2) for p in (50, 95, 99)}


def measure_rows(folder: Path, name: str, address: str, options: argparse.Namespace) -> dict[str, object]:
    """Return the figures of one database."""
    kinds: Kinds = Counter()
    database = Database(address)
    filled = _fill(database, options.rows, kinds)
    _add_jobs(database, options.jobs, kinds)
    secret = database.secret()
    with database.reading() as session:
        last = session.scalar(select(func.max(ClipRow.number))) or 0
        kind_count = session.scalar(select(func.count()).select_from(KindRow)) or 0
    size = _size(database, folder)
    database.close()
    report: dict[str, object] = {
        "clips": kinds.total(),
        "jobs": options.jobs,
        "kinds": kind_count,
        "fill": filled,
        "megabytes": size,
    }
    with queue_server(folder) as redis, api_process(folder / "state", redis=redis, database=address) as api:
        cases = list(_cases(kinds))[:: 20 if options.quick else 1]
        for limit, times in ((100, options.repeats), (1000, 1)):
            report[f"clips_limit_{limit}"] = _lists(api, address, secret, cases, last=last, limit=limit, repeats=times)
        report["others"] = _others(api, address, kinds, repeats=10 * options.repeats)
        report["api_megabytes"] = round(api.process.memory_info().rss / 2**20)
    return report


def _fill(database: Database, count: int, kinds: Kinds) -> dict[str, float]:
    """Enter clips the way that the catalogue is rebuilt."""
    wall = cpu = 0.0
    for batch in batches(count, kinds):
        begin, used = time.perf_counter(), time.process_time()
        with database.writing() as session:
            add_clips(session, batch.job, batch.dataset, batch.clips, at=time.time())
        wall, cpu = wall + time.perf_counter() - begin, cpu + time.process_time() - used
    total = kinds.total()
    return {"inserts_per_second": round(total / wall), "inserts_per_cpu_second": round(total / cpu)}


def _add_jobs(database: Database, count: int, kinds: Kinds) -> None:
    """Enter finished jobs: those of the clips, and as many others as are wanted."""
    owners = Counter[str]()
    for kind, clips in kinds.items():
        owners[kind[COLUMNS.index("job")]] += clips
    names = [*owners, *(f"j{number:012x}9876543210" for number in range(count - len(owners)))]
    request = {"dataset": "main", "items": [{"category": "rigid", "clips": 100}]}
    rows = [
        {
            "id": name, "name": f"job {number}", "state": "completed", "reason": "", "priority": "default",
            "backend": "mock", "dataset": "main", "request": request, "tags": ["nightly"] if number % 100 else ["rare"],
            "parts": [[20, 100]], "planned": True, "clips_wanted": 100, "clips_done": owners[name] or 100,
            "created": 1.7e9 + number, "started": 1.7e9 + number, "finished": 1.8e9,
        }
        for number, name in enumerate(names)
    ]  # fmt: skip
    with database.writing() as session:
        session.execute(insert(JobRow), rows)


def _cases(kinds: Kinds) -> Iterator[Case]:
    """Yield filters: none, each column, each pair; common, rare and absent values, and those that never meet."""
    found = {column: Counter[str]() for column in COLUMNS}
    for kind, count in kinds.items():
        for column, value in zip(COLUMNS, kind, strict=True):
            found[column][value] += count
    ranked = {column: [value for value, _ in counts.most_common()] for column, counts in found.items()}
    chosen: list[tuple[str, dict[str, str]]] = [("all", {})]
    for column in COLUMNS:
        for label, value in (("common", ranked[column][0]), ("rare", ranked[column][-1]), ("absent", NOBODY)):
            chosen.append((f"{column}={label}", {column: value}))
    for first, second in itertools.combinations(COLUMNS, 2):
        for name, pair in _pairs(kinds, ranked, first, second):
            chosen.append((name, pair))
    for name, wanted in chosen:
        group = ("all", "single", "pair")[len(wanted)]
        for depth in DEPTHS:
            yield Case(f"{name} {depth}", wanted, depth, group)


def _pairs(
    kinds: Kinds, ranked: Mapping[str, Sequence[str]], first: str, second: str
) -> Iterator[tuple[str, dict[str, str]]]:
    one, two = COLUMNS.index(first), COLUMNS.index(second)
    together = Counter[tuple[str, str]]()
    for kind, count in kinds.items():
        together[kind[one], kind[two]] += count
    values = {
        "common": (ranked[first][0], ranked[second][0]),
        "common and rare": (ranked[first][0], ranked[second][-1]),
        "rare and common": (ranked[first][-1], ranked[second][0]),
        "rarest that meet": together.most_common()[-1][0],
        "common and absent": (ranked[first][0], NOBODY),
    }
    strangers = [pair for pair in itertools.product(ranked[first], ranked[second]) if pair not in together]
    if strangers:  # the most common ones: whoever looks through either finds nothing for long
        values["never meet"] = strangers[0]
    for label, (left, right) in values.items():
        yield f"{first}, {second}: {label}", {first: left, second: right}


def _lists(
    api: Api, address: str, secret: bytes, cases: Sequence[Case], *, last: int, limit: int, repeats: int
) -> dict[str, object]:
    times, connection = Times(), api.connect()
    api.ask(connection, "/v1/clips")
    servers = postgres_processes(address)
    for _ in range(repeats):
        for case in cases:
            query = {**case.wanted, "limit": str(limit)}
            after = int(DEPTHS[case.depth] * last)
            if after:
                query["cursor"] = encode_cursor(secret, "clips", [after])
            times.ask(case.name, api, connection, f"/v1/clips?{urlencode(query)}", servers)
    found = sorted({case.group for case in cases})
    groups = {group: [case.name for case in cases if case.group == group] for group in found}
    return {
        "every": times.figures(),
        **{group: times.figures(names) for group, names in groups.items()},
    }


def _others(api: Api, address: str, kinds: Kinds, *, repeats: int) -> dict[str, object]:
    """Return the times of what else is asked often."""
    owners = Counter[str]()
    for kind, clips in kinds.items():
        owners[kind[COLUMNS.index("job")]] += clips
    job = owners.most_common(1)[0][0]
    paths = {
        "jobs": "/v1/jobs",
        "jobs of a state": "/v1/jobs?state=completed&limit=100",
        "jobs with a rare tag": "/v1/jobs?tag=rare&limit=20",
        "job": f"/v1/jobs/{job}",
        "clips of a job": f"/v1/jobs/{job}/clips",
        "datasets": "/v1/datasets",
        "metrics": "/metrics",
    }
    found, connection, servers = dict[str, object](), api.connect(), postgres_processes(address)
    for name, path in paths.items():
        times = Times()
        for _ in range(repeats):
            times.ask(name, api, connection, path, servers)
        found[name] = {key: value for key, value in times.figures().items() if key.endswith("_ms")}
    return found


def _size(database: Database, folder: Path) -> int:
    """Return the size of the database [MB]."""
    if database.engine.dialect.name == "sqlite":
        return sum(file.stat().st_size for file in folder.glob("simfactory.db*")) >> 20
    with database.reading() as session:
        return int(session.scalar(select(func.pg_database_size(func.current_database()))) or 0) >> 20
