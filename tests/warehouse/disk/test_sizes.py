"""The measured bytes a row are those of a sample that is written as the services write."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from edge_agent.contract.telemetry import Batch, Points
from tests.warehouse.sink.feed import birth
from warehouse.cli import cli
from warehouse.disk.measured import TABLES, measured, of_database
from warehouse.migrate import Flavour
from warehouse.postgres import Connection

STEPS = 200
"""Sizes are pages, counted once: the same every time. Small samples end in pages that are not full."""
TOLERANCE = 0.2
"""How full the pages of an index are depends on how many there are; the figures are of larger samples."""
_WRITES = {
    "gauge": """INSERT INTO ingest.reading_gauge
                SELECT s, timestamptz '2026-09-01Z' + (%(n)s * 6 + k) * interval '10 s', s + k / 3.0, 0, %(n)s
                FROM generate_series(1, 50) s, generate_series(0, 5) k""",
    "register": """INSERT INTO ingest.reading_register
                   SELECT s, timestamptz '2026-09-01Z' + %(n)s * interval '15 min', s * 1000 + %(n)s, 0, %(n)s
                   FROM generate_series(1, 300) s""",
    "quarter": """INSERT INTO energy.quarter (meter_id, feed_in, start, energy, quality)
                  SELECT m, false, timestamptz '2026-09-01Z' + %(n)s * interval '15 min',
                         round((m * 7 + %(n)s) / 100.0, 2), 'measured' FROM generate_series(1, 300) m""",
    "hour": """INSERT INTO energy.hour (meter_id, feed_in, start, energy, measured, estimated, unknown)
               SELECT m, false, timestamptz '2026-09-01Z' + %(n)s * interval '1 hour',
                      round((m * 7 + %(n)s) / 100.0, 2), 4, 0, 0 FROM generate_series(1, 300) m""",
    "day": """INSERT INTO energy.day (meter_id, feed_in, day, energy, measured, estimated, unknown)
              SELECT m, false, date '2025-01-01' + %(n)s, round((m * 7 + %(n)s) / 100.0, 2), 96, 0, 0
              FROM generate_series(1, 300) m""",
    "month": """INSERT INTO energy.month (meter_id, feed_in, month, energy, measured, estimated, unknown)
                SELECT m, false, date '2000-01-01' + %(n)s * interval '1 month',
                       round((m * 7 + %(n)s) / 100.0, 2), 2976, 0, 0 FROM generate_series(1, 300) m""",
    "completeness": """INSERT INTO ingest.completeness
                       SELECT s, date '2025-01-01' + %(n)s, 8640, 8640, 0, 0, 0, 0, 0, now()
                       FROM generate_series(1, 300) s""",
}


@pytest.fixture
def sampled(connection: Connection) -> Connection:
    connection.execute("SELECT ingest.ensure_month('2026-09-01')")
    connection.execute(
        "INSERT INTO registry.meter (serial, carrier, unit) "
        "SELECT 'm' || n, 'electricity', 'kWh' FROM generate_series(1, 300) n"
    )
    with connection.transaction():
        for write in _WRITES.values():
            for step in range(STEPS):
                connection.execute(write.encode(), {"n": step})
    connection.execute("ANALYZE")
    return connection


@pytest.mark.slow
def test_a_sample_takes_what_the_table_says(sampled: Connection, warehouse: str) -> None:
    wanted, found = measured(Flavour.PLAIN), of_database(sampled, Flavour.PLAIN)
    assert found.own == frozenset(TABLES)
    for kind in TABLES:
        assert found.kept[kind] == pytest.approx(wanted.kept[kind], rel=TOLERANCE), kind
    words = ["disk", "--gateways", "10", "--series", "20", "--registers", "2", "--database", warehouse]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    assert "bytes a row of this database" in result.output
    assert "timescale" not in result.output
    wrong = CliRunner().invoke(cli, [*words, "--flavour", "timescale"])
    assert wrong.exit_code != 0
    assert "the database is plain" in wrong.output


def test_a_database_with_few_rows_has_no_figures_of_its_own(connection: Connection) -> None:
    assert of_database(connection, Flavour.PLAIN) == measured(Flavour.PLAIN)


def test_a_reading_in_a_message_takes_what_the_table_says() -> None:
    names = [f"line{number}.active_power" for number in range(20)]
    points = {name: Points(t=(1_790_000_000_000 + n,), v=(round(123.4 + n / 10, 1),)) for n, name in enumerate(names)}
    message = Batch(b=birth().digest(), epoch=1_795_000_000_000_512, seq=123_456, sent=1_790_000_000_000, series=points)
    assert len(message.encode()) / len(points) == pytest.approx(measured(Flavour.PLAIN).kept["kafka"], rel=0.15)
