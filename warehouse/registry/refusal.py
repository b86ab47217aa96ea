"""Why a row is not loaded, and what was passed over: as lines for people and as a CSV that Excel opens."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HEADER: Final = ("文件 file", "工作表 sheet", "行 row", "列 column", "发现 found", "允许 allowed")


def called(file: str, sheet: str) -> str:
    """Return how people name a sheet of a workbook, ``file[sheet]``, or a file without sheets."""
    return f"{file}[{sheet}]" if sheet else file


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row is not loaded: where, what was found, what is allowed."""

    file: str
    line: int
    """Row of a sheet, or line of a CSV file; 0 for the whole file."""
    column: str
    found: str
    allowed: str
    sheet: str = ""
    """Of a workbook."""

    def __str__(self) -> str:
        where = called(self.file, self.sheet)
        return f"{where}:{self.line} {self.column}: found {self.found} (发现); allowed {self.allowed} (允许)"


@dataclass(frozen=True, slots=True)
class Note:
    """A row that was passed over on purpose, and why."""

    file: str
    sheet: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{called(self.file, self.sheet)}:{self.line} {self.why}"


def write_report(path: Path, refused: Iterable[Refusal]) -> None:
    """Write one row per refusal, UTF-8 with a byte order mark, so that Excel reads the Chinese.

    A cell that would be a formula begins with an apostrophe.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for one in refused:
            cells = (one.file, one.sheet, str(one.line), one.column, one.found, one.allowed)
            writer.writerow([f"'{cell}" if cell[:1] in set("=+-@\t") else cell for cell in cells])
