"""A sheet as it was found, whatever file it came from: rows of cells with the numbers people see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from warehouse.registry.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Figure:
    """A number cell of a spreadsheet, as the digits it is kept by."""

    text: str
    """Digits, with a point where there is one; of a cell shown as percent, the percentage."""
    percent: bool = False

    @property
    def digits(self) -> int:
        """Significant digits."""
        return len(self.text.lstrip("-").replace(".", "").strip("0")) or 1


@dataclass(frozen=True, slots=True)
class Moment:
    """A cell that a spreadsheet keeps as a day or an hour, whatever was typed into it."""

    text: str


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A cell that has no value to read: an error, or a formula without a result."""

    found: str
    allowed: str


Found: TypeAlias = str | Figure | Moment | Spoilt
EMPTY: Final = ""


def shown(found: Found) -> str:
    """Return what a person sees in the cell, blanks around it removed."""
    match found:
        case str():
            return found.strip()
        case Figure(text=text, percent=percent):
            return f"{text}%" if percent else text
        case Moment(text=text) | Spoilt(found=text):
            return text


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet: rows come once, in order, each with its number."""

    file: str
    sheet: str
    """Name of the sheet; empty for a CSV file."""
    rows: Iterator[tuple[int, list[Found]]]
    merged: dict[int, list[tuple[int, int, int, int]]] = field(default_factory=dict)
    """By first row: (first row, first column, last row, last column) of merged cells, columns counted from 0."""

    def refuse(self, line: int, column: str, found: str, allowed: str) -> Refusal:
        """Return a refusal of a cell of this sheet."""
        return Refusal(self.file, line, column, found, allowed, self.sheet)
