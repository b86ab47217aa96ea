"""Export: one consistent snapshot, one file a month, bounded memory; continued where an earlier run ended."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet
from psycopg.sql import SQL, Composable, Identifier

from edge_agent.contract.errors import Misconfigured
from warehouse.parquet import manifest as manifests
from warehouse.parquet import months, types
from warehouse.parquet.catalogue import Relation, find, sequences
from warehouse.parquet.manifest import ColumnSaid, File, Manifest, Table
from warehouse.parquet.months import Span
from warehouse.parquet.snapshot import schema_version, snapshot
from warehouse.postgres import Connection, statement, translated
from warehouse.times import midnight

_SQL: Final = "warehouse.parquet"
_PIECE_BYTES: Final = 16 << 20
"""A row group is made of about so much text of PostgreSQL; with what is made of it, all that stands in memory."""
_PIECE_ROWS: Final = 1 << 18
DATA: Final = "data.parquet"
MONTH: Final = "of_month"
"""Name of the folders' key: ``ingest.reading_gauge/of_month=2025-05/data.parquet``."""
_NO_MONTH: Final = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a database goes into a folder."""

    patterns: tuple[str, ...]
    span: Span = field(default_factory=Span)
    again: bool = False
    """Whether to write also what is complete."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one file."""

    path: str
    rows: int
    written: bool
    """False when it was complete."""


@dataclass(frozen=True, slots=True)
class _Group:
    month: str | None
    rows: int


def export(connection: Connection, folder: Path, wanted: Wanted, tell: Callable[[Told], None]) -> Manifest:
    """Write what is ``wanted`` below ``folder`` and return its manifest.

    Everything is of one snapshot. A file gets its name when it is whole, and its place in the manifest after that; a
    month that stands there with as many rows as the database has, and that was over when it was taken, is not written
    again. ``Misconfigured`` when a table is unknown, when the folder is another database's version or in use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder), translated(), snapshot(connection):
        connection.execute(statement(_SQL, "session.sql"))
        row = connection.execute("SELECT now(), pg_current_snapshot()::text").fetchone()
        assert row is not None  # noqa: S101  # it always gives a row
        taken_at, snapshot_name = row
        relations = find(connection, wanted.patterns)
        flavour, migrations = schema_version(connection)
        manifest = manifests.read(folder)
        before = manifest.tables if manifest is not None else {}
        if manifest is not None and manifest.flavour != flavour:
            raise Misconfigured(
                f"{folder} holds an export of the flavour {manifest.flavour}; export into another folder"
            )
        manifest = Manifest(
            flavour=flavour,
            migrations=migrations,
            sequences=dict(sequences(connection)),
            tables=before,
        )
        manifests.write(folder, manifest)
        for relation in relations:
            for table, told in _relation(
                connection, folder, relation, wanted, before.get(relation.name), taken_at, snapshot_name
            ):
                manifest = manifest.model_copy(update={"tables": {**manifest.tables, relation.name: table}})
                manifests.write(folder, manifest)
                if told is not None:
                    tell(told)
    return manifest


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Misconfigured(f"{folder}: another export writes there (另一个导出正在写入该目录)") from error
        yield


def _relation(
    connection: Connection,
    folder: Path,
    relation: Relation,
    wanted: Wanted,
    before: Table | None,
    taken_at: datetime,
    snapshot_name: str,
) -> Iterator[tuple[Table, Told | None]]:
    """Write the files of one relation; gives its entry before and after each, to be put down."""
    groups, needs = _measure(connection, relation, wanted.span)
    had = {file.month: file for file in before.files} if before is not None else {}
    old = next(
        (parquet.read_schema(folder / file.path) for file in had.values() if (folder / file.path).is_file()), None
    )
    schema = types.schema(relation, needs, old)
    entry = Table(
        kind="view" if relation.is_view else "table",
        time=relation.time.name if relation.time else None,
        columns=tuple(
            ColumnSaid(name=column.name, postgres=column.type, arrow=str(field.type))
            for column, field in zip(relation.columns, schema, strict=True)
        ),
        files=tuple(had.values()),
    )
    yield entry, None
    wanted_months = {group.month for group in groups}
    for month in [month for month in had if month not in wanted_months and _covers(relation, wanted.span, month)]:
        entry = _with(entry, month, None)
        yield entry, None
        (folder / had[month].path).unlink(missing_ok=True)
    for group in groups:
        part = wanted.span.within(group.month) if group.month is not None else Span()
        file = had.get(group.month)
        if file is not None and not wanted.again and _complete(folder, relation, file, group, part):
            yield entry, Told(file.path, file.rows, written=False)
            continue
        # Out of the manifest first: what stands there is whole and has that checksum, whenever a run ends.
        entry = _with(entry, group.month, None)
        yield entry, None
        file = _file(connection, folder, relation, schema, group, part, taken_at, snapshot_name)
        entry = _with(entry, group.month, file)
        yield entry, Told(file.path, file.rows, written=True)


def _measure(connection: Connection, relation: Relation, span: Span) -> tuple[list[_Group], list[types.Measured]]:
    wanted = [types.figures(column) for column in relation.columns]
    expressions = [
        SQL(text).format(column=Identifier("r", column.name))
        for column, texts in zip(relation.columns, wanted, strict=True)
        for text in texts
    ]
    query = statement(_SQL, "measure.sql").format(
        month=months.month_of(relation.time),
        figures=SQL("").join(SQL(", {}").format(expression) for expression in expressions),
        relation=relation.identifier,
        where=months.of_span(relation.time, span),
    )
    rows = connection.execute(query).fetchall()
    needs, place = [], 2
    for column, texts in zip(relation.columns, wanted, strict=True):
        needs.append(types.measured(column, [row[place : place + len(texts)] for row in rows]))
        place += len(texts)
    groups = [_Group(month, count) for month, count, *_ in rows]
    return groups or ([_Group(None, 0)] if relation.time is None else []), needs


def _covers(relation: Relation, span: Span, month: str | None) -> bool:
    """Return whether an export of ``span`` says everything about ``month``."""
    if month is None:
        return relation.time is None or span.open
    return span.holds(month) and span.within(month).open


def _complete(folder: Path, relation: Relation, file: File, group: _Group, part: Span) -> bool:
    if relation.time is None or (file.first_day, file.end_day) != (part.first, part.end) or file.rows != group.rows:
        return False
    if group.month is None or not (folder / file.path).is_file():
        return False
    end = part.end or months.of_month(group.month).end
    return end is not None and file.taken_at >= midnight(end)


def _with(entry: Table, month: str | None, file: File | None) -> Table:
    files = {one.month: one for one in entry.files if one.month != month}
    if file is not None:
        files[month] = file
    ordered = sorted(files.values(), key=lambda one: (one.month is None, one.month or ""))
    return entry.model_copy(update={"files": tuple(ordered)})


def _file(
    connection: Connection,
    folder: Path,
    relation: Relation,
    schema: pa.Schema,
    group: _Group,
    part: Span,
    taken_at: datetime,
    snapshot_name: str,
) -> File:
    path = _path(relation, group.month)
    whole = folder / path
    whole.parent.mkdir(parents=True, exist_ok=True)
    draft = whole.with_name(f".{DATA}.tmp")
    key = SQL(", ").join(Identifier("r", name) for name in relation.key)
    query = statement(_SQL, "copy_out.sql").format(
        columns=_columns(relation, schema),
        relation=relation.identifier,
        where=months.of_file(relation.time, group.month, part),
        order=SQL(" ORDER BY {}").format(key) if relation.key else SQL(""),
    )
    said = {b"relation": relation.name.encode(), b"taken_at": taken_at.isoformat().encode()}
    rows = 0
    with (
        parquet.ParquetWriter(draft, schema.with_metadata(said), compression="zstd") as writer,
        connection.cursor() as cursor,
        cursor.copy(query) as copy,
    ):
        for piece in _pieces(copy):
            table = _arrow(piece, schema)
            rows += table.num_rows
            writer.write_table(table)
    if rows != group.rows:
        raise Misconfigured(f"{relation.name}: {group.rows} rows were counted and {rows} came; export it again")
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    digest = manifests.sha256(draft)
    draft.replace(whole)
    return File(
        path=path,
        month=group.month,
        first_day=part.first,
        end_day=part.end,
        rows=rows,
        size_bytes=whole.stat().st_size,
        sha256=digest,
        taken_at=taken_at,
        snapshot=snapshot_name,
    )


def _path(relation: Relation, month: str | None) -> str:
    if relation.time is None:
        return f"{relation.name}/{DATA}"
    return f"{relation.name}/{MONTH}={month or _NO_MONTH}/{DATA}"


def _columns(relation: Relation, schema: pa.Schema) -> Composable:
    # A quotient carries zeros that the column of the file has no room for.
    short = SQL("trim_scale({})")
    return SQL(", ").join(
        (short if pa.types.is_decimal(field.type) and column.scale is None else SQL("{}")).format(
            Identifier("r", column.name)
        )
        for column, field in zip(relation.columns, schema, strict=True)
    )


def _pieces(rows: Iterable[Any]) -> Iterator[bytes]:
    """Join rows to pieces; the server sends each row of a COPY as one message."""
    piece, count = bytearray(), 0
    for row in rows:
        piece += row
        count += 1
        if len(piece) >= _PIECE_BYTES or count >= _PIECE_ROWS:
            yield bytes(piece)
            piece, count = bytearray(), 0
    if piece:
        yield bytes(piece)


def _arrow(piece: bytes, schema: pa.Schema) -> pa.Table:
    raw = {field.name: pa.string() if _as_text(field.type) else field.type for field in schema}
    table = arrow_csv.read_csv(
        pa.BufferReader(piece),
        read_options=arrow_csv.ReadOptions(column_names=schema.names, block_size=len(piece) + 1, use_threads=False),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=arrow_csv.ConvertOptions(
            column_types=raw,
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    columns = [_typed(table.column(place), field.type) for place, field in enumerate(schema)]
    return pa.table(columns, schema=schema)


def _as_text(wanted: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(wanted) or pa.types.is_binary(wanted))


def _typed(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_binary(wanted):
        values: Sequence[str | None] = column.to_pylist()
        return pa.chunked_array([[None if v is None else bytes.fromhex(v[2:]) for v in values]], type=wanted)
    return column.cast(wanted) if pa.types.is_decimal(wanted) else column
