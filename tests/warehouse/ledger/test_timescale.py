"""Holes and completeness on TimescaleDB: the same answers, also from compressed chunks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.warehouse.ledger.plant import START, Plant, Reading
from tests.warehouse.sink.feed import T0, Log, birth, sink, telemetry, write
from warehouse.energy.job import close
from warehouse.ledger.completeness import Progress, count
from warehouse.ledger.holes import Watched, watch
from warehouse.migrate import Flavour, migrate, status
from warehouse.postgres import connect

HOUR = timedelta(hours=1)
COMPRESS = "select compress_chunk(c, if_not_compressed => true) from show_chunks('ingest.reading_gauge') as c"


@pytest.mark.slow
def test_it_counts_what_it_counts_on_plain_postgresql(timescale_database: str) -> None:
    with connect(timescale_database, application="test") as connection:
        migrate(connection)
        assert status(connection).flavour is Flavour.TIMESCALE
        plant = Plant(connection)
        plant.say(START, {"a": 900_000, "b": 3_600_000})
        for hours in range(-3, 60, 7):
            for name in ("a", "b"):
                t = START + hours * HOUR
                plant.read(Reading(name, t, hours % 2 * 100, 1.0, t + hours * timedelta(minutes=1)))
        plant.reject("a", START + HOUR)
        plant.bind([(START - HOUR, START + 30 * HOUR)])
        now = START + 70 * HOUR
        assert count(connection, now) == Progress(days=4, left=0, readings=18)
        counted = plant.counted()
        assert counted == plant.naive(now)
        connection.execute(COMPRESS.encode())
        connection.execute("update ingest.ledger set touched = null")
        assert count(connection, now) == Progress(days=3, left=0, readings=18)
        assert plant.counted() == counted


@pytest.mark.slow
def test_holes_open_and_close_and_all_jobs_run_on_one_connection(timescale_database: str) -> None:
    with connect(timescale_database, application="test") as connection:
        migrate(connection)
        log, of = Log(), birth()
        with sink(timescale_database) as store:
            write(store, log.birth(of), *(log.message(telemetry(of, seq, {"p": [(T0, 1)]})) for seq in (1, 3)))
            assert watch(connection, START) == Watched(open=1, lost=0, closed=0, closed_messages=0)
            write(store, log.message(telemetry(of, 2, {"p": [(T0 + 1, 1)]})))
        assert watch(connection, START + 30 * HOUR) == Watched(open=0, lost=0, closed=1, closed_messages=1)
        close(connection, START)
        progress = count(connection, START + 30 * HOUR)
        assert progress is not None
        assert (progress.left, progress.readings) == (0, 2)
