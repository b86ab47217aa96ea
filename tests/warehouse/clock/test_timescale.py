"""A repair and its undoing where the chunks are compressed: the same answers as on plain PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.warehouse.clock.test_repair import AT_2000, AT_2016, EVER, RIGHT, UNSET, WORD
from tests.warehouse.sink.feed import Log, birth, sink, telemetry, write
from tests.warehouse.sink.test_timescale import COMPRESS, compressed
from warehouse.clock.aside import Span
from warehouse.clock.repair import repair, undo
from warehouse.migrate import Flavour, migrate
from warehouse.postgres import Connection, connect

HOUR = 3_600_000


@pytest.fixture
def compressing(timescale_database: str) -> Iterator[tuple[str, Connection]]:
    """An empty warehouse on TimescaleDB."""
    with connect(timescale_database, application="test") as connection:
        migrate(connection, Flavour.TIMESCALE)
        yield timescale_database, connection


def standing(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        """select (extract(epoch from t) * 1000)::int8, v::float8, q from ingest.reading_gauge
           union all select (extract(epoch from t) * 1000)::int8, v::float8, q from ingest.reading_register
           order by 1, 2"""
    ).fetchall()


def test_readings_leave_and_enter_compressed_chunks(compressing: tuple[str, Connection]) -> None:
    dsn, connection = compressing
    log, of = Log(), birth()
    shift = RIGHT - AT_2016 - 40 * HOUR
    hours = range(40)
    message = telemetry(
        of,
        1,
        {
            "p": [(AT_2016 + hour * HOUR, hour, UNSET) for hour in hours] + [(AT_2000, 7)],
            "e": [(AT_2016 + hour * HOUR + 1, hour, UNSET if hour % 2 else 0) for hour in hours],
        },
    )
    right = telemetry(of, 2, {"p": [(AT_2016 + hour * HOUR + shift, 100 + hour) for hour in hours if hour % 4 == 0]})
    with sink(dsn) as store:
        write(store, log.birth(of), log.message(message), log.message(right))
        connection.execute(COMPRESS.encode())
        assert compressed(connection) > 1
        before = standing(connection)
        found = repair(connection, Span("gw", *EVER), shift, WORD)
        # The one of 2000 would only come to 2010.
        assert found.impossible == 1
        assert found.moved.total() == 60
        after = standing(connection)
        gauges = [
            (AT_2016 + hour * HOUR + shift, 100 + hour if hour % 4 == 0 else hour, 0 if hour % 4 == 0 else 10)
            for hour in hours
        ]
        assert [row for row in after if row in gauges] == gauges
        assert len(after) == 40 + 40
        connection.execute(COMPRESS.encode())
        write(store, log.message(message))
        assert standing(connection) == after
        assert found.repair_id is not None
        assert undo(connection, found.repair_id) == 60
        assert standing(connection) == before
    assert connection.execute("select * from ingest.exception").fetchall() == []
