"""Accounts, their roll-ups, holders and checks on TimescaleDB: the same rows as on plain PostgreSQL."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.warehouse.energy.plant import FIRM, MARCH, QUARTER, Plant, every_quarter
from warehouse.energy.check import check_meters
from warehouse.energy.job import close
from warehouse.migrate import Flavour, migrate, status
from warehouse.postgres import Connection, connect

TABLES = {"quarter": "start", "hour": "start", "day": "day", "month": "month"}


def what_happens(conn: Connection) -> list[object]:
    """Readings come, late ones too, over a month's end; meters change hands; every table is looked at each time."""
    plant, start = Plant(conn), MARCH - timedelta(days=2)
    meter, series = plant.metered("a")
    counts: list[int | None] = [10 * place for place in range(4 * 96)]
    counts[90:110] = [None] * 20
    plant.read(series, [row for row in every_quarter(counts, start) if row[1] is not None])
    seen: list[object] = []

    def look() -> None:
        close(conn, start + 380 * QUARTER)
        found = check_meters(conn, [meter], date(2026, 2, 1), date(2026, 4, 1))
        assert (found.differing, found.waiting) == (0, 0)
        for table, key in TABLES.items():
            values = "quality, reason" if table == "quarter" else "measured, estimated, unknown"
            query = (
                f"SELECT {key}::text, uscc, areas, energy, {values} FROM energy.{table}"  # noqa: S608  # our names
                " JOIN energy.holder USING (holder_id) ORDER BY 1, 2, 3"
            )
            seen.append(conn.execute(query.encode()).fetchall())
        seen.append(conn.execute("SELECT day::text FROM energy.day_changed ORDER BY change_id").fetchall())

    look()
    plant.read(series, [(start + 100 * QUARTER, 910)])
    look()
    plant.place(meter, FIRM, since=start + 50 * QUARTER)
    plant.site(FIRM, "park-x", "2026-03-01")
    look()
    conn.execute("UPDATE registry.meter_placement SET valid_to = %s", [start + 200 * QUARTER])
    look()
    conn.execute("DELETE FROM registry.meter_series")
    look()
    return seen


@pytest.mark.slow
def test_the_same_happens(ready: Connection, timescale_database: str) -> None:
    with connect(timescale_database, application="test") as connection:
        migrate(connection)
        assert status(connection).flavour is Flavour.TIMESCALE
        pieces = "SELECT count(*) > 0 FROM timescaledb_information.chunks WHERE hypertable_name = 'hour'"
        there = what_happens(connection)
        assert connection.execute(pieces).fetchone() == (True,)
        assert there == what_happens(ready)
    assert there[-5:-1] == [[], [], [], []]
