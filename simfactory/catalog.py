"""What a dataset holds, as a table: immutable Parquet parts, healed from and never ahead of the commit records."""

import io
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from simfactory.errors import StoreError
from simfactory.store import COLUMNS, JSON, DatasetFolder, committed_ids, open_folder, read_record
from simfactory.store.row import row_order, with_defaults
from simfactory.store.ulid import new_ulid

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["matching", "query", "read_table", "rebuild", "update"]

_CATALOG = "catalog"
_ATTEMPTS = 3


def read_table(path: str | os.PathLike[str]) -> "pa.Table":
    """Return one row per committed clip, ordered by seed, index, camera and id.

    In a local folder, clips that no part lists yet (a run is going on, or one was killed) come from their commit
    records; rows without a commit record are left out. Where listing the records is dear (a bucket) or impossible
    (HTTP), the parts alone count; a bucket that has no part yet is listed.

    Raises:
        StoreError: There is no dataset, it cannot be reached, or a part is damaged.
        CorruptClip: A commit record is damaged.
    """
    import pyarrow as pa

    folder = open_folder(path)
    rows = _listed_rows(folder)
    listing = folder.volume.listing
    if listing == "free" or (listing == "paid" and not rows):
        committed = committed_ids(folder)
        listed = {clip_id: row for clip_id, row in rows.items() if clip_id in committed}
        missing = committed - listed.keys()
        rows = listed | {str(row["clip_id"]): row for row in _recorded_rows(folder, missing)}
    return pa.Table.from_pylist(sorted(rows.values(), key=row_order), schema=_schema())


def query(path: str | os.PathLike[str], **wanted: JSON) -> "pa.Table":
    """Return the rows of clips whose columns have the wanted values; see `matching`."""
    return matching(read_table(path), **wanted)


def matching(table: "pa.Table", **wanted: JSON) -> "pa.Table":
    """Return the rows of `table` where every named column has the wanted value, or one of a list of values.

    Raises:
        StoreError: There is no such column.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for column, value in wanted.items():
        if column not in COLUMNS or COLUMNS[column] is list:
            choices = ", ".join(name for name, kind in COLUMNS.items() if kind is not list)
            raise StoreError(f"clips cannot be selected by {column!r}; choose from {choices}")
        values = value if isinstance(value, list | tuple | set) else [value]
        try:
            chosen = pa.array(list(values), type=_schema().field(column).type)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise StoreError(f"{column}={value!r}: {error}; give a {COLUMNS[column].__name__}") from error
        table = table.filter(pc.is_in(table[column], value_set=chosen))
    return table


def update(path: str | os.PathLike[str]) -> int:
    """Write one part with the rows of every committed clip that no part lists yet; return how many.

    Call it at the end of a run, or every few hundred clips of a long one: parts are for reading many rows at once.

    Raises:
        ResourceError: The disk is full.
    """
    folder = open_folder(path)
    missing = committed_ids(folder) - _listed_rows(folder).keys()
    return _write_part(folder, _recorded_rows(folder, missing))


def rebuild(path: str | os.PathLike[str]) -> int:
    """Write the whole catalogue anew as one part, from the commit records alone; return the number of rows."""
    folder = open_folder(path)
    old = list(_parts(folder))
    count = _write_part(folder, _recorded_rows(folder, committed_ids(folder)))
    for part in old:
        folder.volume.remove(part)
    return count


def _schema() -> "pa.Schema":
    import pyarrow as pa

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), list: pa.list_(pa.string())}
    return pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])


def _parts(folder: DatasetFolder) -> list[str]:
    return sorted(f"{_CATALOG}/{name}" for name in folder.volume.names(_CATALOG) if name.endswith(".parquet"))


def _listed_rows(folder: DatasetFolder) -> dict[str, dict[str, JSON]]:
    """Return the rows of all parts by clip id; parts that a rebuild removes meanwhile are looked up again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for _ in range(_ATTEMPTS):
        rows: dict[str, dict[str, JSON]] = {}
        part = ""
        try:
            for part in _parts(folder):
                table = pq.read_table(pa.BufferReader(folder.volume.read(part)))
                rows |= {row["clip_id"]: with_defaults(row) for row in table.to_pylist()}
            return rows
        except FileNotFoundError:
            continue
        except (pa.ArrowInvalid, KeyError) as error:
            raise StoreError(f"{folder.path / part}: damaged: {error}; catalog.rebuild() writes it anew") from error
    raise StoreError(f"{folder.path / _CATALOG}: parts keep disappearing while they are read; try again")


def _recorded_rows(folder: DatasetFolder, clip_ids: Iterable[str]) -> list[dict[str, JSON]]:
    return [with_defaults(cast(dict[str, JSON], read_record(folder, clip_id)["row"])) for clip_id in clip_ids]


def _write_part(folder: DatasetFolder, rows: list[dict[str, JSON]]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if rows:
        sink = io.BytesIO()
        table = pa.Table.from_pylist(sorted(rows, key=row_order), schema=_schema())
        pq.write_table(table, sink, compression="zstd")
        folder.volume.put_if_absent(f"{_CATALOG}/part-{new_ulid()}.parquet", sink.getvalue())
    return len(rows)
