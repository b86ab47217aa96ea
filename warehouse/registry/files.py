"""Files as checked rows: which table a file or sheet is of, what of it counts, and what is refused; no database."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Final

from edge_agent.contract.errors import BadRecord
from warehouse.registry import cells, csv_file, header, xlsx_file
from warehouse.registry.cells import Cell, Figures, Value
from warehouse.registry.grid import EMPTY, Figure, Found, Grid, Moment, Spoilt, shown
from warehouse.registry.header import Header
from warehouse.registry.refusal import Note, Refusal, called
from warehouse.registry.spelling import narrow
from warehouse.registry.tables import TABLES, Column, Table, named

Row = dict[str, Value]
Progress = Callable[[str, int], None]
"""Told a file or sheet and how many of its rows were read, every :data:`PACE` rows."""
PACE: Final = 5_000
COMMENT: Final = "#"
"""A row whose first cell begins with it is skipped: explanations and the example of a template."""
_TOTALS: Final = frozenset({"合计", "总计", "小计", "共计", "总数", "total", "subtotal"})
_FOOTER: Final = re.compile(
    r"(注|备注|说明|填表人|制表人|审核人|负责人|单位负责人|统计负责人|联系电话|填报日期|制表日期|报出日期|资料来源)\d*:.*"
)
_NOTHING: Final = frozenset({"-", "--", "—", "——", "/", "n/a"})
"""What offices write into a cell that has no value; read as empty where a cell may be."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The good rows of one file or sheet, each with its line, the refused ones, and those passed over."""

    table: Table
    file: str
    sheet: str
    rows: tuple[tuple[int, Row], ...]
    refused: tuple[Refusal, ...]
    notes: tuple[Note, ...] = ()

    @property
    def name(self) -> str:
        """The file, and the sheet in it."""
        return called(self.file, self.sheet)

    def refuse(self, line: int, column: str, found: str, allowed: str) -> Refusal:
        """Return a refusal of a row of this sheet."""
        return Refusal(self.file, line, column, found, allowed, self.sheet)


@dataclass(slots=True)
class Reading:
    """What is asked of the reader, and what it has found so far."""

    given: Mapping[str, str] = field(default_factory=dict)
    """Values of columns that a sheet may lack."""
    progress: Progress = lambda name, rows: None  # nobody listens
    sheets: list[Sheet] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def read(path: Path, reading: Reading, table: Table | None = None) -> None:
    """Read one file, or every ``.csv`` and ``.xlsx`` of a folder, into ``reading``, in the order of :data:`TABLES`.

    A CSV file is of the table whose name it bears, English or Chinese, a sheet likewise; a workbook with one sheet may
    bear the name itself. Hidden and empty sheets are not read. With ``table`` a file is of that table, or the sheet of
    its name. What belongs to none is refused.
    """
    if path.is_dir():
        for file in sorted(path.iterdir()):
            if not file.name.startswith((".", "~$")) and file.suffix.lower() in (".csv", ".xlsx", ".xls", ".et"):
                _read_file(file, reading, table)
    else:
        _read_file(path, reading, table)
    first: dict[str, str] = {}
    for sheet in reading.sheets:
        before = first.setdefault(sheet.table.name, sheet.name)
        if before != sheet.name:
            reading.refused.append(
                sheet.refuse(0, "(file)", f"{sheet.table.name} again, as in {before} (重复的表)", "each table once")
            )
    order = {one.name: place for place, one in enumerate(TABLES)}
    reading.sheets.sort(key=lambda sheet: order[sheet.table.name])


def _read_file(path: Path, reading: Reading, table: Table | None) -> None:
    try:
        match path.suffix.lower():
            case ".csv" | ".txt":
                _take(csv_file.read(path), reading, table or named(path.stem), path.stem)
            case ".xlsx":
                _read_workbook(path, reading, table)
            case other:
                found = f"{other or 'no suffix'}: save it as .xlsx or CSV (请另存为 .xlsx 或 CSV)"
                reading.refused.append(Refusal(path.name, 0, "(file)", found, ".csv, .xlsx"))
    except BadRecord as error:
        reading.refused.append(
            Refusal(path.name, 0, "(file)", error.detail, "CSV as in RFC 4180, UTF-8 or GB18030; or .xlsx")
        )


def _read_workbook(path: Path, reading: Reading, table: Table | None) -> None:
    with xlsx_file.read(path) as grids:
        filled = []
        for grid in grids:
            top = list(islice(grid.rows, header.DEPTH))
            if any(shown(found) for _, row in top for found in row):
                filled.append(Grid(grid.file, grid.sheet, chain(top, grid.rows), grid.merged))
        if not filled:
            raise BadRecord("sheets", "no sheet with anything in it (没有内容)")
        if len(filled) == 1:
            by_file, by_sheet = named(path.stem), named(filled[0].sheet.strip())
            if table is None and by_file is not None and by_sheet not in (None, by_file):
                raise BadRecord("sheets", f"the file is named {by_file.zh}, its sheet {filled[0].sheet} (名称不一致)")
            _take(filled[0], reading, table or by_file or by_sheet, filled[0].sheet)
            return
        # Several sheets: each says by its name what it is, so that none is passed over.
        for grid in filled:
            of = named(grid.sheet.strip())
            _take(grid, reading, of if table is None or of is table else None, grid.sheet)


def _take(grid: Grid, reading: Reading, table: Table | None, name: str) -> None:
    if table is None:
        allowed = ", ".join(f"{one.name} ({one.zh})" for one in TABLES)
        reading.refused.append(
            grid.refuse(
                0, "(file)", f"an unknown table, {name!r}: name it, or hide the sheet (未知的表，请改名或隐藏)", allowed
            )
        )
        return
    reading.sheets.append(_sheet(grid, table, reading))


def _sheet(grid: Grid, table: Table, reading: Reading) -> Sheet:
    given = {name: text for name, text in reading.given.items() if any(name == one.name for one in table.columns)}
    top = list(islice(grid.rows, header.DEPTH))
    found = header.find(grid, top, table, given)
    if isinstance(found, list):
        return Sheet(table, grid.file, grid.sheet, (), tuple(found))
    absent: Row = {column.name: None for column in table.columns}
    for name, text in given.items():
        absent[name] = table.column(name).cell.parse(text)
    lines = _Lines(grid, table, found, absent)
    for count, (line, row) in enumerate(chain(top, grid.rows), 1):
        if line > found.line:
            lines.take(line, row)
        if count % PACE == 0:
            reading.progress(called(grid.file, grid.sheet), count)
    return Sheet(table, grid.file, grid.sheet, tuple(lines.good), tuple(lines.refused), tuple(lines.notes))


class _Lines:
    """The rows of one sheet, sorted into good, refused and passed over."""

    def __init__(self, grid: Grid, table: Table, head: Header, absent: Row) -> None:
        self._grid, self._table, self._head, self._absent = grid, table, head, absent
        self.good: list[tuple[int, Row]] = []
        self.refused: list[Refusal] = []
        self.notes: list[Note] = []

    def take(self, line: int, row: list[Found]) -> None:
        """Check one row."""
        texts = [(index, text) for index, found in enumerate(row) if found != EMPTY and (text := shown(found))]
        if not any(self._carries(index, text) for index, text in texts) or texts[0][1].startswith(COMMENT):
            return
        if (why := self._passed_over(row, [text for _, text in texts])) is not None:
            self.notes.append(Note(self._grid.file, self._grid.sheet, line, why))
            return
        before = len(self.refused)
        parsed = self._parsed(line, row)
        if len(self.refused) == before:
            for check in self._table.checks:
                for wrong in check(parsed):
                    self._refuse(line, wrong.column, wrong.found, wrong.allowed)
        if len(self.refused) == before:
            self.good.append((line, parsed))

    def _carries(self, index: int, text: str) -> bool:
        """Whether a cell is more than a running number or a check."""
        name = self._head.places[index].name if index < len(self._head.places) else ""
        return name not in header.CHECKING and not (name in header.NUMBERING and text.isdecimal())

    def _passed_over(self, row: list[Found], texts: list[str]) -> str | None:
        if any(re.sub(r"[\s:]", "", narrow(text)).lower() in _TOTALS for text in texts[:2]):
            return "a total, not loaded (合计行，未导入)"
        if len(texts) <= 2 and _FOOTER.fullmatch(narrow(texts[0])) is not None:
            return "a remark, not loaded (说明行，未导入)"
        if tuple(shown(found) for found in row) == self._head.texts[: len(row)] and len(texts) > 1:
            return "the header again (重复的表头)"
        return None

    def _parsed(self, line: int, row: list[Found]) -> Row:
        places = self._head.places
        for _, left, _, right in self._grid.merged.get(line, ()):
            name = places[left].name if left < len(places) else f"(column {left + 1})"
            self._refuse(
                line,
                name,
                f"{right - left + 1} merged columns or more rows (合并单元格)",
                "cells that are not merged: unmerge and fill each (请取消合并并逐格填写)",
            )
        if len(row) < len(places) and not self._grid.sheet:
            self._refuse(line, "(row)", f"{len(row)} cells", f"{len(places)} as in the header (列数与表头不符)")
            return {}
        if any(shown(found) for found in row[len(places) :]):
            self._refuse(line, "(row)", f"{len(row)} cells", f"{len(places)} as in the header (列数与表头不符)")
        parsed = dict(self._absent)
        padded = [*row, *([EMPTY] * (len(places) - len(row)))]
        for index, (place, found) in enumerate(zip(places, padded, strict=False)):
            if place.column is not None:
                parsed[place.column.name] = self._value(line, place.column, place.factor, found)
            elif not place.name and shown(found):
                self._refuse(line, f"(column {index + 1})", f"{shown(found)!r}", "nothing under no name (该列没有表头)")
        return parsed

    def _value(self, line: int, column: Column, factor: Decimal | None, found: Found) -> Value:
        if isinstance(found, Spoilt):
            self._refuse(line, column.name, found.found, found.allowed)
            return None
        text = _unquoted(shown(found))
        if not text or (column.optional and text.lower() in _NOTHING):
            if not column.optional:
                self._refuse(line, column.name, "an empty cell (空单元格)", column.cell.allowed)
            return None
        try:
            return _parse(column.cell, factor, found, text)
        except (ValueError, KeyError) as error:
            why = str(error.args[0]) if error.args else ""
            said = f"{text!r}" if why.lower() in ("", text.lower()) else f"{text!r} ({why})"
            self._refuse(line, column.name, said, column.cell.allowed)
            return None

    def _refuse(self, line: int, column: str, found: str, allowed: str) -> None:
        self.refused.append(self._grid.refuse(line, column, found, allowed))


def _unquoted(text: str) -> str:
    """Return ``text`` without the apostrophe by which a spreadsheet is told that a cell is text."""
    return text[1:].strip() if text[:1] in {"'", "’"} and not {"'", "’"} & set(text[1:]) else text


def _parse(cell: Cell, factor: Decimal | None, found: Found, text: str) -> Value:
    if isinstance(found, Figure):
        _check_figure(cell, found)
    if isinstance(found, Moment) and not cell.moments:
        raise ValueError("a day or hour: format it as text and type it again (日期单元格，请设为文本格式后重新输入)")
    if factor is not None and cell.scaled is not None:
        return cell.scaled(text, factor)
    return cell.parse(text)


def _check_figure(cell: Cell, figure: Figure) -> None:
    if cell is cells.USCC or (cell.figures is Figures.DIGITS and len(figure.text.lstrip("-0")) > cells.SHEET_DIGITS):
        raise ValueError(cells.MADE_A_NUMBER)
    if cell.figures is Figures.NEVER:
        raise ValueError("a number cell: format it as text and type it again (数字单元格，请设为文本格式后重新输入)")
    if figure.digits > cells.SHEET_DIGITS:
        raise ValueError(
            f"more than {cells.SHEET_DIGITS} digits: a spreadsheet keeps no more; round it, or type it as text "
            f"(超过{cells.SHEET_DIGITS}位有效数字，请四舍五入或改为文本)"
        )
    if figure.percent and (cell.unit is None or not cell.unit.percent):
        raise ValueError("a percentage (百分数)")
    if cell.figures is Figures.DIGITS and "." in figure.text:
        raise ValueError("a number with decimals where a text is expected (应为文本)")
