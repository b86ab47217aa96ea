"""A warehouse that had accounts before it had tariff periods."""

from __future__ import annotations

from warehouse.migrate import Flavour, files
from warehouse.postgres import connect

OURS = 68


def test_what_was_accounted_for_before_is_due(database: str) -> None:
    with connect(database, application="test") as conn:
        for migration in files(Flavour.PLAIN):
            if migration.number == OURS:
                conn.execute(
                    "INSERT INTO registry.meter (serial, carrier, unit) VALUES ('a', 'electricity', 'kWh');"
                    "INSERT INTO energy.day (meter_id, feed_in, day, measured, estimated, unknown)"
                    " VALUES (1, false, '2025-07-01', 0, 0, 96)"
                )
            if migration.number <= OURS:
                conn.execute(migration.text.encode())
        due = conn.execute("SELECT meter_id, feed_in, day::text FROM energy.supply_due").fetchall()
        assert due == [(1, False, "2025-07-01")]
        assert conn.execute("SELECT through FROM energy.consumer WHERE consumer = 'supply'").fetchall() == [(0,)]
