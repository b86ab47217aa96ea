"""Periods, demand and money on TimescaleDB: the same figures."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.warehouse.supply.plant import Supply, at
from warehouse.migrate import Flavour, migrate, status
from warehouse.postgres import connect
from warehouse.registry.load import load_reference


@pytest.mark.slow
def test_a_day_has_its_periods_its_demand_and_its_price(timescale_database: str) -> None:
    with connect(timescale_database, application="test") as connection:
        migrate(connection)
        assert status(connection).flavour is Flavour.TIMESCALE
        load_reference(connection)
        plant = Supply(connection)
        meter, series = plant.metered("a")
        plant.put_up(meter)
        plant.term("c", meter=meter)
        plant.prices("c", {"peak": "1.2", "flat": "0.8", "valley": "0.4"})
        plant.run(plant.draw(series, at(11, 3), [25] * 95 + [75]))
        found = plant.rows("SELECT period, energy, measured FROM energy.tariff_day ORDER BY energy")
        assert found == [("peak", 6, 24), ("valley", Decimal("8.5"), 32), ("flat", 10, 40)]
        assert plant.rows("SELECT kw, at, ratio FROM energy.contract_demand_month") == [
            (3, at(11, 3, 23, 45), Decimal("0.3"))
        ]
        assert plant.rows("SELECT sum(amount_cny) FROM energy.cost_item WHERE item <> 'demand'") == [
            (Decimal("7.2") + Decimal(8) + Decimal("3.4"),)
        ]
        assert plant.run(at(11, 4)).changed == 0
