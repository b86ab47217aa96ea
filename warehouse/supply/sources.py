"""Reads the registry: meters, placements, contracts, tariffs, prices."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from warehouse.postgres import Connection, statement
from warehouse.supply.calendar import DayKind
from warehouse.supply.charges import Price
from warehouse.supply.periods import Attribute, Period, PeriodRow, Structure, Tariffs
from warehouse.supply.terms import Basis, Coverage, Meter, Placement, Term

SQL: Final = "warehouse.supply"


@dataclass(frozen=True, slots=True)
class Sources:
    """What the registry says, as it is known now."""

    meters: dict[int, Meter]
    firms: dict[str, frozenset[int]]
    """The boundary meters that an enterprise has or had."""
    coverage: Coverage
    tariffs: Tariffs
    prices: dict[str, list[Price]]
    """By contract."""


def read_sources(conn: Connection) -> Sources:
    """Read all of it."""
    placements = [Placement(*row) for row in conn.execute(statement(SQL, "placements.sql"))]
    firms: dict[str, set[int]] = defaultdict(set)
    for placement in placements:
        firms[placement.uscc].add(placement.meter_id)
    terms = [
        Term(contract, from_ms, to_ms, carrier, meter_id, uscc, tariff, Basis(basis) if basis else None, kw, kva)
        for contract, from_ms, to_ms, carrier, meter_id, uscc, tariff, basis, kw, kva in conn.execute(
            statement(SQL, "terms.sql")
        )
    ]
    # After those that name meters: a meter that is registered meanwhile is then among them.
    meters = {meter_id: Meter(carrier, unit) for meter_id, carrier, unit in conn.execute(statement(SQL, "meters.sql"))}
    attributes = [
        (tariff, Attribute(Structure(structure), valid_from, valid_to))
        for tariff, structure, valid_from, valid_to in conn.execute(statement(SQL, "tariffs.sql"))
    ]
    periods = [
        (
            tariff,
            PeriodRow(
                first_month,
                last_month,
                None if days == "all" else DayKind(days),
                start_minute,
                end_minute,
                Period(period),
                valid_from,
                valid_to,
            ),
        )
        for tariff, first_month, last_month, days, start_minute, end_minute, period, valid_from, valid_to in (
            conn.execute(statement(SQL, "tariff_periods.sql"))
        )
    ]
    prices: dict[str, list[Price]] = defaultdict(list)
    for contract, *row in conn.execute(statement(SQL, "prices.sql")):
        prices[contract].append(Price(*row))
    return Sources(
        meters,
        {uscc: frozenset(ids) for uscc, ids in firms.items()},
        Coverage(meters, placements, terms),
        Tariffs(attributes, periods),
        prices,
    )
