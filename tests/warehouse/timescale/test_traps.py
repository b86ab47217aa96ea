"""What TimescaleDB does that one would not expect, shown on it, and that nothing of ours depends on it.

docs/databases.md lists every trap with the tests that show it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.warehouse.flavours import Warehouse
from warehouse.migrate import Flavour, migrate
from warehouse.postgres import Connection, connect

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "databases.md"


@pytest.fixture
def timescale_warehouse(timescale_database: str) -> Iterator[Connection]:
    """An empty warehouse on TimescaleDB."""
    with connect(timescale_database, application="test") as connection:
        migrate(connection, Flavour.TIMESCALE)
        yield connection


@pytest.fixture
def scratch(timescale_database: str) -> Iterator[Connection]:
    """A schema with one hypertable of ten days, a row every hour."""
    with connect(timescale_database, application="test") as connection:
        connection.execute("create extension if not exists timescaledb")
        connection.execute("create schema scratch")
        connection.execute(
            "create table scratch.r (s int4 not null, t timestamptz not null, v float8, primary key (s, t))"
        )
        connection.execute("select create_hypertable('scratch.r', 't', chunk_time_interval => interval '1 day')")
        connection.execute(
            """insert into scratch.r select 1, t, 1
               from generate_series('2026-03-01 00:00Z'::timestamptz, '2026-03-10 23:00Z', interval '1 hour') as t"""
        )
        yield connection


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def compressed(connection: Connection) -> None:
    connection.execute("alter table scratch.r set (timescaledb.compress, timescaledb.compress_segmentby = 's')")
    connection.execute("select compress_chunk(c) from show_chunks('scratch.r') as c")


def test_row_level_security_is_refused_where_chunks_are_compressed(timescale_warehouse: Connection) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        timescale_warehouse.execute("alter table ingest.reading_gauge enable row level security")


def test_row_level_security_does_not_reach_chunks(scratch: Connection) -> None:
    scratch.execute("alter table scratch.r enable row level security")
    assert rows(scratch, "select relrowsecurity from pg_class where oid = 'scratch.r'::regclass") == [(True,)]
    chunks = "select relrowsecurity from pg_class where oid in (select c from show_chunks('scratch.r') as c)"
    assert set(rows(scratch, chunks)) == {(False,)}


def test_conflicts_from_a_temporary_table_leave_out_the_conflicting_rows_only(scratch: Connection) -> None:
    """timescaledb#7672: 2.17.2 stopped at the first conflict."""
    for compress in (False, True):
        if compress:
            compressed(scratch)
        minute = 2 if compress else 1
        with scratch.transaction():
            scratch.execute("create temporary table staged (like scratch.r) on commit drop")
            scratch.execute(
                """insert into staged
                   select 1, '2026-03-02 00:00Z'::timestamptz + make_interval(hours => n, mins => m), 2
                   from (select n, sign(mod(n, 3))::int * %s as m from generate_series(0, 29) as n) as x""",
                [minute],
            )
            scratch.execute("insert into scratch.r select * from staged on conflict do nothing")
        found = scratch.execute("select count(*) from scratch.r where v = 2 and extract(minute from t) = %s", [minute])
        assert found.fetchone() == (20,)


AGGREGATE = """
create materialized view scratch.by_day with (timescaledb.continuous) as
select s, time_bucket('1 day', t) as day, count(*) as n from scratch.r group by 1, 2 with no data
"""


def refreshed(connection: Connection, view: str = "scratch.by_day") -> None:
    connection.execute(f"call refresh_continuous_aggregate('{view}', null, null)".encode())


def test_a_continuous_aggregate_lacks_late_rows_and_loses_its_history(scratch: Connection) -> None:
    scratch.execute(AGGREGATE.encode())
    assert rows(scratch, "select * from scratch.by_day") == []
    refreshed(scratch)
    assert rows(scratch, "select count(*), sum(n) from scratch.by_day") == [(10, 240)]
    scratch.execute("insert into scratch.r values (1, '2026-03-02 00:30+00', 1), (1, '2026-03-20 00:00+00', 1)")
    assert rows(scratch, "select sum(n) from scratch.by_day") == [(240,)]
    refreshed(scratch)
    assert rows(scratch, "select sum(n) from scratch.by_day") == [(242,)]
    scratch.execute("select drop_chunks('scratch.r', older_than => '2026-03-05 00:00+00'::timestamptz)")
    assert rows(scratch, "select sum(n) from scratch.by_day") == [(242,)]
    refreshed(scratch)
    assert rows(scratch, "select min(day)::date::text, sum(n) from scratch.by_day") == [("2026-03-05", 145)]


def test_a_continuous_aggregate_knows_no_window_functions(scratch: Connection) -> None:
    with pytest.raises(psycopg.DatabaseError, match="window"):
        scratch.execute(
            """create materialized view scratch.growth with (timescaledb.continuous) as
               select s, time_bucket('1 day', t) as day, max(v) - lag(max(v)) over (order by s) as d
               from scratch.r group by 1, 2"""
        )


def test_nothing_of_ours_is_a_continuous_aggregate_or_a_policy(timescale_warehouse: Connection) -> None:
    """So late rows, time zones of buckets (timescaledb#10296) and dropped chunks cannot make a figure stale."""
    assert rows(timescale_warehouse, "select view_name from timescaledb_information.continuous_aggregates") == []
    assert (
        rows(timescale_warehouse, "select job_id from timescaledb_information.jobs where hypertable_name is not null")
        == []
    )


def test_direct_compression_needs_a_table_without_the_unique_index(scratch: Connection) -> None:
    scratch.execute("create table scratch.bare (s int4 not null, t timestamptz not null, v float8)")
    scratch.execute("select create_hypertable('scratch.bare', 't', create_default_indexes => false)")
    for table in ("r", "bare"):
        scratch.execute(
            f"alter table scratch.{table} set (timescaledb.compress, timescaledb.compress_segmentby = 's')".encode()
        )
    with scratch.transaction():
        scratch.execute("set local timescaledb.enable_direct_compress_copy = on")
        for table in ("r", "bare"):
            with scratch.cursor() as cursor, cursor.copy(f"copy scratch.{table} from stdin".encode()) as copy:
                for number in range(2_000):
                    copy.write_row((2, f"2026-04-01 00:{number // 60:02}:{number % 60:02}+00", 1.0))
    state = """select hypertable_name, bool_or(is_compressed) from timescaledb_information.chunks
               where hypertable_schema = 'scratch' group by 1 order by 1"""
    assert rows(scratch, state) == [("bare", True), ("r", False)]


def test_chunks_fit_what_they_hold_and_are_compressed_by_series(timescale_warehouse: Connection) -> None:
    intervals = """select hypertable_name, extract(day from time_interval)::int from timescaledb_information.dimensions
                   where hypertable_schema in ('ingest', 'energy') order by 1"""
    assert rows(timescale_warehouse, intervals) == [
        ("hour", 28),
        ("quarter", 28),
        ("reading_gauge", 1),
        ("reading_register", 7),
        ("reading_state", 7),
    ]
    settings = """select hypertable_name, attname, segmentby_column_index, orderby_column_index, orderby_asc
                  from timescaledb_information.compression_settings where hypertable_schema = 'ingest' order by 1, 2"""
    assert rows(timescale_warehouse, settings) == [
        found
        for table in ("reading_gauge", "reading_register", "reading_state")
        for found in ((table, "series_id", 1, None, None), (table, "t", None, 1, False))
    ]


def test_a_reading_is_five_columns_on_both_and_nothing_else(warehouse_of: Warehouse) -> None:
    """Each further column costs on every row: a time of arrival 3.5 bytes, and the message tells it anyhow."""
    columns = "select attname::text from pg_attribute where attrelid = 'ingest.reading_gauge'::regclass and attnum > 0"
    assert [name for (name,) in warehouse_of.rows(columns)] == ["series_id", "t", "v", "q", "message"]


def test_the_schema_needs_two_extensions_at_most(warehouse_of: Warehouse) -> None:
    found = {name for (name,) in warehouse_of.rows("select extname from pg_extension")} - {"plpgsql"}
    assert found <= {"btree_gist", "timescaledb"}


def test_the_build_keeps_nothing_on_disk() -> None:
    program = (ROOT / "tests/services/timescale/server.mjs").read_text("utf-8")
    assert re.findall(r"dataDir: '([^']*)'", program) == ["memory://"]


def test_a_job_that_is_called_does_its_work(scratch: Connection) -> None:
    """Whatever the scheduler's status says: what is called by hand is done."""
    scratch.execute("alter table scratch.r set (timescaledb.compress, timescaledb.compress_segmentby = 's')")
    ((job,),) = rows(scratch, "select add_compression_policy('scratch.r', interval '1 day')")
    scratch.execute("call run_job(%s)", [job])
    ((left,),) = rows(scratch, "select count(*) from timescaledb_information.chunks where not is_compressed")
    assert left == 0


def test_the_status_of_a_scheduled_job_is_not_believed(native_timescale: str) -> None:
    """Our record of compression is our own; a native server has no job of ours to be judged by its status."""
    with connect(native_timescale, application="test") as connection:
        migrate(connection, Flavour.TIMESCALE)
        ours = """select s.job_id from timescaledb_information.job_stats as s
                  join timescaledb_information.jobs as j using (job_id) where j.hypertable_schema is not null"""
        assert rows(connection, ours) == []


def test_cancelling_ends_a_statement(native_timescale: str) -> None:
    """The build in WebAssembly ignores it, so that only a native server shows that the jobs end in time."""
    with connect(native_timescale, application="test") as connection:
        connection.execute("set statement_timeout = '1ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("select count(*) from generate_series(1, 100000000)")


NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


def test_every_trap_names_tests_that_there_are() -> None:
    page = PAGE.read_text("utf-8")
    table = page[page.index("## Traps") :].split("\n## ")[0]
    listed = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| trap")]
    assert len(listed) >= 20
    assert [line for line in listed if not NAMED.search(line)] == []
    missing = [
        f"{file}::{name}"
        for file, name in NAMED.findall(page)
        if not (ROOT / file).is_file() or f"def {name}(" not in (ROOT / file).read_text("utf-8")
    ]
    assert missing == []
