"""The job that keeps periods of tariffs, demand and the cost of contracts in step with accounts and registry.

A pass is one transaction. It takes marks: days whose quarter-hours changed (`energy.day_changed`), changes of the
registry (`energy.supply_dirty`, spread over the days they touch in `energy.supply_due`). It computes those days of
meters, then the days of the contracts they are or were under, then the months of those contracts, and only these; rows
that differ are written. Dying anywhere leaves all of it to the next run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from warehouse.energy.changed import changed_days, move_on
from warehouse.energy.sources import FOREVER_MS
from warehouse.postgres import Connection, alone, statement
from warehouse.supply import store
from warehouse.supply.account import ContractDemandKey, Peak, Quarter, by_period, contract_demand, day_of, demand
from warehouse.supply.calendar import kind_of_day
from warehouse.supply.charges import Cost, Demand, EnergyDay, basic_charge, energy_charge, month_ms
from warehouse.supply.rules import Rules, rules
from warehouse.supply.sources import SQL, Sources, read_sources
from warehouse.supply.store import ContractDay, ContractMonth, MeterDay
from warehouse.times import DAY_MS, midnight, to_ms

CONSUMER: Final = "supply"
"""Its row in `energy.consumer`."""
AT_MOST: Final = 2_000
"""Days of meters, or marks of the registry, in one pass."""
_PIECE: Final = 200
"""Days whose quarter-hours are in memory at once."""
_LOCK: Final = 0x6730_0068
"""Advisory lock: one run at a time in a database."""


@dataclass(frozen=True, slots=True)
class SupplyReport:
    """What a run came to."""

    days: int
    """Days of meters that were computed."""
    contract_months: int
    """Months of contracts that were computed."""
    changed: int
    """Rows that were added, changed or taken away."""
    left: bool
    """Whether the run was told to stop, so that marks may be left for the next one."""


class _Mark(NamedTuple):
    """A row of `energy.supply_dirty`."""

    dirty_id: int
    meter_id: int | None
    uscc: str | None
    contract: str | None
    tariff: str | None
    from_ms: int
    to_ms: int


@dataclass(slots=True)
class _Marks:
    changed: list[MeterDay] = field(default_factory=list)
    through: int | None = None
    due: list[MeterDay] = field(default_factory=list)
    months: set[ContractMonth] = field(default_factory=set)
    dirty: list[int] = field(default_factory=list)

    @property
    def some(self) -> bool:
        return bool(self.changed or self.due or self.dirty)


def keep(conn: Connection, go_on: Callable[[], bool] = lambda: True) -> SupplyReport:
    """Compute what is marked, pass by pass, until nothing is or ``go_on`` says no. Waits for another run."""
    days = months = changed = 0
    rule = rules()
    with alone(conn, _LOCK):
        while True:
            with conn.transaction():
                marks = _take(conn)
                if not marks.some:
                    return SupplyReport(days, months, changed, left=False)
                made = _pass(conn, marks, rule)
            days, months, changed = days + made[0], months + made[1], changed + made[2]
            if not go_on():
                return SupplyReport(days, months, changed, left=True)


def _take(conn: Connection) -> _Marks:
    """Read marks, and spread those of the registry over the days that they touch."""
    marks = _Marks()
    for change in changed_days(conn, CONSUMER, AT_MOST):
        marks.changed.append(MeterDay(change.meter_id, change.feed_in, change.day))
        marks.through = change.change_id
    dirty = [_Mark(*row) for row in conn.execute(statement(SQL, "marks.sql"), {"at_most": AT_MOST})]
    if dirty:
        marks.dirty = [mark.dirty_id for mark in dirty]
        _spread(conn, marks, dirty, read_sources(conn))
    oldest = conn.execute(statement(SQL, "calendar_oldest.sql")).fetchone()
    if oldest is not None and oldest[0] is not None and kind_of_day(oldest[0]) is not None:
        # A newer calendar knows a year that the one before did not.
        conn.execute(statement(SQL, "calendar_due.sql"), {"through": oldest[0].replace(month=12, day=31)})
    marks.due = [MeterDay(*row) for row in conn.execute(statement(SQL, "due_take.sql"), {"at_most": AT_MOST})]
    return marks


def _spread(conn: Connection, marks: _Marks, dirty: Sequence[_Mark], sources: Sources) -> None:
    meters: dict[int, list[tuple[date, date]]] = defaultdict(list)
    contracts: dict[str, list[tuple[date, date]]] = defaultdict(list)
    of_tariff: dict[str, set[str]] = defaultdict(set)
    for contract, terms in sources.coverage.terms.items():
        for term in terms:
            if term.tariff is not None:
                of_tariff[term.tariff].add(contract)
    for mark in dirty:
        days = (_first_day(mark.from_ms), _last_day(mark.to_ms))
        if mark.contract is not None:
            contracts[mark.contract].append(days)
        for contract in of_tariff.get(mark.tariff, ()) if mark.tariff is not None else ():
            contracts[contract].append(days)
            for span in sources.coverage.of_contract(contract):
                meters[span.meter_id].append(days)
        if mark.meter_id is not None:
            meters[mark.meter_id].append(days)
        for meter_id in sources.firms.get(mark.uscc, ()) if mark.uscc is not None else ():
            meters[meter_id].append(days)
    conn.execute(statement(SQL, "due_add.sql"), _ranges("meters", meters))
    rows = conn.execute(statement(SQL, "contract_months.sql"), _ranges("contracts", contracts))
    marks.months.update(ContractMonth(*row) for row in rows)


def _ranges(
    name: str, asked: dict[int, list[tuple[date, date]]] | dict[str, list[tuple[date, date]]]
) -> dict[str, object]:
    rows = [(what, *days) for what, ranges in asked.items() for days in ranges]
    return {
        name: [row[0] for row in rows],
        "from_days": [row[1] for row in rows],
        "to_days": [row[2] for row in rows],
    }


def _first_day(t_ms: int) -> date:
    return date.min if t_ms <= -FOREVER_MS else day_of(t_ms)


def _last_day(t_ms: int) -> date:
    return date.max if t_ms >= FOREVER_MS else day_of(t_ms - 1)


def _pass(conn: Connection, marks: _Marks, rule: Rules) -> tuple[int, int, int]:
    sources = read_sources(conn)
    store.make_room(conn)
    days = sorted({*marks.changed, *marks.due})
    store.in_scope(conn, days)
    touched = store.contracts_before(conn)
    for first in range(0, len(days), _PIECE):
        piece = store.quarters(conn, days[first : first + _PIECE])
        store.stage_tariff(conn, by_period(piece, sources.coverage, sources.tariffs))
        store.stage_demand(conn, demand(piece, sources.coverage, sources.meters))
    changed = store.put(conn, store.TARIFF) + store.put(conn, store.DEMAND)
    for day in days:
        from_ms = to_ms(midnight(day.day))
        for span in sources.coverage.of_meter(day.meter_id, from_ms, from_ms + DAY_MS):
            touched.add(ContractDay(span.term.contract, day.day))
    changed += _contract_days(conn, sources, sorted(touched))
    months = sorted({*marks.months, *(ContractMonth(one.contract, one.day.replace(day=1)) for one in touched)})
    changed += _contract_months(conn, sources, months, rule)
    if marks.through is not None:
        move_on(conn, CONSUMER, marks.through)
    conn.execute(statement(SQL, "marks_done.sql"), {"dirty": marks.dirty})
    return len(days), len(months), changed


def _contract_days(conn: Connection, sources: Sources, days: Sequence[ContractDay]) -> int:
    store.in_scope(conn, days)
    for first in range(0, len(days), _PIECE):
        piece = days[first : first + _PIECE]
        of_day: dict[ContractDay, set[MeterDay]] = {one: set() for one in piece}
        for one in piece:
            from_ms = to_ms(midnight(one.day))
            for span in sources.coverage.of_contract(one.contract, from_ms, from_ms + DAY_MS):
                of_day[one].add(MeterDay(span.meter_id, feed_in=False, day=one.day))
        wanted = sorted(set().union(*of_day.values()))
        rows: dict[MeterDay, list[Quarter]] = defaultdict(list)
        for quarter in store.quarters(conn, wanted):
            rows[MeterDay(quarter.meter_id, quarter.feed_in, day_of(quarter.start_ms))].append(quarter)
        found: dict[ContractDemandKey, Peak] = {}
        for one, meters in of_day.items():
            drawn = [quarter for meter in meters for quarter in rows[meter]]
            found |= contract_demand(one.contract, one.day, drawn, sources.coverage, sources.meters)
        store.stage_contract_demand(conn, found)
    return store.put(conn, store.CONTRACT_DEMAND)


def _contract_months(conn: Connection, sources: Sources, months: Sequence[ContractMonth], rule: Rules) -> int:
    store.in_scope(conn, months)
    energy, demands = store.months(conn, months)
    store.stage_costs(
        conn,
        {one: _cost(sources, one, drawn, demands.get(one, ()), rule) for one, drawn in energy.items()},
        rule.version,
    )
    return store.put(conn, store.COST) + store.put(conn, store.ITEM)


def _cost(
    sources: Sources, one: ContractMonth, energy: Iterable[EnergyDay], demands: Sequence[Demand], rule: Rules
) -> Cost:
    prices = sources.prices.get(one.contract, [])
    spans = list(sources.coverage.of_contract(one.contract, *month_ms(one.month)))
    terms = sources.coverage.terms.get(one.contract, [])
    return Cost(
        energy_charge(energy, spans, prices),
        basic_charge(one.month, terms, demands, prices, sources.tariffs.structure, rule.parameters),
    )
