"""Energy balance: meters against the meters below them, by day (domain E: above 5 % a day is flagged)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from edge_agent.contract.errors import Misconfigured
from warehouse.consumption.terms import shown
from warehouse.period import Period
from warehouse.postgres import Connection, statement, translated
from warehouse.table import aligned

FLAGGED_PERCENT: Final = Decimal(5)
"""Above which a day is flagged [rule]."""
_HEADS: Final = (
    ("meter", "day", "drawn", "generated", "below it", "difference", "ratio", "meters", ""),
    ("表计", "日期", "上级表", "自发", "下级表之和", "差额", "偏差率", "下级表数", ""),
)
_REASONS: Final = {
    "parent_unknown": ("unknown: the meter itself", "未知：上级表缺数"),
    "child_unknown": ("unknown: a meter below it", "未知：下级表缺数"),
    "placed_within_day": ("unknown: a meter came or went that day", "未知：当日有表计变动"),
    "supply_negative": ("unknown: more fed back than drawn", "未知：净倒送"),
}


@dataclass(frozen=True, slots=True)
class Balance:
    """One meter and day, in the unit of the meter."""

    serial: str
    day: date
    energy: Decimal | None
    generated: Decimal
    used: Decimal
    children: int
    unknown: int
    difference: Decimal | None
    ratio: Decimal | None
    reason: str | None

    def flagged(self, above_percent: Decimal) -> bool:
        """Whether the day is known and off by more than ``above_percent``; energy below a meter that drew none is."""
        if self.difference is None:
            return False
        return self.difference != 0 if self.ratio is None else self.ratio * 100 > above_percent


def balances(connection: Connection, period: Period, serial: str | None = None) -> list[Balance]:
    """Return every day of ``period`` of the meters that have meters below them, or of the one named.

    ``Misconfigured`` when no meter has that serial number.
    """
    with translated():
        if (
            serial is not None
            and not connection.execute(
                statement("warehouse.consumption", "meter_known.sql"), {"serial": serial}
            ).fetchone()
        ):
            raise Misconfigured(f"no meter {serial!r} (没有这块表)")
        rows = connection.execute(
            statement("warehouse.consumption", "balance.sql"),
            {"start": period.start, "end": period.end, "serial": serial},
        ).fetchall()
    return [Balance(*row) for row in rows]


def lines(found: Iterable[Balance], above_percent: Decimal, *, everything: bool, chinese: bool) -> Iterator[str]:
    """Give a table of the days that are flagged or unknown, or of all, and their count."""
    zh = int(chinese)
    count: Counter[str] = Counter()
    table = []
    for one in found:
        flagged = one.flagged(above_percent)
        count["flagged" if flagged else "known" if one.reason is None else "unknown"] += 1
        if everything or flagged or one.reason is not None:
            table.append(_row(one, zh, flagged=flagged))
    yield from aligned(_HEADS[zh], table)
    total = sum(count.values())
    if chinese:
        yield f"{total} 表日：超过{above_percent}% {count['flagged']}，未知 {count['unknown']}"
    else:
        yield f"{total} days of meters: {count['flagged']} above {above_percent} %, {count['unknown']} unknown"


def _row(one: Balance, zh: int, *, flagged: bool) -> tuple[object, ...]:
    note = _REASONS[one.reason][zh] if one.reason is not None else ("flagged", "超限")[zh] if flagged else ""
    return (
        one.serial,
        one.day,
        _amount(one.energy),
        _amount(one.generated),
        _amount(one.used),
        _amount(one.difference),
        "–" if one.ratio is None else f"{shown(Fraction(one.ratio) * 100, 2)} %",
        one.children,
        note,
    )


def _amount(amount: Decimal | None) -> str:
    return "–" if amount is None else shown(Fraction(amount))
