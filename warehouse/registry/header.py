"""Finds the header of a sheet and says which column each place is: English and Chinese names, two rows, units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from warehouse.registry import units
from warehouse.registry.grid import Found, Grid, shown
from warehouse.registry.refusal import Refusal
from warehouse.registry.spelling import narrow
from warehouse.registry.tables import Column, Table

DEPTH: Final = 20
"""Rows from the top within which the header must end: titles and remarks may stand above it."""
WIDEST: Final = 200
"""Columns of a merged cell that are filled with what it says; a title may be merged over all that a sheet can have."""
NUMBERING: Final = frozenset({"序号", "no", "no."})
"""Columns of running numbers, which carry nothing."""
CHECKING: Final = frozenset({"检查", "check", "检查(check)"})
"""The column of a template that checks, which is not read."""
_PARENTHESES: Final = re.compile(r"(.+?)[(\[【]([^()\[\]【】]*)[)\]】]")
_UNIT_LINE: Final = re.compile(r"(?:^|[\s(,;])(?:计量|金额)?单位:\s*([^\s()]+)")
_COUNTED: Final = frozenset({"个", "家", "项", "件", "户", "次", "台", "套", "天", "年"})
"""Units that change no number."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a row: its column, null for what is passed over, and the factor of the unit in its header."""

    name: str
    column: Column | None
    factor: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """Where each column stands, and after which row the data begin."""

    places: tuple[Place, ...]
    line: int
    texts: tuple[str, ...]
    """What the last row of the header says, to know it again at the top of each printed page."""


class Names:
    """The names by which a table's columns are known, in the form in which headers are compared."""

    def __init__(self, table: Table) -> None:
        self._columns: dict[str, Column] = {}
        for column in table.columns:
            for name in (column.name, column.zh, *column.also):
                self._columns[_compared(name)] = column
        self._only_english = {_compared(column.name): column for column in table.columns}

    def place(self, *parts: str) -> Place | None:
        """Return what a header of one or two rows names; ``None`` when it names nothing known.

        ``BadUnit`` when it names a column and a unit that is none of it.
        """
        told = [part for part in dict.fromkeys(_compared(part) for part in parts) if part]
        if not told:
            return Place("", None)
        for name in ("".join(told), told[-1]) if len(told) > 1 else told:
            if name in NUMBERING or name in CHECKING:
                return Place(name, None)
            if (found := self._named(name)) is not None:
                return found
        return None

    def _named(self, name: str) -> Place | None:
        if (column := self._columns.get(name)) is not None:
            return Place(column.name, column)
        if (match := _PARENTHESES.fullmatch(name)) is not None:
            return self._with_remark(match[1], match[2])
        for column_name, column in self._columns.items():
            rest = name.removeprefix(column_name)
            if rest and rest != name and self._only_english.get(rest) is column:
                return Place(column.name, column)
            unit = column.cell.unit
            if rest != name and unit is not None and (factor := unit.factor(rest.lstrip("/,、"))) is not None:
                return Place(column.name, column, factor)
        return None

    def _with_remark(self, name: str, remark: str) -> Place | None:
        if (place := self._named(name)) is None or place.column is None:
            return place
        unit = place.column.cell.unit
        word = remark.removeprefix("单位:")
        if unit is None or self._columns.get(remark) is place.column:
            return place
        if (factor := unit.factor(word)) is None:
            raise BadUnit(place.column, word)
        return Place(place.name, place.column, factor)


class BadUnit(ValueError):
    """A header gives a column a unit that is none of it."""

    def __init__(self, column: Column, word: str) -> None:
        super().__init__(word)
        self.column = column
        self.word = word


def _compared(name: str) -> str:
    return re.sub(r"[\s*:]+", "", narrow(name)).lower() if name else ""


def find(
    grid: Grid, top: Sequence[tuple[int, list[Found]]], table: Table, given: Mapping[str, str]
) -> Header | list[Refusal]:
    """Return the header among the first rows of a sheet, or why there is none that will do.

    ``given`` names columns that need not stand in the sheet.
    """
    names = Names(table)
    rows = _unmerged(grid, top)
    best = max(
        (candidate for first in range(len(rows)) for candidate in _candidates(names, rows, first)),
        key=lambda candidate: candidate.rank,
        default=None,
    )
    allowed = ", ".join(column.name for column in table.columns)
    if best is None or best.rank[0] == 0:
        line = rows[0][0] if rows else 1
        return [grid.refuse(line, "(header)", "no header (没有表头)", f"in the first {DEPTH} rows: {allowed}")]
    first, last = best.rows
    line = rows[last][0]
    refused = list(_refusals(grid, table, best, line, given))
    factors: dict[str, Decimal] = {}
    for above in range(first):
        for text in rows[above][1]:
            factors |= _title_units(grid, table, rows[above][0], text, refused)
    if refused:
        return refused
    places = tuple(
        place
        if place.column is None or place.factor is not None or place.column.cell.unit is None
        else Place(place.name, place.column, factors.get(place.column.cell.unit.name))
        for place in best.places
        if place is not None and not isinstance(place, BadUnit)
    )
    return Header(places, line, rows[last][1])


@dataclass(frozen=True, slots=True)
class _Candidate:
    rows: tuple[int, int]
    names: tuple[str, ...]
    places: tuple[Place | BadUnit | None, ...]
    rank: tuple[int, int, int]
    """Columns found; two rows that both name some before one row, and one before two; the higher up the better."""


def _candidates(names: Names, rows: Sequence[tuple[int, tuple[str, ...]]], first: int) -> Iterator[_Candidate]:
    top = rows[first][1]
    yield _candidate(names, (first, first), top, [(text,) for text in top], 1)
    if first + 1 < len(rows):
        bottom = rows[first + 1][1]
        width = max(len(top), len(bottom))
        pairs, group = [], ""
        for index in range(width):
            above = top[index] if index < len(top) else ""
            below = bottom[index] if index < len(bottom) else ""
            group = above or (group if below else "")
            pairs.append((group, below))
        helps = all(sum(1 for text in row if text and _known(names, text)) > 1 for row in (top, bottom))
        yield _candidate(
            names, (first, first + 1), tuple(" ".join(filter(None, pair)) for pair in pairs), pairs, 2 if helps else 0
        )


def _candidate(
    names: Names, rows: tuple[int, int], said: tuple[str, ...], parts: Sequence[tuple[str, ...]], trust: int
) -> _Candidate:
    places: list[Place | BadUnit | None] = []
    for part in parts:
        try:
            places.append(names.place(*part))
        except BadUnit as error:
            places.append(error)
    known = {place.column.name for place in places if isinstance(place, Place | BadUnit) and place.column is not None}
    return _Candidate(rows, said, tuple(places), (len(known), trust, -rows[0]))


def _known(names: Names, text: str) -> bool:
    try:
        place = names.place(text)
    except BadUnit:
        return True
    return place is not None and place.column is not None


def _unmerged(grid: Grid, top: Sequence[tuple[int, list[Found]]]) -> list[tuple[int, tuple[str, ...]]]:
    rows = [(line, [shown(found) for found in row]) for line, row in top]
    at = dict(rows)
    for line, _ in rows:
        for first, left, bottom, right in grid.merged.get(line, ()):
            value = at[first][left] if left < len(at[first]) else ""
            end = min(right + 1, left + WIDEST)
            for row in (row for covered, row in rows if first <= covered <= bottom):
                row.extend("" for _ in range(end - len(row)))
                row[left:end] = [value] * (end - left)
    return [(line, tuple(row)) for line, row in rows]


def _refusals(grid: Grid, table: Table, best: _Candidate, line: int, given: Mapping[str, str]) -> Iterator[Refusal]:
    allowed = ", ".join(column.name for column in table.columns)
    seen: dict[str, int] = {}
    for name, place in zip(best.names, best.places, strict=True):
        match place:
            case None:
                yield grid.refuse(line, name, "an unknown column (未知的列)", allowed)
            case BadUnit():
                unit = place.column.cell.unit
                known = ", ".join(unit.words) if unit else ""
                yield grid.refuse(line, place.column.name, f"unit {place.word!r} (单位不对)", known)
            case Place(column=Column() as column):
                seen[column.name] = seen.get(column.name, 0) + 1
    for name in sorted(name for name, times in seen.items() if times > 1):
        yield grid.refuse(line, name, "the column twice (列重复)", "each column once (每列一次)")
    bad = {place.column.name for place in best.places if isinstance(place, BadUnit)}
    for column in table.columns:
        if not column.optional and column.name not in {*seen, *bad, *given}:
            yield grid.refuse(line, column.name, f"no such column (缺少列“{column.zh}”)", allowed)


def _title_units(grid: Grid, table: Table, line: int, text: str, refused: list[Refusal]) -> dict[str, Decimal]:
    measured = {column.cell.unit.name: column.cell.unit for column in table.columns if column.cell.unit is not None}
    factors: dict[str, Decimal] = {}
    match = _UNIT_LINE.search(narrow(text))
    if match is None or not measured:
        return factors
    for word in filter(None, re.split(r"[、,;]", match[1])):
        of = [unit for unit in measured.values() if unit.factor(word) is not None]
        if len(of) == 1:
            factors[of[0].name] = of[0].factor(word) or Decimal(1)
        elif len(of) > 1 or not (word in _COUNTED or any(unit.factor(word) for unit in units.ALL)):
            known = ", ".join(dict.fromkeys(name for unit in measured.values() for name in unit.words))
            found = f"{word!r}: of which column? (单位不明确)" if of else f"an unknown unit, {word!r} (未知的单位)"
            refused.append(grid.refuse(line, "(unit)", found, known))
    return factors
