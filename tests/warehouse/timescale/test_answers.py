"""One story told to both flavours, with chunks compressed on the way on the one that can: every table ends the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.sql import SQL, Identifier

from tests.warehouse.energy.plant import MARCH, QUARTER, Plant, every_quarter
from tests.warehouse.sink.feed import GAUGE, T0, Log, birth, sink, telemetry, write
from warehouse.describe import markdown, read_schemas
from warehouse.energy.job import close
from warehouse.ledger.completeness import count
from warehouse.ledger.holes import watch
from warehouse.migrate import Flavour, migrate
from warehouse.postgres import Connection, connect
from warehouse.retention.decide import Word, compress_after, finalise, keep
from warehouse.retention.job import run

HOUR_MS = 3_600_000
NOW = datetime(2026, 9, 30, tzinfo=UTC)
WORD = Word("office", "decree")
TABLES = """
select n.nspname || '.' || c.relname, array_agg(a.attname::text order by a.attnum)
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname in ('ingest', 'energy', 'registry') and c.relkind in ('r', 'p') and not c.relispartition
group by 1 order by 1
"""
UNLIKE = {"ingest.retention_run"}
"""Chunks of a day or a week here, months there."""


def lasting(table: str, column: str) -> bool:
    """Return whether a column says the same the next time: not when something was done, nor a number by chance."""
    done_at = column.endswith("_at") or column == "since" or (column == "at" and table.startswith("ingest."))
    return not done_at and column not in ("digest", "identity")


def plain_value(value: object) -> object:
    """Return times in one zone, however the server calls it, and a row of history without the time of its making."""
    if isinstance(value, dict):
        return {name: part for name, part in value.items() if not name.endswith("_at")}
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def compressed(connection: Connection, flavour: Flavour) -> None:
    """Compress all there is, as the job would long afterwards."""
    done = run(connection, NOW + timedelta(days=400))
    assert done is not None
    assert (done.compressed > 0) == (flavour is Flavour.TIMESCALE)


def story(dsn: str, flavour: Flavour) -> dict[str, list[tuple[Any, ...]]]:
    """Let everything happen that touches readings, and give the rows of every table."""
    log, of = Log(), birth(series={"p": GAUGE, "e": birth().series["e"]})
    hours = [T0 - number * HOUR_MS for number in reversed(range(72))]
    with connect(dsn, application="test") as connection, sink(dsn) as store:
        plant = Plant(connection)
        meter, series = plant.metered("a")
        plant.metered("b")
        plant.read(series, every_quarter(range(0, 600, 2)))
        close(connection, MARCH + 299 * QUARTER)
        write(store, log.birth(of))
        first: dict[str, list[tuple[Any, ...]]] = {
            "p": [(t, 1.5) for t in hours[::2]],
            "e": [(t, place) for place, t in enumerate(hours)],
        }
        write(store, log.message(telemetry(of, 1, first)))
        compressed(connection, flavour)
        # Late, repeated, better, worse, and a hole.
        write(store, log.message(telemetry(of, 2, {"p": [(t, 2.5) for t in hours[1::2]]})))
        write(store, log.message(telemetry(of, 1, first)))
        write(
            store,
            log.message(telemetry(of, 5, {"e": [(hours[0], 8, 30), (hours[-1], 8)], "p": [(hours[3], None, 100)]})),
        )
        while connection.execute("select 1 from ingest.reading_deferred limit 1").fetchone():
            store.idle()
        compressed(connection, flavour)
        # Late registers in what is closed, between their neighbours, and a ratio that was corrected.
        plant.read(series, [(MARCH + 100 * QUARTER + timedelta(minutes=7), 201)])
        connection.execute("update registry.multiplier set ct = 2 where meter_id = %s", [meter])
        close(connection, MARCH + 299 * QUARTER)
        now = datetime.fromtimestamp(T0 / 1000, UTC)
        watch(connection, now)
        count(connection, now + timedelta(days=2))
        close(connection, datetime(2026, 9, 25, tzinfo=UTC))
        finalise(connection, MARCH.date() + timedelta(days=100), WORD)
        for reading in ("reading_gauge", "reading_register"):
            compress_after(connection, reading, 3, WORD)
            keep(connection, reading, 62, WORD)
        done = run(connection, NOW)
        assert done is not None
        found = {}
        for table, columns in connection.execute(TABLES.encode()).fetchall():
            if table in UNLIKE:
                continue
            kept = SQL(", ").join(Identifier(name) for name in columns if lasting(table, name))
            rows = connection.execute(SQL("select {} from {}").format(kept, Identifier(*table.split(".")))).fetchall()
            found[table] = sorted((tuple(map(plain_value, row)) for row in rows), key=repr)
        found["what describe says"] = [(line,) for line in markdown(read_schemas(connection)).splitlines()]
    return found


@pytest.mark.slow
def test_every_table_ends_the_same(warehouse: str, timescale_database: str) -> None:
    with connect(timescale_database, application="test") as connection:
        migrate(connection, Flavour.TIMESCALE)
    plain, timescale = story(warehouse, Flavour.PLAIN), story(timescale_database, Flavour.TIMESCALE)
    assert plain.keys() == timescale.keys()
    told = {
        "ingest.reading_gauge",
        "ingest.reading_replaced",
        "ingest.ledger",
        "ingest.hole",
        "energy.quarter",
        "energy.month",
    }
    assert [table for table in sorted(told) if not plain[table]] == []
    for table, rows in plain.items():
        assert timescale[table] == rows, table
