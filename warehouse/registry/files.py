"""A folder of CSV files as checked rows; pure but for the reading."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from warehouse.registry.cells import Value
from warehouse.registry.tables import TABLES, Table

Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row is not loaded: where, what was found, what is allowed."""

    file: str
    line: int
    column: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.column}: found {self.found} (发现); allowed {self.allowed} (允许)"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The good rows of one file, each with its line, and the refused ones."""

    table: Table
    rows: tuple[tuple[int, Row], ...]
    refused: tuple[Refusal, ...]


def read_folder(folder: Path) -> tuple[list[Sheet], list[Refusal]]:
    """Read the files of ``folder`` in the order of :data:`TABLES`; other ``.csv`` files are refused."""
    by_file = {table.file: table for table in TABLES}
    strange = [
        Refusal(path.name, 0, "(file)", "an unknown file", ", ".join(by_file))
        for path in sorted(folder.glob("*.csv"))
        if path.name not in by_file
    ]
    return [read_sheet(folder / table.file, table) for table in TABLES if (folder / table.file).is_file()], strange


def read_sheet(path: Path, table: Table) -> Sheet:
    """Read one file; a wrong header or encoding is one refusal, and then no row is read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            if (wrong := list(_header_refusals(header, table))) != []:
                return Sheet(table, (), tuple(wrong))
            return _rows(table, header, ((reader.line_num, texts) for texts in reader))
    except UnicodeDecodeError as error:
        return Sheet(table, (), (Refusal(table.file, 0, "(file)", f"byte {error.start} is not UTF-8", "UTF-8"),))
    except csv.Error as error:
        return Sheet(table, (), (Refusal(table.file, 0, "(file)", str(error), "CSV as in RFC 4180"),))


def _header_refusals(header: list[str], table: Table) -> Iterator[Refusal]:
    known = {column.name for column in table.columns}
    allowed = ", ".join(column.name for column in table.columns)
    for name in header:
        if name not in known:
            yield Refusal(table.file, 1, name or "(empty)", "an unknown column", allowed)
    for name in sorted({name for name in header if header.count(name) > 1}):
        yield Refusal(table.file, 1, name, "the column twice", "each column once")
    for column in table.columns:
        if not column.optional and column.name not in header:
            yield Refusal(table.file, 1, column.name, "no such column", allowed)


def _rows(table: Table, header: list[str], lines: Iterator[tuple[int, list[str]]]) -> Sheet:
    columns = {column.name: column for column in table.columns}
    absent: Row = {name: None for name in columns if name not in header}
    cells = [(columns[name], columns[name].cell) for name in header]
    good: list[tuple[int, Row]] = []
    refused: list[Refusal] = []
    for line, texts in lines:
        if not any(texts):
            continue
        if len(texts) != len(cells):
            refused.append(Refusal(table.file, line, "(row)", f"{len(texts)} cells", f"{len(cells)} as in the header"))
            continue
        row = dict(absent)
        before = len(refused)
        for (column, cell), text in zip(cells, texts, strict=True):
            stripped = text.strip()
            if not stripped:
                row[column.name] = None
                if not column.optional:
                    refused.append(Refusal(table.file, line, column.name, "an empty cell", cell.allowed))
                continue
            try:
                row[column.name] = cell.parse(stripped)
            except (ValueError, KeyError) as error:
                why = str(error.args[0]) if error.args else ""
                found = f"{stripped!r}" if why in ("", stripped, stripped.lower()) else f"{stripped!r} ({why})"
                refused.append(Refusal(table.file, line, column.name, found, cell.allowed))
        refused += _row_refusals(table, line, row) if len(refused) == before else []
        if len(refused) == before:
            good.append((line, row))
    return Sheet(table, tuple(good), tuple(refused))


def _row_refusals(table: Table, line: int, row: Row) -> list[Refusal]:
    """Say what is wrong between the cells of a row whose cells are each right."""
    refused: list[Refusal] = []
    for first, last in (("valid_from", "valid_to"), ("assessed_on", "withdrawn_on")):
        start, end = row.get(first), row.get(last)
        if start is not None and end is not None and not start < end:  # type: ignore[operator]  # both of one cell type
            refused.append(Refusal(table.file, line, last, f"{end}", f"after {first} {start}"))
    if table.file == "observations.csv":
        refused += _observation_refusals(table.file, line, row)
    if table.file == "factors.csv" and (row["level"] == "measured") != (row["uscc"] is not None):
        refused.append(Refusal(table.file, line, "uscc", f"{row['uscc']}", "a code with level measured, else empty"))
    return refused


def _observation_refusals(file: str, line: int, row: Row) -> Iterator[Refusal]:
    if (row["region"] is None) == (row["uscc"] is None):
        yield Refusal(file, line, "region", "both or none of region and uscc", "exactly one")
    period = str(row["period"])
    published = row["legal_basis"] in ("published", "statistical")
    if published and str(row["scope"]).startswith("industry_above_scale") and period[4:] in ("-01", "-02"):
        yield Refusal(
            file, line, "period", period, f"{period[:4]}-01..02: 规上 figures are published for 1–2月 together"
        )
