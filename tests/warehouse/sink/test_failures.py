"""The database goes away at every moment; nothing is stored twice and nothing is missed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from edge_agent.contract.errors import Misconfigured, Retryable
from stream.store import StaleOffset
from stream.topics import Record
from tests.services.plugin import MakePostgres
from tests.warehouse.sink.feed import PARTITIONS, SOURCE, T0, Log, birth, eventually, sink, telemetry, write
from warehouse.migrate import migrate
from warehouse.postgres import Connection, connect
from warehouse.sink.store import PostgresStore


def count(connection: Connection) -> int:
    row = connection.execute("select count(*) from ingest.reading_gauge").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("table", ["sink_offset", "reading_gauge", "ledger", "batch", "batch_source"])
def test_a_session_that_is_killed_within_the_transaction(warehouse: str, connection: Connection, table: str) -> None:
    """A lock stops the write at a table in the middle of its transaction; there its session is killed."""
    log, of = Log(), birth()
    with sink(warehouse) as store, connect(warehouse, application="blocker") as blocker, ThreadPoolExecutor() as pool:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)]})))
        record = log.message(telemetry(of, 2, {"p": [(T0 + 1, 2)]}))
        with blocker.transaction():
            blocker.execute(f"lock table ingest.{table} in share row exclusive mode".encode())
            writing = pool.submit(write, store, record)
            eventually(lambda: kill_waiting(connection) == 1)
            with pytest.raises(Retryable):
                writing.result(timeout=10)
        assert count(connection) == 1
        write(store, record)
        assert count(connection) == 2
        assert connection.execute("select settled::text from ingest.ledger").fetchall() == [("{[1,3)}",)]


def kill_waiting(connection: Connection) -> int:
    return len(
        connection.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
               where application_name like 'g60 sink%' and datname = current_database() and wait_event_type = 'Lock'"""
        ).fetchall()
    )


def test_an_answer_to_the_commit_that_is_lost(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as store:
        write(store, log.birth(of))
        record = log.message(telemetry(of, 1, {"p": [(T0, 1)]}))
        transact = PostgresStore._transact

        def committed_but_unheard(*arguments: object, **named: object) -> object:
            transact(*arguments, **named)  # type: ignore[arg-type]  # handed through
            raise Retryable("the connection broke after the commit")

        monkeypatch.setattr(PostgresStore, "_transact", committed_but_unheard)
        with pytest.raises(Retryable):
            write(store, record)
        monkeypatch.undo()
        # The same call comes again and finds that somebody wrote: itself.
        with pytest.raises(StaleOffset):
            write(store, record)
        assert store.assigned([record.place], SOURCE) == {record.place: 1}
    assert count(connection) == 1


def test_a_server_that_is_restarted_between_writes(own_postgres: MakePostgres) -> None:
    server = own_postgres()
    with connect(server.dsn, application="test") as connection:
        migrate(connection)
    log, of = Log(), birth()
    with sink(server.dsn) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)]})))
        sessions = sessions_of(server.dsn)
        assert sessions
        server.kill()
        # Sessions outlive their server until they notice, and may well answer once more.
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in sessions), 60)
        record = log.message(telemetry(of, 2, {"p": [(T0 + 1, 2)]}))
        for _ in range(2):
            with pytest.raises(Retryable):
                write(store, record)
        with pytest.raises(Retryable):
            store.idle()
        server.start()
        write(store, record)
        with connect(server.dsn, application="test") as connection:
            assert count(connection) == 2


def sessions_of(dsn: str) -> list[int]:
    with connect(dsn, application="test") as connection:
        query = "select pid from pg_stat_activity where application_name like 'g60 sink%'"
        return [int(pid) for (pid,) in connection.execute(query).fetchall()]


def test_a_database_that_was_not_migrated_is_told(database: str) -> None:
    with sink(database, assign=False) as store, pytest.raises(Misconfigured, match="g60 warehouse migrate"):
        store.assigned(PARTITIONS, SOURCE)


def test_a_month_that_was_taken_away_comes_back(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)]})))
        connection.execute("drop table ingest.reading_gauge_2026_09")
        record = log.message(telemetry(of, 2, {"p": [(T0 + 1, 2)]}))
        with pytest.raises(Retryable):
            write(store, record)
        write(store, record)
    assert count(connection) == 1


def test_two_sinks_that_make_the_same_month_take_turns(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as one, sink(warehouse, assign=False) as two, ThreadPoolExecutor() as pool:
        write(one, log.birth(of))
        two.assigned(PARTITIONS, SOURCE)
        messages = [
            log.add("g60.telemetry.v1", "gw", telemetry(of, 1 + number, {"p": [(T0 + number, 1)]}), partition=number)
            for number in range(2)
        ]
        for done in [pool.submit(write_at_last, *pair) for pair in zip((one, two), messages, strict=True)]:
            done.result(timeout=20)
    assert count(connection) == 2


def write_at_last(store: PostgresStore, record: Record) -> None:
    """As the consumer loop does: what is retryable is repeated."""
    for _ in range(5):
        with suppress(Retryable):
            return write(store, record)
    raise AssertionError("refused five times")
