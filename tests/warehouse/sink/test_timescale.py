"""The sink on TimescaleDB: the same answers as on plain PostgreSQL, also where chunks are compressed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.warehouse.sink.feed import GAUGE, T0, Log, birth, sink, telemetry, write
from warehouse.migrate import Flavour, migrate
from warehouse.postgres import Connection, connect
from warehouse.sink.store import PostgresStore

HOUR_MS = 3_600_000
COMPRESS = """
select compress_chunk(c, if_not_compressed => true)
from unnest(array['ingest.reading_gauge', 'ingest.reading_register', 'ingest.reading_state']::regclass[]) as t,
     show_chunks(t) as c
"""


@pytest.fixture
def compressing(timescale_database: str) -> Iterator[Connection]:
    """A connection to an empty warehouse on TimescaleDB."""
    with connect(timescale_database, application="test") as connection:
        assert migrate(connection)
        yield connection


@pytest.fixture(params=[Flavour.PLAIN, Flavour.TIMESCALE])
def either(request: pytest.FixtureRequest) -> Iterator[tuple[str, Flavour]]:
    """The DSN of an empty warehouse of each flavour."""
    if request.param is Flavour.PLAIN:
        yield request.getfixturevalue("warehouse"), Flavour.PLAIN
    else:
        dsn: str = request.getfixturevalue("timescale_database")
        with connect(dsn, application="test") as connection:
            migrate(connection)
        yield dsn, Flavour.TIMESCALE


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def compressed(connection: Connection) -> int:
    (found,) = rows(connection, "select count(*) from timescaledb_information.chunks where is_compressed")
    return int(found[0])


def test_the_flavour_is_found(either: tuple[str, Flavour]) -> None:
    dsn, flavour = either
    with connect(dsn, application="test") as connection:
        assert rows(connection, "select distinct flavour from warehouse.migration") == [(flavour.value,)]


def test_late_repeated_and_better_values_in_a_compressed_chunk(either: tuple[str, Flavour]) -> None:
    """What is stored is the same whether its chunk was compressed between two writes or not."""
    dsn, flavour = either
    log, of = Log(), birth()
    hours = [T0 - number * HOUR_MS for number in reversed(range(48))]
    with connect(dsn, application="test") as connection, sink(dsn) as store:
        write(
            store,
            log.birth(of),
            log.message(telemetry(of, 1, {"p": [(t, 1.5) for t in hours[::2]], "e": [(t, 7) for t in hours]})),
        )
        if flavour is Flavour.TIMESCALE:
            rows(connection, COMPRESS)
            assert compressed(connection) > 1
        # New rows between old ones, the same message again, and values that lose and win against stored ones.
        late = telemetry(of, 2, {"p": [(t, 2.5) for t in hours[1::2]]})
        again = telemetry(of, 1, {"p": [(t, 1.5) for t in hours[::2]], "e": [(t, 7) for t in hours]})
        worse = telemetry(of, 3, {"e": [(hours[0], 8, 30), (hours[-1], 8)]})
        write(store, log.message(late), log.message(again))
        write(store, log.message(worse))
        while rows(connection, "select 1 from ingest.reading_deferred limit 1"):
            store.idle()
        gauges = rows(connection, "select t, v from ingest.reading_gauge order by t")
        assert [v for _, v in gauges] == [1.5, 2.5] * 24
        registers = rows(connection, "select v, q from ingest.reading_register order by t")
        assert registers == [(7, 0)] * 47 + [(8, 0)]
        replaced = rows(connection, "select v_int, q from ingest.reading_replaced order by v_int")
        assert replaced == [(7, 0), (8, 30)]
        assert rows(connection, "select count(*) from ingest.exception") == [(0,)]


def many(connection: Connection, store: PostgresStore, log: Log, series: int, values: Sequence[float]) -> None:
    """Write one value at one time into each of ``series`` series, compress, and write another."""
    of = birth(series={f"s{number}": GAUGE.model_copy(update={"device": f"d{number}"}) for number in range(series)})
    write(store, log.birth(of))
    for seq, value in enumerate(values, start=1):
        write(store, log.message(telemetry(of, seq, {name: [(T0, value)] for name in of.series})))
        rows(connection, COMPRESS)


def test_a_correction_of_one_value_in_each_of_many_compressed_series(
    compressing: Connection, timescale_database: str
) -> None:
    """More compressed rows than one transaction may unpack (SQLSTATE 53400): settled later, in bounded pieces."""
    log = Log()
    with sink(timescale_database) as store:
        # The one backend shares its settings.
        compressing.execute("set timescaledb.max_tuples_decompressed_per_dml_transaction = 50")
        many(compressing, store, log, 120, [1.0, 2.0])
        assert rows(compressing, "select count(*) from ingest.reading_deferred") == [(120,)]
        while rows(compressing, "select 1 from ingest.reading_deferred limit 1"):
            store.idle()
        compressing.execute("reset timescaledb.max_tuples_decompressed_per_dml_transaction")
    assert rows(compressing, "select v, count(*) from ingest.reading_gauge group by v") == [(2.0, 120)]
    assert rows(compressing, "select v_float, count(*) from ingest.reading_replaced group by 1") == [(1.0, 120)]
