"""Excel workbooks (.xlsx): cells as the digits and days a person sees, never as binary fractions.

The only place that knows openpyxl; what it raises about a file becomes ``BadRecord``.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException

from edge_agent.contract.errors import BadRecord
from warehouse.registry.grid import EMPTY, Figure, Found, Grid, Moment, Spoilt

MAX_BYTES: Final = 64 * 1024 * 1024
"""Of the file, and sixteen times as much of what it holds unpacked; larger ones are refused."""
_UNPACKED: Final = 16
_MERGE: Final = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([A-Z]+\d+:[A-Z]+\d+)")
_LONGEST_TAG: Final = 256
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[\s>/]")
_ZEROS: Final = re.compile(r"0{2,}")
_NO_RESULT: Final = Spoilt(
    "a formula without a result (公式没有计算结果)",
    "a value: open the file in Excel, save it, or paste values only (请用 Excel 打开后保存，或只粘贴数值)",
)


@contextmanager
def read(path: Path) -> Iterator[list[Grid]]:
    """Open a workbook and give its visible sheets; their rows are read while it is open.

    ``BadRecord`` when it is no workbook, or too large.
    """
    with ExitStack() as opened:
        with _translated():
            packed = opened.enter_context(zipfile.ZipFile(path))
            size, unpacked = path.stat().st_size, sum(part.file_size for part in packed.infolist())
            if size > MAX_BYTES or unpacked > _UNPACKED * MAX_BYTES:
                raise BadRecord("size", f"{size} bytes, {unpacked} unpacked, at most {MAX_BYTES}: split it (文件过大)")
            # openpyxl warns of decorations that it does not keep, and of days outside its calendar, which become errors
            opened.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            values = _opened(path, opened, data_only=True)
            surveyed = [
                (sheet, *_survey(packed, sheet)) for sheet in values.worksheets if sheet.sheet_state == "visible"
            ]
            computed = any(has_formulas for _, has_formulas, _ in surveyed)
            formulas = _opened(path, opened, data_only=False) if computed else None
            grids = [
                Grid(
                    path.name,
                    sheet.title,
                    _rows(sheet, formulas[sheet.title] if formulas is not None and has_formulas else None),
                    merged,
                )
                for sheet, has_formulas, merged in surveyed
            ]
        yield grids


def _opened(path: Path, opened: ExitStack, *, data_only: bool) -> Any:
    book = openpyxl.load_workbook(path, read_only=True, data_only=data_only)
    opened.callback(book.close)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # some programs write a wrong one, and rows beyond it would vanish
    return book


def _survey(packed: zipfile.ZipFile, sheet: Any) -> tuple[bool, dict[int, list[tuple[int, int, int, int]]]]:
    """Say whether a sheet has formulas, and which cells are merged: reading by rows tells neither."""
    has_formulas, regions, tail = False, set(), b""
    with packed.open(sheet._worksheet_path) as xml:  # nothing public names the part of a sheet
        while chunk := xml.read(1 << 20):
            window = tail + chunk
            has_formulas = has_formulas or _FORMULA.search(window) is not None
            for match in _MERGE.finditer(window):
                left, top, right, bottom = range_boundaries(match[1].decode("ascii"))
                if left and top and right and bottom:
                    regions.add((left, top, right, bottom))
            tail = chunk[-_LONGEST_TAG:]
    merged: dict[int, list[tuple[int, int, int, int]]] = {}
    for left, top, right, bottom in sorted(regions):
        merged.setdefault(top, []).append((top, left - 1, bottom, right - 1))
    return has_formulas, merged


def _rows(values: Any, formulas: Any | None) -> Iterator[tuple[int, list[Found]]]:
    with _translated():
        if formulas is None:
            for number, row in enumerate(values.iter_rows(), 1):
                yield number, [_found(cell) for cell in row]
            return
        for number, (row, sources) in enumerate(zip(values.iter_rows(), formulas.iter_rows(), strict=True), 1):
            yield (
                number,
                [
                    _NO_RESULT if cell.value is None and source.data_type == "f" else _found(cell)
                    for cell, source in zip(row, sources, strict=True)
                ],
            )


def _found(cell: Any) -> Found:
    value = cell.value
    if value is None:
        return EMPTY
    if cell.data_type == "e":
        return Spoilt(f"{value}", "a value, not an error (单元格为错误值)")
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _figure(value, str(cell.number_format))
    return _moment(value, str(cell.number_format))


def _figure(value: float, number_format: str) -> Found:
    digits = Decimal(repr(value))
    if "%" in number_format:
        return Figure(_plain(digits * 100), percent=True)
    if _ZEROS.fullmatch(number_format) is not None and digits == digits.to_integral_value() and digits >= 0:
        return Figure(_plain(digits).zfill(len(number_format)))
    return Figure(_plain(digits))


def _plain(digits: Decimal) -> str:
    text = f"{digits:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(value: object, number_format: str) -> Found:
    if isinstance(value, datetime):
        if value.time() == time():
            return Moment(_day(value.date(), number_format))
        # a spreadsheet knows no zone; the clock on the district's walls is the only one it can mean
        return Moment(f"{value.isoformat(timespec='seconds')}+08:00")
    if isinstance(value, date):
        return Moment(_day(value, number_format))
    if isinstance(value, time):
        return Moment(f"{value:%H:%M}" if value.second == 0 else value.isoformat())
    if isinstance(value, timedelta):
        minutes, rest = divmod(value, timedelta(minutes=1))
        return Spoilt(f"{value}", "HH:MM") if rest else Moment(f"{minutes // 60:02}:{minutes % 60:02}")
    return Spoilt(f"{value!r}", "a text, a number or a day (文字、数字或日期)")


def _day(value: date, number_format: str) -> str:
    letters = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", number_format).lower()
    if value.day == 1 and "d" not in letters and "m" in letters:
        return f"{value:%Y-%m}"
    return value.isoformat()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (InvalidFileException, zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, EOFError) as error:
        raise BadRecord("xlsx", f"no readable Excel workbook (.xlsx) (无法读取的工作簿): {error}") from error
