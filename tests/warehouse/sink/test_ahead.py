"""What is gathered before a write begins is stored as it is, and only if nothing else is found then."""

from __future__ import annotations

import pytest

from stream.topics import Record
from tests.warehouse.sink.feed import EPOCH, T0, Log, birth, offsets_after, sink, telemetry, write
from warehouse.postgres import Connection
from warehouse.sink import transaction
from warehouse.sink.store import PostgresStore, Prepared


def write_prepared(store: PostgresStore, prepared: Prepared) -> None:
    store.write(prepared, offsets_after(prepared.records))


def gauges(connection: Connection) -> list[tuple[int, float]]:
    return connection.execute("select ingest.seq_of(message), v from ingest.reading_gauge order by t").fetchall()


def test_a_known_gateway_is_gathered_once_and_ahead(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)]})))
        prepared = store.prepare(
            [log.message(telemetry(of, 2, {"p": [(T0 + 1, 2)], "e": [(T0, 3)], "unknown": [(T0, 1)]}))]
        )
        assert prepared.ahead is not None
        monkeypatch.delattr(transaction, "gather")
        write_prepared(store, prepared)
    assert gauges(connection) == [(1, 1.0), (2, 2.0)]
    assert connection.execute("select v from ingest.reading_register").fetchall() == [(3,)]
    assert connection.execute("select name from ingest.reading_rejected").fetchall() == [("unknown",)]


def test_what_memory_does_not_know_is_gathered_in_the_write(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    other = birth(agent="2")
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)]})))
        of_another_epoch = log.message(telemetry(of, 1, {"p": [(T0 + 1, 2)]}, epoch=EPOCH + 4096))
        with_another_birth = log.message(telemetry(other, 2, {"p": [(T0 + 2, 3)]}))
        first, second = store.prepare([of_another_epoch]), store.prepare([with_another_birth, log.birth(other)])
        assert first.ahead is second.ahead is None
        write_prepared(store, first)
        write_prepared(store, second)
    assert gauges(connection) == [(1, 1.0), (1, 2.0), (2, 3.0)]


def test_a_message_that_comes_twice_is_stored_once(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)]})))
        prepared = store.prepare([log.message(telemetry(of, 2, {"p": [(T0 + 1, 2)]})) for _ in range(2)])
        assert prepared.ahead is not None
        write_prepared(store, prepared)
    assert gauges(connection) == [(1, 1.0), (2, 2.0)]
    assert connection.execute("select * from ingest.reading_replaced").fetchall() == []


def test_parked_messages_that_are_stored_with_it_are_gathered_with_it(warehouse: str, connection: Connection) -> None:
    log, of, later = Log(), birth(), birth(agent="2")
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)]})))
        write(store, log.message(telemetry(later, 2, {"p": [(T0 + 1, 2)]})))
        prepared = store.prepare([log.message(telemetry(of, 3, {"p": [(T0 + 2, 3)]})), log.birth(later)])
        assert prepared.ahead is not None
        write_prepared(store, prepared)
    assert gauges(connection) == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_a_number_that_is_no_longer_the_ledgers_is_not_believed(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)]})))
        record: Record = log.message(telemetry(of, 2, {"p": [(T0 + 1, 2)]}))
        prepared = store.prepare([record])
        # As after another database was put in its place.
        connection.execute("truncate ingest.ledger, ingest.commit_run cascade")
        write_prepared(store, prepared)
    found = connection.execute(
        "select count(*) from ingest.reading_gauge r join ingest.ledger l on l.ledger_id = ingest.ledger_of(r.message)"
    ).fetchall()
    assert found == [(1,)]
