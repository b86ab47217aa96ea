"""Accounts and their roll-ups on TimescaleDB: the same rows."""

from __future__ import annotations

import pytest

from tests.warehouse.energy.plant import MARCH, QUARTER, Plant, every_quarter
from warehouse.energy.job import close
from warehouse.migrate import Flavour, migrate, status
from warehouse.postgres import connect


@pytest.mark.slow
def test_roll_ups_are_written(timescale_database: str) -> None:
    with connect(timescale_database, application="test") as connection:
        migrate(connection)
        assert status(connection).flavour is Flavour.TIMESCALE
        plant = Plant(connection)
        meter, series = plant.metered("a")
        plant.read(series, every_quarter(range(100)))
        close(connection, MARCH + 99 * QUARTER)
        assert len(plant.energies(meter)) == 99
