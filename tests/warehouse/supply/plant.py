"""Plants meters under contracts, with readings that the energy job makes quarter-hours of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

from tests.warehouse.energy.plant import EPOCH, FIRM, QUARTER, Plant
from warehouse.energy.job import close
from warehouse.supply.job import SupplyReport, keep
from warehouse.times import midnight

DAY = timedelta(days=1)
FOLLOWED = ("tariff_day", "demand_day", "contract_demand_day", "cost_month", "cost_item")


def at(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A time of 2025 in Shanghai."""
    return midnight(date(2025, month, day)) + timedelta(hours=hour, minutes=minute)


class Supply(Plant):
    """An enterprise whose meters are under contracts."""

    def put_up(
        self, meter: int, role: str = "boundary", since: datetime = EPOCH, until: datetime | None = None
    ) -> None:
        self.conn.execute(
            "INSERT INTO registry.meter_placement (meter_id, uscc, role, valid_from, valid_to, legal_basis, source) "
            "VALUES (%s, %s, %s, %s, %s, 'consented', 'synthetic')",
            [meter, FIRM, role, since, until],
        )

    def term(
        self,
        contract: str,
        *,
        meter: int | None = None,
        since: datetime = EPOCH,
        until: datetime | None = None,
        carrier: str = "electricity",
        tariff: str | None = "sh-two-part",
        basis: str | None = "contracted_demand",
        kw: int | None = 10,
    ) -> None:
        self.conn.execute(
            "INSERT INTO registry.supply_contract VALUES (%s, %s) ON CONFLICT DO NOTHING", [contract, carrier]
        )
        self.conn.execute(
            "INSERT INTO registry.supply_term (contract, valid_from, valid_to, carrier, meter_id, uscc, tariff,"
            " basis, contracted_kw, legal_basis, source) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'consented', 'synthetic')",
            [contract, since, until, carrier, meter, None if meter else FIRM, tariff, basis, kw],
        )

    def price(
        self, contract: str, item: str, price: str, since: datetime = EPOCH, until: datetime | None = None
    ) -> None:
        unit = "CNY/kW/month" if item == "demand" else "CNY/kWh"
        self.conn.execute(
            "INSERT INTO registry.supply_price (contract, item, valid_from, valid_to, price, unit, legal_basis, source)"
            " VALUES (%s, %s, %s, %s, %s, %s, 'consented', 'synthetic')",
            [contract, item, since, until, price, unit],
        )

    def prices(self, contract: str, prices: dict[str, str], since: datetime = EPOCH) -> None:
        for item, price in prices.items():
            self.price(contract, item, price, since)

    def holiday_valley(self) -> None:
        """Give the two-part tariff a 深谷 from 11:00 to 14:00 on holidays of October and November."""
        self.conn.execute(
            "INSERT INTO registry.tariff_period (tariff, first_month, last_month, days, start_minute, end_minute,"
            " period, valid_from, legal_basis, source) "
            "VALUES ('sh-two-part', 10, 11, 'holiday', 660, 840, 'deep_valley', '2025-01-01', 'published', 'synthetic')"
        )

    def draw(self, series: int, start: datetime, counts: Iterable[int]) -> datetime:
        """Store the readings of a register that grows by so many counts each quarter-hour; give the end."""
        total = [0, *accumulate(counts)]
        self.read(series, [(start + place * QUARTER, value) for place, value in enumerate(total)])
        return start + (len(total) - 1) * QUARTER

    def run(self, through: datetime) -> SupplyReport:
        """Run the energy job, then this one."""
        close(self.conn, through)
        return keep(self.conn)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.conn.execute(query.encode(), parameters).fetchall()

    def months(self, month: date) -> dict[tuple[str | None, str], Decimal | None]:
        """Energy of a month by contract and period, or reason."""
        found = self.rows(
            "SELECT contract, coalesce(reason, period), energy FROM energy.tariff_month WHERE month = %s", month
        )
        return {(contract, period): energy for contract, period, energy in found}

    def cost(self, contract: str, month: date) -> tuple[Any, ...]:
        (row,) = self.rows(
            "SELECT energy_known_cny, energy_missing, basic_known_cny, basic_missing, total_cny "
            "FROM energy.cost_month WHERE contract = %s AND month = %s",
            contract,
            month,
        )
        return row

    def whole(self) -> dict[str, set[str]]:
        """Every row of every table, with the time it was computed."""
        return {
            name: {row[0] for row in self.rows(f"SELECT t::text FROM energy.{name} AS t")}  # noqa: S608 - our names
            for name in FOLLOWED
        }
