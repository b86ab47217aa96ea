"""What a table of the registry is made of: columns, keys, and what must hold between the cells of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

from warehouse.registry import cells
from warehouse.registry.cells import Cell, Value

Row = Mapping[str, Value]


class Wrong(NamedTuple):
    """What is wrong between the cells of a row, at the column that has to change."""

    column: str
    found: str
    allowed: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its names, its kind, whether a cell may be empty, what it refers to, and an example."""

    name: str
    zh: str
    """Its Chinese name, as the template writes it."""
    cell: Cell
    example: str
    optional: bool = False
    refers: str | None = None
    """Identity table whose key the cell must be."""
    note: str = ""
    also: tuple[str, ...] = ()
    """Further names by which offices call it."""
    stored: str | None = None
    """Column of the database, where its name is another."""
    identity: bool = False
    """Belongs to the identity of what the row is of, and is not stored with the row."""

    @property
    def target(self) -> str:
        """Name of its column in the database."""
        return self.stored or self.name


class Span(NamedTuple):
    """Two columns that bound a range besides validity; rows clash only where these ranges meet too."""

    low: str
    high: str
    closed: bool
    """Whether ``high`` belongs to the range."""


@dataclass(frozen=True, slots=True)
class Table:
    """One file or sheet: where its rows go, and what makes a row itself."""

    name: str
    zh: str
    target: str
    key: tuple[str, ...]
    """Columns of the database of which no two rows are equal."""
    columns: tuple[Column, ...]
    what: str
    apart: tuple[tuple[str, ...], ...] = ()
    """Sets of columns within each of which validity must not overlap; none is where the first of them is null."""
    spans: tuple[Span, ...] = ()
    grows_only: bool = False
    """Rows are never changed: a differing one is added where ``amended`` says so (observations), else refused."""
    amended: tuple[str, ...] = ()
    """Columns whose difference makes a further row of the key, which counts from then on."""
    checks: tuple[Callable[[Row], Iterator[Wrong]], ...] = ()
    """What must hold between the cells of a row whose cells are each right."""

    @property
    def file(self) -> str:
        """Name of its CSV file."""
        return f"{self.name}.csv"

    @property
    def nullable(self) -> frozenset[str]:
        """Columns of the database that may be null."""
        return frozenset(column.target for column in self.columns if column.optional)

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)


def ordered(first: str, last: str) -> Callable[[Row], Iterator[Wrong]]:
    """Check that ``last`` is after ``first`` where both are given."""

    def check(row: Row) -> Iterator[Wrong]:
        start, end = row.get(first), row.get(last)
        if start is not None and end is not None and not start < end:  # type: ignore[operator]  # both of one cell type
            yield Wrong(last, f"{end}", f"after {first} {start} (须晚于 {first})")

    return check


def exactly_one(first: str, second: str) -> Callable[[Row], Iterator[Wrong]]:
    """Check that one of two columns is given and the other is not."""

    def check(row: Row) -> Iterator[Wrong]:
        if (row[first] is None) == (row[second] is None):
            yield Wrong(first, f"both or none of {first} and {second}", "exactly one (须且只能填一项)")

    return check


def descending(*names: str) -> Callable[[Row], Iterator[Wrong]]:
    """Check that numbers fall from column to column, and are given all or none."""

    def check(row: Row) -> Iterator[Wrong]:
        found = [Decimal(str(row[name])) for name in names if row[name] is not None]
        if len(found) not in (0, len(names)):
            yield Wrong(names[0], "some and not all", f"all or none of {', '.join(names)} (须全填或全不填)")
        elif any(a <= b for a, b in pairwise(found)):
            yield Wrong(names[0], " … ".join(map(str, found)), "each above the next (须依次递减)")

    return check


SOURCE: Final = (
    Column("legal_basis", "法律依据", cells.LEGAL_BASIS, "administrative"),
    Column(
        "source",
        "来源",
        cells.TEXT,
        "企业名录 2025-01",
        note="document or register; begins with `synthetic` in demo data",
        also=("数据来源", "资料来源"),
    ),
)
_FROM: Final = ("起始日期", "开始日期", "有效期起", "有效期自", "自", "有效期起始", "有效期开始")
_TO: Final = ("终止日期", "结束日期", "有效期止", "有效期至", "至", "有效期截止", "有效期结束")
DAYS: Final = (
    Column("valid_from", "起始日", cells.DAY, "2021-01-01", note="first day", also=_FROM),
    Column(
        "valid_to",
        "失效日",
        cells.DAY,
        "",
        optional=True,
        note="first day it no longer holds; empty while it does",
        also=_TO,
    ),
)
INSTANTS: Final = (
    Column("valid_from", "起始时间", cells.INSTANT, "2025-01-01", note="from when", also=("起始日", *_FROM)),
    Column(
        "valid_to",
        "终止时间",
        cells.INSTANT,
        "",
        optional=True,
        note="until when (exclusive); empty while it holds",
        also=("失效日", *_TO),
    ),
)
VALID: Final = (ordered("valid_from", "valid_to"),)
"""What has to hold between them."""
USCC: Final = Column(
    "uscc",
    "统一社会信用代码",
    cells.USCC,
    "91310117MA1J00014T",
    also=("社会信用代码", "信用代码", "统一社会信用代码18位", "企业代码"),
)
METER: Final = Column(
    "serial",
    "表计编号",
    cells.CODE,
    "310023456789",
    refers="meter",
    note="serial number of a meter in meters.csv",
    also=("表号", "电表编号", "计量表编号", "出厂编号"),
    stored="meter_id",
)
ENTERPRISE_NAME: Final = ("企业名称", "单位名称", "单位详细名称", "企业全称")
