"""Tables for people and for spreadsheets: energy by period, demand, and the bill of a contract's month."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from io import StringIO
from typing import Final, NamedTuple

from edge_agent.contract.errors import BadRecord
from warehouse.postgres import Connection, statement, translated
from warehouse.supply.sources import SQL
from warehouse.table import aligned
from warehouse.times import SHANGHAI

_FEN: Final = Decimal("0.01")
_ITEMS: Final = {
    "sharp": "尖",
    "peak": "峰",
    "flat": "平",
    "valley": "谷",
    "deep_valley": "深谷",
    "single": "不分时",
    "unknown": "未知",
    "demand": "需量",
    "demand_excess": "超需量",
    "capacity": "容量",
    "energy_charge": "电度电费",
    "basic_charge": "基本电费",
    "total": "合计",
}
_MISSING: Final = {
    "energy_unknown": "quarter-hours unknown (刻钟电量未知)",
    "energy_absent": "quarter-hours not counted yet, or never (刻钟尚无电量)",
    "period_unknown": "period of the tariff unknown (时段未知)",
    "no_price": "no price (缺单价)",
    "price_changes": "the price changes within the day or month it has to hold for (单价在计价期内变动)",
    "price_unit": "the price is for another unit (单价单位不符)",
    "demand_unknown": "quarter-hours without a known demand: it is at least so high (需量未知的刻钟)",
    "no_basis": "the contract does not say what the basic charge is taken from (缺基本电费计收方式)",
    "no_tariff": "the contract names no tariff that holds (缺电价类别)",
    "basis_changes": "what the basic charge is taken from changes within the month (计收方式月内变动)",
    "part_of_month": "the contract covers part of the month; shares are not guessed (合同不满一月)",
    "no_contract": "no contract (无合同)",
    "no_period": "the tariff has none for that time (电价表未列)",
    "calendar": "that year is not in the calendar of holidays (日历无该年)",
    "cut": "a boundary within the quarter-hour (时段界线不在整刻钟)",
}
_TARIFF: Final = (
    ("contract", "tariff", "period", "energy", "unit", "share_percent", "measured", "estimated", "unknown", "reason"),
    ("合同", "电价", "时段", "电量", "单位", "占比%", "实测刻钟", "估算刻钟", "未知刻钟", "原因"),
)
_DEMAND: Final = (
    ("meter", "contract", "kw", "at", "known", "unknown", "contracted_kw", "ratio", "note"),
    ("表计", "合同", "最大需量", "时刻", "已知刻钟", "未知刻钟", "合同需量", "比值", "备注"),
)
_COST: Final = (
    ("contract", "item", "quantity", "unit", "price", "amount_cny", "from", "to", "missing"),
    ("合同", "项目", "数量", "单位", "单价", "金额(元)", "自", "至", "缺项"),
)


class Named(NamedTuple):
    """A meter, or a contract."""

    meter_id: int | None
    contract: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """Headings in English and Chinese, rows of exact values, and what has to be said below."""

    headings: tuple[Sequence[str], Sequence[str]]
    rows: Sequence[Sequence[object]]
    notes: Sequence[str] = ()

    def table(self) -> Iterator[str]:
        """Give the lines for a terminal: amounts rounded to 分, times of Shanghai."""
        columns = self.headings[0]
        shown = [[_text(cell, column) for cell, column in zip(row, columns, strict=True)] for row in self.rows]
        yield from aligned(self.headings[0], [self.headings[1], *shown])
        yield from self.notes

    def csv(self) -> str:
        """Return it as CSV, everything exact."""
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.headings[0])
        writer.writerows([_exact(cell) for cell in row] for row in self.rows)
        return text.getvalue()


def named(connection: Connection, name: str) -> Named:
    """Return the meter or contract of that name; ``meter:NAME`` and ``contract:NAME`` say which when both have it.

    ``BadRecord`` when there is none, or both.
    """
    kind, _, rest = name.partition(":")
    wanted = rest if kind in {"meter", "contract"} and rest else name
    with translated():
        row = connection.execute(statement(SQL, "named.sql"), {"name": wanted}).fetchone()
    meter_id, contract = row or (None, None)
    if wanted != name:
        meter_id, contract = (meter_id, None) if kind == "meter" else (None, contract)
    if meter_id is None and contract is None:
        raise BadRecord("unknown_name", f"no meter and no contract is called {name!r} (无此表计或合同)")
    if meter_id is not None and contract is not None:
        raise BadRecord("ambiguous_name", f"a meter and a contract are called {name!r}: write meter:… or contract:…")
    return Named(meter_id, contract)


def tariff(connection: Connection, which: Named, month: date, *, feed_in: bool = False) -> Listing:
    """Return the energy of a month by contract and period of the tariff."""
    with translated():
        found = connection.execute(
            statement(SQL, "list_tariff.sql"), {**which._asdict(), "month": month, "feed_in": feed_in}
        ).fetchall()
    totals: dict[str, Decimal] = {}
    for _, _, _, _, unit, energy, *_ in found:
        totals[unit] = totals.get(unit, Decimal(0)) + (energy or 0)
    rows: list[tuple[object, ...]] = [
        (contract, name, period, energy, unit, _share(energy, totals[unit]), *counts, reason)
        for contract, name, period, reason, unit, energy, *counts in found
    ]
    unknown = sum(row[8] for row in found)
    notes = (
        [f"unknown quarter-hours (未知刻钟): {unknown}; sums are of what is known (合计仅含已知部分)"]
        if unknown
        else []
    )
    return Listing(_TARIFF, rows, [*notes, *_said(connection, rows)])


def demand(connection: Connection, which: Named, month: date) -> Listing:
    """Return the highest demand of a month: of a contract's sum and each of its meters, or of one meter."""
    with translated():
        found = connection.execute(statement(SQL, "list_demand.sql"), {**which._asdict(), "month": month}).fetchall()
    rows = []
    for serial, contract, kw, at, estimated, known, unknown, contracted_kw, ratio in found:
        said = (["at least (不低于)"] if unknown else []) + (["estimated (估算)"] if estimated else [])
        rows.append((serial, contract, kw, at, known, unknown, contracted_kw, ratio, ", ".join(said)))
    return Listing(_DEMAND, rows, _said(connection, rows))


def cost(connection: Connection, which: Named, month: date) -> Listing:
    """Return the bill of a contract's month, or of every contract that a meter was under; what is missing is named."""
    contracts = [which.contract] if which.contract is not None else _contracts(connection, which, month)
    rows: list[tuple[object, ...]] = []
    missing: set[str] = set()
    for contract in contracts:
        wanted = {"contract": contract, "month": month}
        with translated():
            sums = connection.execute(statement(SQL, "list_cost.sql"), wanted).fetchone()
            items = connection.execute(statement(SQL, "list_items.sql"), wanted).fetchall()
        if sums is None:
            continue
        for item, unit, quantity, price, amount, first_day, last_day in items:
            rows.append((contract, item, quantity, unit, price, amount, first_day, last_day, None))
        energy_known, energy_missing, energy, basic_known, basic_missing, basic, total = sums
        missing.update(energy_missing, basic_missing)
        for name, amount, known, words in (
            ("energy_charge", energy, energy_known, energy_missing),
            ("basic_charge", basic, basic_known, basic_missing),
        ):
            if words and known is not None:
                rows.append((contract, f"{name}_known", None, None, None, known, None, None, None))
            rows.append((contract, name, None, None, None, amount, None, None, " ".join(words)))
        rows.append((contract, "total", None, None, None, total, None, None, None))
    notes = [f"{word}: {_explained(word)}" for word in sorted(missing)]
    if not contracts:
        notes.append("the meter was under no contract in that month (该表当月无合同)")
    return Listing(_COST, rows, [*notes, *_said(connection, rows)])


def _contracts(connection: Connection, which: Named, month: date) -> list[str]:
    with translated():
        found = connection.execute(
            statement(SQL, "list_contracts.sql"), {"meter_id": which.meter_id, "month": month}
        ).fetchall()
    return [row[0] for row in found]


def _said(connection: Connection, rows: Iterable[object]) -> list[str]:
    """Say when nothing was counted, or something waits to be."""
    said = [] if list(rows) else ["nothing was counted in that month (当月无数据)"]
    with translated():
        behind = connection.execute(statement(SQL, "list_behind.sql")).fetchone()
    if behind == (True,):
        said.append("changes wait to be computed (有变更待计算): g60 warehouse supply keep, or the jobs")
    return said


def _explained(word: str) -> str:
    name, _, detail = word.partition(":")
    told = "" if detail.isdigit() else _name(_MISSING.get(detail, detail))
    return f"{_MISSING[name]} {told}".rstrip()


def _share(part: Decimal | None, whole: Decimal) -> Decimal | None:
    if part is None or not whole:
        return None
    return (100 * part / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _name(word: str) -> str:
    name = _ITEMS.get(word.removesuffix("_known"))
    if name is None:
        return word
    return f"{word} {name}（已知部分）" if word.endswith("_known") else f"{word} {name}"


def _text(cell: object, column: str) -> str:
    if column == "amount_cny":
        return f"{cell.quantize(_FEN, ROUND_HALF_UP):f}" if isinstance(cell, Decimal) else "?"
    if cell is None:
        return "-"
    if isinstance(cell, datetime):
        return cell.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    return _name(str(cell)) if column in {"period", "item"} else _exact(cell)


def _exact(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        digits = f"{cell:f}"
        return digits.rstrip("0").rstrip(".") if "." in digits else digits
    if isinstance(cell, datetime):
        return cell.astimezone(SHANGHAI).isoformat()
    return str(cell)
