"""Every table of a populated database goes out and comes back the same."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.dataset as arrow_dataset
import pyarrow.parquet as parquet
import pytest
from psycopg.sql import SQL, Identifier

from deploy.local.external import ExternalPostgres
from deploy.local.postgres import Postgres
from tests.services.plugin import fresh_database
from tests.warehouse.parquet.filling import fill, loosen, rows
from tests.warehouse.sink.feed import APPENDED, T0, Log, birth, sink, telemetry, write
from warehouse.migrate import Flavour, migrate
from warehouse.parquet.catalogue import find, sequences
from warehouse.parquet.export import Told, Wanted, export
from warehouse.parquet.load import Loaded, load
from warehouse.postgres import Connection, connect

ALL = Wanted(("*",))
HOUR = 3_600_000


def untold(_: Told) -> None:
    pass


def assert_taken(results: list[Loaded]) -> None:
    assert [(one.table, one.refusals) for one in results if one.refusals] == []


@pytest.mark.slow
def test_every_table_comes_back_row_by_row(
    connection: Connection, postgres: Postgres | ExternalPostgres, migrated: str, tmp_path: Path
) -> None:
    loosen(connection)
    fill(connection)
    connection.execute("SELECT setval('ingest.batch_number', 4711)")
    manifest = export(connection, tmp_path, ALL, untold)
    relations = find(connection, ["*"])
    assert set(manifest.tables) == {relation.name for relation in relations}
    with fresh_database(postgres, migrated) as dsn, connect(dsn, application="test") as other:
        loosen(other)
        assert_taken(list(load(other, tmp_path, dry_run=True)))
        assert all(not rows(other, relation) for relation in find(other, ["*"]))
        results = list(load(other, tmp_path))
        assert_taken(results)
        for relation in relations:
            there = rows(other, next(one for one in find(other, [relation.name])))
            assert there == rows(connection, relation), relation.name
        assert sum(result.new for result in results) == sum(rows(connection, one).total() for one in relations)
        # What stands there already does nothing.
        again = list(load(other, tmp_path))
        assert_taken(again)
        assert {(one.new, one.replaced) for one in again} == {(0, 0)}
        there_now = sequences(other)
        assert {name: there_now[name] for name, at in sequences(connection).items() if at is not None} == {
            name: at for name, at in sequences(connection).items() if at is not None
        }
    # A view goes out like a table, and is left alone on the way back.
    export(connection, tmp_path / "views", Wanted(("ingest.ledger_status", "registry.meter")), untold)


@pytest.mark.slow
def test_real_rows_with_all_constraints_come_back_in_their_order(
    ready: Connection, ready_dsn: str, postgres: Postgres | ExternalPostgres, migrated: str, tmp_path: Path
) -> None:
    log, of = Log(), birth()
    with sink(ready_dsn) as store:
        write(store, log.birth(of))
        for seq in range(1, 5):
            readings = [(T0 - HOUR * (600 * seq + place), place) for place in range(-1, 2)]
            write(store, log.message(telemetry(of, seq, {"p": [(APPENDED - 5 * seq, seq)], "e": readings})))
    export(ready, tmp_path, ALL, untold)
    with fresh_database(postgres, migrated) as dsn, connect(dsn, application="test") as other:
        # What a migration puts in, with the time of the day, stands in every new database.
        assert_taken(list(load(other, tmp_path, replace=True)))
        for relation in find(ready, ["*"]):
            (same,) = find(other, [relation.name])
            assert rows(other, same) == rows(ready, relation), relation.name
        silent = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgenabled <> 'O'"
        assert other.execute(silent).fetchall() == ready.execute(silent).fetchall() == []
        number = other.execute("SELECT nextval('ingest.series_series_id_seq') > max(series_id) FROM ingest.series")
        assert number.fetchone() == (True,)


@pytest.mark.slow
def test_timescaledb_goes_out_and_comes_back_as_plain_tables(
    timescale_database: str, warehouse: str, connection: Connection, tmp_path: Path
) -> None:
    log, of = Log(), birth()
    with connect(timescale_database, application="test") as there:
        migrate(there, Flavour.TIMESCALE)
        with sink(timescale_database) as store:
            write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0 - n * HOUR, n) for n in range(50)]})))
        export(there, tmp_path, Wanted(("ingest.reading_*",)), untold)
        stood = rows(there, *find(there, ["ingest.reading_gauge"]))
        assert stood.total() == 50
        there.execute("TRUNCATE ingest.reading_gauge")
        assert_taken(list(load(there, tmp_path)))
        assert rows(there, *find(there, ["ingest.reading_gauge"])) == stood
    assert_taken(list(load(connection, tmp_path)))
    assert rows(connection, *find(connection, ["ingest.reading_gauge"])) == stood


def test_a_dataset_reads_months_and_types(connection: Connection, tmp_path: Path) -> None:
    loosen(connection)
    fill(connection)
    export(connection, tmp_path, Wanted(("ingest.reading_gauge", "energy.quarter")), untold)
    found = arrow_dataset.dataset(tmp_path / "ingest.reading_gauge", partitioning="hive")
    months = sorted(set(found.to_table(columns=["of_month"])["of_month"].to_pylist()))
    assert months[:2] == ["2025-02", "2025-03"]
    schema = parquet.read_schema(tmp_path / "energy.quarter" / "of_month=2025-03" / "data.parquet")
    assert str(schema.field("start").type) == "timestamp[us, tz=UTC]"
    assert str(schema.field("energy").type) == "decimal128(38, 11)"
    assert schema.field("energy").metadata[b"postgres_type"] == b"numeric"
    manifest = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    assert manifest["migrations"][-1]["number"] >= 87
    query = SQL("SELECT sum(energy) FROM energy.quarter WHERE {} >= '2025-02-28 16:00Z'").format(Identifier("start"))
    row = connection.execute(query).fetchone()
    table = arrow_dataset.dataset(tmp_path / "energy.quarter", partitioning="hive").to_table(
        filter=arrow_dataset.field("of_month") >= "2025-03"
    )
    assert row is not None
    assert sum(value for value in table["energy"].to_pylist() if value is not None) == row[0]
