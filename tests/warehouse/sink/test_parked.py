"""Telemetry whose birth is not known yet waits, unsettled, and is stored with the birth."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from edge_agent.contract.command import parse_birth_request
from edge_agent.contract.errors import Retryable
from edge_agent.contract.topics import Command
from stream.topics import BIRTHS, TELEMETRY, Partition
from tests.warehouse.sink.feed import SOURCE, T0, Clock, Log, Sent, birth, eventually, sink, telemetry, write
from warehouse.postgres import Connection
from warehouse.sink import births, transaction


def parked(connection: Connection) -> int:
    row = connection.execute("select count(*) from ingest.parked_message").fetchone()
    assert row is not None
    return int(row[0])


def readings(connection: Connection) -> list[tuple[float, int]]:
    return connection.execute(
        "select v, ingest.seq_of(message) from ingest.reading_gauge order by series_id, t"
    ).fetchall()


def test_it_waits_unsettled_and_is_stored_with_its_birth(warehouse: str, connection: Connection) -> None:
    log, of, sent = Log(), birth(), Sent()
    with sink(warehouse, sent) as store:
        write(store, *(log.message(telemetry(of, seq, {"p": [(T0 + seq, seq)]})) for seq in (1, 2)))
        assert (parked(connection), readings(connection)) == (2, [])
        assert connection.execute("select * from ingest.ledger").fetchall() == []
        (asked,) = sent.commands
        assert asked[:2] == ("gw", Command.BIRTH)
        assert parse_birth_request(asked[2]).b == of.digest()
        write(store, log.birth(of), log.message(telemetry(of, 3, {"p": [(T0 + 3, 3)]})))
    assert (parked(connection), readings(connection)) == (0, [(1, 1), (2, 2), (3, 3)])
    assert connection.execute("select settled::text from ingest.ledger").fetchall() == [("{[1,4)}",)]
    assert connection.execute(
        "select count(distinct ingest.batch_of(message)) from ingest.reading_gauge"
    ).fetchall() == [(1,)]
    assert sent.stored()[-1].settles(3)


def test_asking_is_throttled(warehouse: str) -> None:
    log, of, other, sent, clock = Log(), birth(), birth(agent="other"), Sent(), Clock()
    with sink(warehouse, sent, clock, ask_birth_every_s=60) as store:
        for seq in (1, 2):
            write(store, log.message(telemetry(of, seq, {})))
        assert len(sent.commands) == 1
        write(store, log.message(telemetry(other, 3, {})))
        assert len(sent.commands) == 2
        clock.now_s += 60
        write(store, log.message(telemetry(of, 4, {})))
        assert len(sent.commands) == 3


def test_a_repetition_waits_once_and_there_is_a_bound(
    warehouse: str, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    log, of = Log(), birth()
    messages = [telemetry(of, seq, {"p": [(T0 + seq, seq)]}) for seq in range(1, 6)]
    with sink(warehouse, most_parked=3) as store:
        write(store, *(log.message(one) for one in messages[:2]))
        write(store, *(log.message(one) for one in messages[:2]))
        assert parked(connection) == 2
        write(store, *(log.message(one) for one in messages))
        assert "no_room_to_park" in caplog.text
        assert 2 <= parked(connection) <= 3
        # What found no room is not settled, so the agent sends it again.
        write(store, log.birth(of))
        write(store, *(log.message(one) for one in messages))
    assert [seq for _, seq in readings(connection)] == [1, 2, 3, 4, 5]


def test_a_parked_message_that_turns_out_bad_is_refused(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as store:
        write(store, log.message(telemetry(of, 1, {"p": [(T0, 1)]})))
        # As after an upgrade that judges more strictly.
        connection.execute("update ingest.parked_message set value = convert_to('{\"epoch\": 9, \"seq\": 1}', 'utf8')")
        write(store, log.birth(of))
    assert parked(connection) == 0
    assert connection.execute("select reason, epoch, seq from ingest.dead_letter").fetchall() == [("schema", 9, 1)]


def test_a_birth_of_another_gateway_explains_nothing(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth("other")
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)]}), "gw"))
    assert parked(connection) == 1


def test_what_another_sink_parked_is_found_by_the_one_that_has_the_birth(
    warehouse: str, connection: Connection
) -> None:
    """One sink has the telemetry and no birth, the other is about to commit the birth: they take turns."""
    log, of = Log(), birth()
    held, waiting = (Partition(BIRTHS.name, 0), Partition(TELEMETRY.name, 0))
    with (
        sink(warehouse, assign=False) as with_births,
        sink(warehouse, assign=False) as with_telemetry,
        ThreadPoolExecutor() as pool,
    ):
        with_births.assigned([held], SOURCE)
        with_telemetry.assigned([waiting], SOURCE)
        with connection.transaction():
            births.lock(connection, [of.digest()])
            writes = [
                pool.submit(write, with_telemetry, log.message(telemetry(of, 1, {"p": [(T0, 1)]}))),
                pool.submit(write, with_births, log.birth(of)),
            ]
            # Both stand before the lock on the digest, in either order.
            eventually(lambda: waiting_for_advice(connection) == 2)
        for done in writes:
            done.result(timeout=10)
        assert (parked(connection), readings(connection)) == (0, [(1, 1)])


def waiting_for_advice(connection: Connection) -> int:
    row = connection.execute(
        """select count(*) from pg_locks where locktype = 'advisory' and not granted
           and database = (select oid from pg_database where datname = current_database())"""
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_idle_stores_what_was_left(warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    log, of = Log(), birth()
    monkeypatch.setattr(transaction, "UNPARKED_AT_ONCE", 2)
    with sink(warehouse) as store:
        write(store, *(log.message(telemetry(of, seq, {"p": [(T0 + seq, seq)]})) for seq in range(1, 6)))
        write(store, log.birth(of))
        assert parked(connection) == 3
        store.idle()
        assert parked(connection) == 1
        store.idle()
        assert parked(connection) == 0
        batches = connection.execute("select count(*) from ingest.batch").fetchall()
        # Nothing waits any more, so nothing is done and no batch is written.
        store.idle()
        assert connection.execute("select count(*) from ingest.batch").fetchall() == batches
    assert [seq for _, seq in readings(connection)] == [1, 2, 3, 4, 5]


def test_a_failed_write_leaves_nothing_behind_in_memory(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    connection.execute(
        """create function ingest.fail() returns trigger language plpgsql as
           $$ begin raise 'no' using errcode = '40001'; end $$;
           create trigger fail before insert on ingest.reading_gauge for each row execute function ingest.fail()"""
    )
    records = [log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)]}))]
    with sink(warehouse) as store:
        with pytest.raises(Retryable):
            write(store, *records)
        connection.execute("drop trigger fail on ingest.reading_gauge")
        write(store, *records)
    # The series ids that were rolled back must not be used.
    assert connection.execute(
        "select count(*) from ingest.reading_gauge r join ingest.series s on s.series_id = r.series_id"
    ).fetchall() == [(1,)]
