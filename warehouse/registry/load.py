"""Loads a folder of CSV files into the registry: all of it, or nothing and the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg.rows import TupleRow

from edge_agent.contract.errors import Misconfigured
from warehouse.period import parse_period
from warehouse.postgres import Connection, translated
from warehouse.registry import statements
from warehouse.registry.cells import Value
from warehouse.registry.files import Refusal, Row, Sheet, read_folder
from warehouse.registry.identities import Identities
from warehouse.registry.tables import TABLES, Table

REFERENCE: Final = Path(__file__).parent / "reference"
"""The district's areas, the plan's platforms, kinds of energy, factors."""
_NOT_STORED: Final = {"areas.csv": {"kind"}, "meters.csv": {"carrier"}}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one file came to."""

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
    """What a folder came to; when anything was refused, nothing was loaded."""

    files: tuple[Loaded, ...]
    refused: tuple[Refusal, ...]


def load_folder(conn: Connection, folder: Path, *, dry_run: bool = False) -> LoadReport:
    """Load the CSV files of ``folder`` in one transaction, all or nothing.

    Every refusal of every file is reported, not only the first. With ``dry_run`` everything is done and checked, and
    then undone. ``Misconfigured`` when there is nothing to load.
    """
    if not folder.is_dir():
        raise Misconfigured(f"{folder}: no such folder (没有这个文件夹)")
    sheets, refused = read_folder(folder)
    if not sheets and not refused:
        raise Misconfigured(f"{folder}: none of {', '.join(table.file for table in TABLES)} (没有可导入的文件)")
    refused += [refusal for sheet in sheets for refusal in sheet.refused]
    loaded: list[Loaded] = []
    with translated(), conn.transaction() as transaction, conn.cursor() as cursor:
        identities = Identities(cursor)
        for sheet in sheets:
            refused += identities.introduce(sheet)
        for sheet in sheets:
            report, wrong = _load(cursor, sheet, identities)
            loaded.append(report)
            refused += wrong
        if refused or dry_run:
            raise psycopg.Rollback(transaction)
    return LoadReport(() if refused else tuple(loaded), tuple(sorted(refused, key=lambda r: (r.file, r.line))))


def load_reference(conn: Connection) -> LoadReport:
    """Load the data that comes with the program."""
    return load_folder(conn, REFERENCE)


def _load(cursor: psycopg.Cursor[TupleRow], sheet: Sheet, identities: Identities) -> tuple[Loaded, list[Refusal]]:
    table = sheet.table
    refused = list(identities.unknown(sheet))
    bad = {refusal.line for refusal in refused}
    rows = [(line, _stored(table, row, identities)) for line, row in sheet.rows if line not in bad]
    refused += _repeated(table, rows)
    nothing = Loaded(table.file, len(rows), 0, 0)
    if not rows or len(refused) > len(bad):
        return nothing, refused
    columns = tuple(rows[0][1])
    cursor.execute(statements.stage(table, columns))
    with cursor.copy(statements.copy(columns)) as copy:
        for line, row in rows:
            copy.write_row((line, *row.values()))
    cursor.execute("ANALYZE pg_temp.staged")
    wrong = [*_overlapping(cursor, table), *_rewriting(cursor, table, columns)]
    written: list[bool] = []
    if not wrong:
        written = _write(cursor, table, columns)
    cursor.execute("DROP TABLE pg_temp.staged")
    return Loaded(table.file, len(rows), written.count(True), written.count(False)), refused + wrong


def _write(cursor: psycopg.Cursor[TupleRow], table: Table, columns: tuple[str, ...]) -> list[bool]:
    if table.file == "observations.csv":
        cursor.execute(statements.grow(table, columns, ("value", "unit", "legal_basis")))
    elif table.grows_only:
        cursor.execute(statements.grow(table, columns, ("source",)))
    else:
        cursor.execute(statements.merge(table, columns))
    return [row[0] for row in cursor.fetchall()]


def _stored(table: Table, row: Row, identities: Identities) -> Row:
    """Return ``row`` with the columns of the database: codes of meters as numbers, periods with their days."""
    stored: Row = {}
    for name, value in row.items():
        if name == "serial":
            stored["meter_id"] = identities.meter_id(value)
        elif table.file == "meters.csv" and name == "parent":
            stored["parent_id"] = identities.meter_id(value)
        elif table.file == "observations.csv" and name == "region":
            stored |= {"region": value, "subject": value or row["uscc"]}
        elif name == "period":
            period = parse_period(str(value))
            stored |= {
                "period": period.text,
                "period_type": period.type.value,
                "period_start": period.start,
                "period_end": period.end,
            }
        elif name not in _NOT_STORED.get(table.file, ()):
            stored[name] = value
    return stored


def _repeated(table: Table, rows: Iterable[tuple[int, Row]]) -> Iterator[Refusal]:
    seen: dict[tuple[Value, ...], int] = {}
    for line, row in rows:
        key = tuple(row[name] for name in table.key)
        if key in seen:
            shown = ", ".join(f"{name} {row[name]}" for name in table.key)
            yield Refusal(table.file, line, "(key)", f"{shown} again, as in line {seen[key]}", "each key once")
        else:
            seen[key] = line


def _overlapping(cursor: psycopg.Cursor[TupleRow], table: Table) -> Iterator[Refusal]:
    if not table.apart:
        return
    cursor.execute(statements.overlaps(table))
    for line, other, start, end in cursor.fetchall():
        where = "registered before" if other is None else f"line {other}"
        found = f"an overlap with {start} … {'' if end is None else end} ({where})"
        yield Refusal(table.file, line, "valid_from", found, "ranges of one key that do not overlap: close the earlier")


def _rewriting(cursor: psycopg.Cursor[TupleRow], table: Table, columns: tuple[str, ...]) -> Iterator[Refusal]:
    if not table.grows_only or table.file == "observations.csv":
        return
    cursor.execute(statements.rewritten(table, columns))
    for (line,) in cursor.fetchall():
        yield Refusal(table.file, line, "(row)", "other values than registered", "the same values, or a new version")
