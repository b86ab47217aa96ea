"""Reads quarter-hours, writes periods, demand and money; of a scope only the rows that differ are touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from psycopg import sql
from psycopg.sql import Composable, Identifier

from warehouse.postgres import Connection, statement
from warehouse.supply.account import Amount, ContractDemandKey, DemandKey, Peak, Quarter, TariffKey
from warehouse.supply.charges import Cost, Demand, EnergyDay
from warehouse.supply.periods import Period, Why
from warehouse.supply.sources import SQL
from warehouse.times import from_ms


class MeterDay(NamedTuple):
    """A day of one of a meter's registers."""

    meter_id: int
    feed_in: bool
    day: date


class ContractDay(NamedTuple):
    """A day of a contract."""

    contract: str
    day: date


class ContractMonth(NamedTuple):
    """A month of a contract, as its first day."""

    contract: str
    month: date


@dataclass(frozen=True, slots=True)
class _Table:
    """Where rows go, and by which columns they belong to the scope."""

    name: str
    staged: str
    scope: str
    of_scope: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def target(self) -> Identifier:
        return Identifier("energy", self.name)

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.of_scope, *self.others)

    def equal(self, left: str, right: str) -> Composable:
        return sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(Identifier(left, name), Identifier(right, name)) for name in self.of_scope
        )

    @property
    def same(self) -> Composable:
        return sql.SQL("{} AND ({}) IS NOT DISTINCT FROM ({})").format(
            self.equal("t", "x"),
            *(sql.SQL(", ").join(Identifier(whose, name) for name in self.others) for whose in ("t", "x")),
        )


_SUM: Final = ("energy", "measured", "estimated", "unknown")
_PEAK: Final = ("kw", "at", "estimated", "known", "unknown")
_METER_SCOPE: Final = "supply_scope"
_CONTRACT_SCOPE: Final = "supply_contract_scope"
_MONTH_SCOPE: Final = "supply_month_scope"
TARIFF: Final = _Table(
    "tariff_day",
    "staged_tariff",
    _METER_SCOPE,
    ("meter_id", "feed_in", "day"),
    ("holder_id", "contract", "tariff", "period", "reason", *_SUM),
)
DEMAND: Final = _Table(
    "demand_day",
    "staged_demand",
    _METER_SCOPE,
    ("meter_id", "day"),
    ("holder_id", "contract", "contracted_kw", *_PEAK),
)
CONTRACT_DEMAND: Final = _Table(
    "contract_demand_day", "staged_contract_demand", _CONTRACT_SCOPE, ("contract", "day"), ("contracted_kw", *_PEAK)
)
COST: Final = _Table(
    "cost_month",
    "staged_cost",
    _MONTH_SCOPE,
    ("contract", "month"),
    (
        "energy_known_cny",
        "energy_missing",
        "energy_cny",
        "basic_known_cny",
        "basic_missing",
        "basic_cny",
        "total_cny",
        "rule_version",
    ),
)
ITEM: Final = _Table(
    "cost_item",
    "staged_item",
    _MONTH_SCOPE,
    ("contract", "month"),
    ("item", "unit", "price", "quantity", "amount_cny", "first_day", "last_day"),
)


def quarters(conn: Connection, days: Sequence[MeterDay]) -> list[Quarter]:
    """Return the quarter-hours of days, in no order."""
    rows = conn.execute(
        statement(SQL, "quarters.sql"),
        {
            "meters": [day.meter_id for day in days],
            "feeds": [day.feed_in for day in days],
            "days": [day.day for day in days],
        },
    )
    return [Quarter(*row) for row in rows.fetchall()]


def make_room(conn: Connection) -> None:
    """Make the temporary tables that rows are staged in, until the end of the transaction."""
    conn.execute(statement(SQL, "scope_make.sql"), prepare=False)  # several statements at once


def in_scope(conn: Connection, scope: Sequence[MeterDay] | Sequence[ContractDay] | Sequence[ContractMonth]) -> None:
    """Add days to the scope of what is written."""
    if not scope:
        return
    first = scope[0]
    name = {MeterDay: _METER_SCOPE, ContractDay: _CONTRACT_SCOPE, ContractMonth: _MONTH_SCOPE}[type(first)]
    _stage(conn, name, first._fields, scope)


def contracts_before(conn: Connection) -> set[ContractDay]:
    """Return under which contracts the days of the scope stood when they were last computed."""
    return {ContractDay(*row) for row in conn.execute(statement(SQL, "contracts_before.sql"))}


def stage_tariff(conn: Connection, found: dict[TariffKey, Amount]) -> None:
    """Stage rows of `energy.tariff_day`."""
    _stage(conn, TARIFF.staged, TARIFF.columns, ((*key, *amount) for key, amount in found.items()))


def stage_demand(conn: Connection, found: dict[DemandKey, Peak]) -> None:
    """Stage rows of `energy.demand_day`."""
    _stage(conn, DEMAND.staged, DEMAND.columns, ((*key, *_peak(peak)) for key, peak in found.items()))


def stage_contract_demand(conn: Connection, found: dict[ContractDemandKey, Peak]) -> None:
    """Stage rows of `energy.contract_demand_day`."""
    rows = ((*key, *_peak(peak)) for key, peak in found.items())
    _stage(conn, CONTRACT_DEMAND.staged, CONTRACT_DEMAND.columns, rows)


def stage_costs(conn: Connection, found: dict[ContractMonth, Cost], rule_version: int) -> None:
    """Stage rows of `energy.cost_month` and their lines."""
    _stage(
        conn,
        COST.staged,
        COST.columns,
        (
            (
                *key,
                cost.energy.known,
                list(cost.energy.missing),
                cost.energy.amount,
                cost.basic.known,
                list(cost.basic.missing),
                cost.basic.amount,
                cost.total,
                rule_version,
            )
            for key, cost in found.items()
        ),
    )
    _stage(
        conn,
        ITEM.staged,
        ITEM.columns,
        (
            (*key, line.item, line.unit, line.price, line.quantity, line.amount, line.first_day, line.last_day)
            for key, cost in found.items()
            for line in (*cost.energy.items, *cost.basic.items)
        ),
    )


def months(
    conn: Connection, asked: Sequence[ContractMonth]
) -> tuple[dict[ContractMonth, list[EnergyDay]], dict[ContractMonth, list[Demand]]]:
    """Return what was drawn in months of contracts, by day and period, and their highest demands."""
    wanted = {"contracts": [one.contract for one in asked], "months": [one.month for one in asked]}
    energy: dict[ContractMonth, list[EnergyDay]] = defaultdict(list)
    for contract, month, day, period, reason, *amount in conn.execute(
        statement(SQL, "contract_days.sql"), wanted
    ).fetchall():
        row = EnergyDay(day, Period(period), None if reason is None else Why(reason), *amount)
        energy[ContractMonth(contract, month)].append(row)
    demands: dict[ContractMonth, list[Demand]] = defaultdict(list)
    for contract, month, kw, known in conn.execute(statement(SQL, "contract_demands.sql"), wanted):
        demands[ContractMonth(contract, month)].append(Demand(kw, known))
    return energy, demands


def put(conn: Connection, table: _Table) -> int:
    """Make the rows of the scope those that are staged; give how many were added, changed or taken away."""
    parts = {"target": table.target, "staged": Identifier("pg_temp", table.staged), "same": table.same}
    gone = conn.execute(
        statement(SQL, "gone.sql").format(
            **parts, scope=Identifier("pg_temp", table.scope), of_scope=table.equal("t", "s")
        )
    ).rowcount
    come = conn.execute(statement(SQL, "come.sql").format(**parts, columns=_listed(table.columns))).rowcount
    return max(gone, come)


def _peak(peak: Peak) -> tuple[object, ...]:
    at = None if peak.at_ms is None else from_ms(peak.at_ms)
    return (peak.kw, at, peak.estimated, peak.known, peak.unknown)


def _listed(columns: Iterable[str]) -> Composable:
    return sql.SQL(", ").join(map(Identifier, columns))


def _stage(conn: Connection, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    copying = statement(SQL, "stage.sql").format(staged=Identifier("pg_temp", name), columns=_listed(columns))
    with conn.cursor() as cursor, cursor.copy(copying) as copy:
        for row in rows:
            copy.write_row(row)
