"""Import: Parquet files of an export back into tables; what stands there does nothing, what differs is refused."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet
from psycopg.sql import SQL, Composable, Identifier

from edge_agent.contract.errors import BadRecord, Misconfigured
from warehouse.parquet import manifest as manifests
from warehouse.parquet.catalogue import ITS_OWN, Column, Relation, by_reference, find
from warehouse.parquet.manifest import File, Manifest, Table
from warehouse.parquet.types import TYPE
from warehouse.postgres import Connection, statement, translated

_SQL: Final = "warehouse.parquet"
_MOST_TOLD: Final = 20
"""Differing rows of a table that are told one by one."""
_BATCH_ROWS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of one table; it holds ``refusals`` or its rows are in."""

    table: str
    new: int
    same: int
    replaced: int
    refusals: tuple[str, ...]


class _Refused(Exception):
    def __init__(self, told: Sequence[str]) -> None:
        super().__init__(*told)
        self.told = tuple(told)


def load(
    connection: Connection, folder: Path, patterns: Sequence[str] = (), *, replace: bool = False, dry_run: bool = False
) -> Iterator[Loaded]:
    """Bring the tables of ``folder`` (all, or those of ``patterns``) back; each whole or not at all.

    A row that stands there with the same values does nothing; one with the same key and other values refuses its
    table, or, with ``replace``, takes the place of what stands there. Numbers of identity columns are kept, and all
    sequences moved on. No trigger fires: what follows from a row stands in other tables of the export. ``BadRecord``
    when a file is damaged, ``Misconfigured`` when the folder or the database is not what it must be.
    """
    found = manifests.read(folder)
    if found is None:
        raise Misconfigured(f"{folder} has no {manifests.NAME} (该目录不是导出目录)")
    wanted = [name for name, table in found.tables.items() if table.kind == "table" and name not in ITS_OWN]
    with translated():
        chosen = find(connection, patterns) if patterns else find(connection, wanted) if wanted else ()
        for missing in (relation.name for relation in chosen if relation.name not in wanted):
            if missing in patterns:
                raise Misconfigured(f"{missing} does not stand in {folder} as a table (该目录中没有这个表)")
        ordered = by_reference(connection, [relation for relation in chosen if relation.name in wanted])
        if patterns and not ordered:
            raise Misconfigured(f"{folder} has no table of {', '.join(patterns)} (该目录中没有匹配的表)")
        for relation in ordered:
            _check(folder, relation, found.tables[relation.name])
        for relation in ordered:
            yield _table(connection, folder, relation, found.tables[relation.name], replace=replace, dry_run=dry_run)
        if not dry_run:
            _advance(connection, found)


def _check(folder: Path, relation: Relation, table: Table) -> None:
    said = [(column.name, column.postgres) for column in table.columns]
    have = [(column.name, column.type) for column in relation.columns]
    if sorted(said) != sorted(have):
        differing = ", ".join(f"{name} {kind}" for name, kind in sorted(set(said) ^ set(have)))
        raise Misconfigured(
            f"{relation.name}: the files are of another version of the table; differing columns: {differing} "
            "(导出文件与表结构不一致)"
        )
    for file in table.files:
        path = (folder / file.path).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            raise BadRecord("manifest", f"{file.path} is missing (文件缺失)")
        if manifests.sha256(path) != file.sha256:
            raise BadRecord("damaged", f"{file.path} is not what was exported (文件已损坏或被修改)")
        for field in parquet.read_schema(path):
            if (field.name, (field.metadata or {}).get(TYPE, b"").decode()) not in have:
                raise BadRecord("manifest", f"{file.path}: column {field.name} is not that of the manifest")


def _table(
    connection: Connection, folder: Path, relation: Relation, table: Table, *, replace: bool, dry_run: bool
) -> Loaded:
    new = same = replaced = 0
    try:
        with connection.transaction():
            connection.execute(statement(_SQL, "session.sql"))
            triggers = SQL("ALTER TABLE {} {} TRIGGER USER")
            quiet = _has_triggers(connection, relation)
            if quiet:
                connection.execute(triggers.format(relation.identifier, SQL("DISABLE")))
            connection.execute(statement(_SQL, "stage.sql").format(relation=relation.identifier))
            for file in table.files:
                _stage(connection, folder, relation, file)
                put, changed = _merge(connection, relation, replace=replace)
                new, replaced, same = new + put, replaced + changed, same + file.rows - put - changed
            connection.execute("DROP TABLE pg_temp.g60_stage")
            if quiet:
                connection.execute(triggers.format(relation.identifier, SQL("ENABLE")))
            if dry_run:
                raise psycopg.Rollback
    except _Refused as refused:
        return Loaded(relation.name, 0, 0, 0, refused.told)
    except (psycopg.IntegrityError, psycopg.DataError) as error:
        return Loaded(relation.name, 0, 0, 0, (str(error).strip(),))
    return Loaded(relation.name, new, same, replaced, ())


def _has_triggers(connection: Connection, relation: Relation) -> bool:
    return connection.execute(statement(_SQL, "triggers.sql"), {"oid": relation.oid}).fetchone() == (True,)


def _stage(connection: Connection, folder: Path, relation: Relation, file: File) -> None:
    connection.execute("TRUNCATE pg_temp.g60_stage")
    source = parquet.ParquetFile(folder / file.path)
    columns = SQL(", ").join(Identifier(name) for name in source.schema_arrow.names)
    query = statement(_SQL, "stage_in.sql").format(columns=columns)
    options = arrow_csv.WriteOptions(include_header=False)
    with source, connection.cursor() as cursor, cursor.copy(query) as copy:
        for batch in source.iter_batches(batch_size=_BATCH_ROWS):
            text = io.BytesIO()
            arrow_csv.write_csv(pa.Table.from_batches([_textual(batch)]), text, options)
            copy.write(text.getvalue())
    connection.execute("ANALYZE pg_temp.g60_stage")
    if relation.kind == "p" and relation.time is not None:
        connection.execute(statement(_SQL, "partitions.sql").format(time=Identifier(relation.time.name)))


def _textual(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose bytes are written as PostgreSQL reads them."""
    columns = [
        pa.array([None if v is None else "\\x" + v.hex() for v in column.to_pylist()], type=pa.string())
        if pa.types.is_binary(column.type)
        else column
        for column in batch.columns
    ]
    return pa.record_batch(columns, names=batch.schema.names)


def _merge(connection: Connection, relation: Relation, *, replace: bool) -> tuple[int, int]:
    """Put what is new of the stage into the table; gives how many rows are new, and how many took another's place."""
    stored = [column for column in relation.columns if not column.computed]
    names = SQL(", ").join(Identifier(column.name) for column in stored)
    given: dict[str, Composable] = {"relation": relation.identifier, "columns": names}
    if not relation.key:
        return connection.execute(statement(_SQL, "merge_bag.sql").format(**given)).rowcount, 0
    equal = SQL("{} IS NOT DISTINCT FROM {}" if relation.key_may_be_null else "{} = {}")
    key = [equal.format(Identifier("s", name), Identifier("r", name)) for name in relation.key]
    others = [column for column in relation.columns if column.name not in relation.key]
    given["same_key"] = SQL(" AND ").join(key)
    changed = 0
    if others:
        given["differs"] = SQL(" OR ").join(
            SQL("{} IS DISTINCT FROM {}").format(Identifier("s", column.name), Identifier("r", column.name))
            for column in others
        )
        if replace:
            changed = _replace(connection, others, given)
        else:
            _refuse_differing(connection, relation, others, given)
    put = connection.execute(statement(_SQL, "merge.sql").format(**given)).rowcount
    return put, changed


def _replace(connection: Connection, others: Sequence[Column], given: dict[str, Composable]) -> int:
    if any(column.identity for column in others):
        # An identity outside the key cannot be updated.
        count = connection.execute(statement(_SQL, "take_out.sql").format(**given)).rowcount
        connection.execute(statement(_SQL, "merge.sql").format(**given))
        return count
    put = SQL(", ").join(
        SQL("{} = {}").format(Identifier(column.name), Identifier("s", column.name))
        for column in others
        if not column.computed
    )
    return connection.execute(statement(_SQL, "replace.sql").format(put=put, **given)).rowcount


def _refuse_differing(
    connection: Connection, relation: Relation, others: Sequence[Column], given: dict[str, Composable]
) -> None:
    shown = [
        SQL("{}::text").format(Identifier(side, name))
        for side, names in (("s", relation.key), ("s", [c.name for c in others]), ("r", [c.name for c in others]))
        for name in names
    ]
    query = statement(_SQL, "differing.sql").format(shown=SQL(", ").join(shown), most=SQL(str(_MOST_TOLD + 1)), **given)
    rows = connection.execute(query).fetchall()
    if rows:
        told = [_told(relation, others, row) for row in rows[:_MOST_TOLD]]
        raise _Refused([*told, *(["and more (还有更多)"] if len(rows) > _MOST_TOLD else [])])


def _told(relation: Relation, others: Sequence[Column], row: Sequence[Any]) -> str:
    keys = len(relation.key)
    key = ", ".join(f"{name}={value}" for name, value in zip(relation.key, row, strict=False))
    file, stored = row[keys : keys + len(others)], row[keys + len(others) :]
    what = "; ".join(
        f"{column.name}: file {_short(ours)}, database {_short(theirs)}"
        for column, ours, theirs in zip(others, file, stored, strict=True)
        if ours != theirs
    )
    return f"{key}: {what or 'differs'}"


def _short(value: str | None) -> str:
    text = "NULL" if value is None else value
    return text if len(text) <= 60 else text[:59] + "…"


def _advance(connection: Connection, manifest: Manifest) -> None:
    for name, value in manifest.sequences.items():
        if value is not None and connection.execute("SELECT to_regclass(%s) IS NOT NULL", [name]).fetchone() == (True,):
            schema, _, sequence = name.partition(".")
            connection.execute(
                statement(_SQL, "sequence_forward.sql"),
                {"sequence": name, "value": value, "schema": schema, "name": sequence},
            )
