"""Loads files into the registry: all of them, or nothing and the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg.rows import TupleRow

from edge_agent.contract.errors import Misconfigured
from warehouse.period import parse_period
from warehouse.postgres import Connection, translated
from warehouse.registry import amounts, statements, terms, variables
from warehouse.registry.cells import PERIOD, Value
from warehouse.registry.files import Progress, Reading, Row, Sheet, read
from warehouse.registry.identities import Identities
from warehouse.registry.refusal import Note, Refusal
from warehouse.registry.tables import TABLES, Table

REFERENCE: Final = Path(__file__).parent / "reference"
"""The district's areas, the plan's clusters and platforms, kinds of energy, factors, tariffs, rules of size."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one file or sheet came to."""

    file: str
    rows: int
    added: int
    changed: int

    @property
    def unchanged(self) -> int:
        """Rows that were already there as they are."""
        return self.rows - self.added - self.changed


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What the files came to; when anything was refused, nothing was loaded."""

    files: tuple[Loaded, ...]
    refused: tuple[Refusal, ...]
    notes: tuple[Note, ...] = ()
    """Rows that were passed over: totals, remarks."""


def load_folder(conn: Connection, folder: Path, *, dry_run: bool = False) -> LoadReport:
    """Load the files of ``folder`` as :func:`load` does; ``Misconfigured`` when it is no folder."""
    if not folder.is_dir():
        raise Misconfigured(f"{folder}: no such folder (没有这个文件夹)")
    return load(conn, folder, dry_run=dry_run)


def load(
    conn: Connection,
    path: Path,
    *,
    table: Table | None = None,
    given: Mapping[str, str] | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> LoadReport:
    """Load one file, or the CSV files and workbooks of a folder, in one transaction, all or nothing.

    Every refusal of every file is reported, not only the first. With ``dry_run`` everything is done and checked, and
    then undone. ``table`` says what the file is when its name does not; ``given`` are the values of columns that it
    lacks. ``Misconfigured`` when there is nothing to load, or a given value is none of its column.
    """
    _check_given(given or {})
    reading = Reading(given or {})
    if progress is not None:
        reading.progress = progress
    if path.exists():
        read(path, reading, table)
    if not reading.sheets and not reading.refused:
        raise Misconfigured(f"{path}: none of {', '.join(one.file for one in TABLES)} (没有可导入的文件)")
    refused = [*reading.refused, *(refusal for sheet in reading.sheets for refusal in sheet.refused)]
    notes = tuple(note for sheet in reading.sheets for note in sheet.notes)
    loaded: list[Loaded] = []
    with translated(), conn.transaction() as transaction, conn.cursor() as cursor:
        identities = Identities(cursor)
        for sheet in reading.sheets:
            refused += identities.introduce(sheet)
        for sheet in reading.sheets:
            report, wrong = _load(cursor, sheet, identities)
            loaded.append(report)
            refused += wrong
        if refused or dry_run:
            raise psycopg.Rollback(transaction)
    refused.sort(key=lambda one: (one.file, one.sheet, one.line))
    return LoadReport(() if refused else tuple(loaded), tuple(refused), notes)


def load_reference(conn: Connection) -> LoadReport:
    """Load the data that comes with the program."""
    return load_folder(conn, REFERENCE)


def _check_given(given: Mapping[str, str]) -> None:
    for name, text in given.items():
        columns = [column for table in TABLES for column in table.columns if column.name == name]
        if not columns:
            raise Misconfigured(f"{name}: no table has this column (没有这一列)")
        for column in columns:
            try:
                column.cell.parse(text)
            except (ValueError, KeyError) as error:
                raise Misconfigured(f"{name}: found {text!r}, allowed {column.cell.allowed}") from error


def _load(cursor: psycopg.Cursor[TupleRow], sheet: Sheet, identities: Identities) -> tuple[Loaded, list[Refusal]]:
    table = sheet.table
    refused = [*identities.unknown(sheet), *variables.misused(cursor, sheet), *amounts.wrong(cursor, sheet)]
    refused += terms.wrong(cursor, sheet)
    bad = {refusal.line for refusal in refused}
    rows = [(line, _stored(table, row, identities)) for line, row in sheet.rows if line not in bad]
    refused += _repeated(sheet, rows)
    nothing = Loaded(sheet.name, len(rows), 0, 0)
    if not rows or len(refused) > len(bad):
        return nothing, refused
    columns = tuple(rows[0][1])
    cursor.execute(statements.stage(table, columns))
    with cursor.copy(statements.copy(columns)) as copy:
        for line, row in rows:
            copy.write_row((line, *row.values()))
    cursor.execute("ANALYZE pg_temp.staged")
    wrong = [*_overlapping(cursor, sheet), *_rewriting(cursor, sheet, columns)]
    written: list[bool] = []
    if not wrong:
        written = _write(cursor, table, columns)
    cursor.execute("DROP TABLE pg_temp.staged")
    return Loaded(sheet.name, len(rows), written.count(True), written.count(False)), refused + wrong


def _write(cursor: psycopg.Cursor[TupleRow], table: Table, columns: tuple[str, ...]) -> list[bool]:
    if table.amended:
        cursor.execute(statements.grow(table, columns, table.amended))
    elif table.grows_only:
        cursor.execute(statements.grow(table, columns, ("source",)))
    else:
        cursor.execute(statements.merge(table, columns))
    return [row[0] for row in cursor.fetchall()]


def _stored(table: Table, row: Row, identities: Identities) -> Row:
    """Return ``row`` with the columns of the database: meters by their numbers, periods with their days."""
    stored: Row = {}
    for column in table.columns:
        value = row[column.name]
        if column.target in ("meter_id", "parent_id", "term_id"):
            stored[column.target] = identities.meter_id(value)
        elif column.cell is PERIOD:
            period = parse_period(str(value))
            stored |= {
                "period": period.text,
                "period_type": period.type.value,
                "period_start": period.start,
                "period_end": period.end,
            }
        elif not column.identity:
            stored[column.target] = value
    if table.name == "observations":
        stored["subject"] = row["region"] or row["uscc"]
    return stored


def _repeated(sheet: Sheet, rows: Iterable[tuple[int, Row]]) -> Iterator[Refusal]:
    key_names = sheet.table.key
    seen: dict[tuple[Value, ...], int] = {}
    for line, row in rows:
        key = tuple(row[name] for name in key_names)
        if key in seen:
            shown = ", ".join(f"{name} {row[name]}" for name in key_names)
            yield sheet.refuse(
                line, "(key)", f"{shown} again, as in line {seen[key]} (重复)", "each key once (主键唯一)"
            )
        else:
            seen[key] = line


def _overlapping(cursor: psycopg.Cursor[TupleRow], sheet: Sheet) -> Iterator[Refusal]:
    allowed = "ranges of one key that do not overlap: close the earlier (有效期不得重叠，请先填写上一条的失效日)"
    for apart in sheet.table.apart:
        cursor.execute(statements.overlaps(sheet.table, apart))
        for line, other, start, end in cursor.fetchall():
            where = "registered before" if other is None else f"line {other}"
            found = f"an overlap with {start} … {'' if end is None else end} ({where})"
            yield sheet.refuse(line, "valid_from", found, allowed)


def _rewriting(cursor: psycopg.Cursor[TupleRow], sheet: Sheet, columns: tuple[str, ...]) -> Iterator[Refusal]:
    if not sheet.table.grows_only or sheet.table.amended:
        return
    cursor.execute(statements.rewritten(sheet.table, columns))
    for (line,) in cursor.fetchall():
        yield sheet.refuse(
            line, "(row)", "other values than registered", "the same values, or a new version (请用新版本)"
        )
