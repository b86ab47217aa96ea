"""Readings with a wrong time get the right one: once, with their past kept, and back again."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from click.testing import CliRunner

from edge_agent.contract.errors import Misconfigured
from stream.topics import Record
from tests.warehouse.sink.feed import APPENDED, EPOCH, GAUGE, T0, Log, birth, sink, telemetry, write
from warehouse.cli import cli
from warehouse.clock import repair as repairing
from warehouse.clock.aside import Origin, Span, heaps
from warehouse.clock.repair import Word, repair, undo
from warehouse.postgres import Connection, connect

OF = birth()
RIGHT = min(T0, time.time_ns() // 1_000_000_000 * 1_000 - 2 * 86_400_000)
"""A time that is possible: a reading cannot be from after its arrival, and that is now."""
AT_2000 = 946_684_800_000
AT_2016 = 1_451_606_400_000
DAY = 86_400_000
WORD = Word("NTP was away")
EVER = (0, (1 << 53) - 1)
UNSET = 20


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def gauges(connection: Connection) -> list[tuple[int, float | None, int, int]]:
    """Time, value, quality and message number of every gauge reading that stands."""
    return connection.execute(
        """select (extract(epoch from t) * 1000)::int8, v, q, ingest.seq_of(message)
           from ingest.reading_gauge order by series_id, t"""
    ).fetchall()


def waiting(connection: Connection, gateway: str = "gw") -> dict[Origin, int]:
    found: dict[Origin, int] = {}
    for heap in heaps(connection, gateway, *EVER):
        found[heap.origin] = found.get(heap.origin, 0) + heap.readings
    return found


def test_readings_of_a_clock_at_2000_are_put_right_and_back(warehouse: str, connection: Connection) -> None:
    log, shift = Log(), RIGHT - AT_2000
    messages = [telemetry(OF, seq, {"p": [(AT_2000 + seq, seq)], "e": [(AT_2000 + seq, seq)]}) for seq in (1, 2)]
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, messages))
    assert waiting(connection) == {Origin.REJECTED: 4}
    span = Span("gw", AT_2000 + 1, AT_2000 + 2)
    assert dict(repair(connection, span, shift, WORD, dry_run=True).moved) == {Origin.REJECTED: 2}
    assert (gauges(connection), waiting(connection)) == ([], {Origin.REJECTED: 4})
    found = repair(connection, Span("gw", *EVER), shift, WORD)
    assert (dict(found.moved), found.impossible) == ({Origin.REJECTED: 4}, 0)
    right = [(RIGHT + 1, 1, 10, 1), (RIGHT + 2, 2, 10, 2)]
    assert gauges(connection) == right
    assert rows(connection, "select v, q from ingest.reading_register order by t") == [(1, 10), (2, 10)]
    assert rows(connection, "select settled_by, count(*) from ingest.reading_rejected group by 1") == [("repair", 4)]
    # The gateway sends them again, and the repair is made again: nothing happens.
    with sink(warehouse) as store:
        write(store, *map(log.message, messages))
    assert repair(connection, Span("gw", *EVER), shift, WORD).repair_id is None
    assert (gauges(connection), waiting(connection)) == (right, {})
    assert rows(connection, "select * from ingest.exception") == []
    assert rows(connection, "select by = session_user, reason, shift_ms from ingest.clock_repair") == [
        (True, "NTP was away", shift)
    ]
    assert found.repair_id is not None
    assert undo(connection, found.repair_id) == 4
    assert (gauges(connection), waiting(connection)) == ([], {Origin.REJECTED: 4})
    assert undo(connection, found.repair_id) == 0
    assert dict(repair(connection, Span("gw", *EVER), shift, WORD).moved) == {Origin.REJECTED: 4}
    assert gauges(connection) == right


def test_readings_that_were_stored_as_doubtful_move_and_are_kept_as_they_were(
    warehouse: str, connection: Connection
) -> None:
    log, shift = Log(), RIGHT - AT_2016
    message = telemetry(OF, 1, {"p": [(AT_2016, 1.5, UNSET), (AT_2016 + 1, None, 100), (AT_2016 + 2, 2, UNSET)]})
    with sink(warehouse) as store:
        write(store, log.birth(OF), log.message(message))
    before = gauges(connection)
    found = repair(connection, Span("gw", *EVER), shift, WORD)
    assert dict(found.moved) == {Origin.STORED: 2}
    # What is bad for another reason is left alone.
    after = [(AT_2016 + 1, None, 100, 1), (RIGHT, 1.5, 10, 1), (RIGHT + 2, 2, 10, 1)]
    assert gauges(connection) == after
    replaced = "select (extract(epoch from t) * 1000)::int8, v_float, q from ingest.reading_replaced order by 1"
    assert rows(connection, replaced) == [(AT_2016, 1.5, UNSET), (AT_2016 + 2, 2, UNSET)]
    with sink(warehouse) as store:
        write(store, log.message(message))
        # Other readings under a number that is taken are news all the same, and kept.
        write(store, log.message(telemetry(OF, 1, {"p": [(AT_2016, 9, UNSET)]})))
    assert gauges(connection) == [(AT_2016, 9, UNSET, 1), *after]
    assert rows(connection, "select kind, seq from ingest.exception") == [("seq_reused", 1)]
    assert found.repair_id is not None
    undo(connection, found.repair_id)
    # The order that decides: equal in quality, epoch and number, so the larger value stands.
    assert gauges(connection) == [(AT_2016, 9, UNSET, 1), *before[1:]]
    assert rows(connection, replaced) == [(AT_2016, 1.5, UNSET)]


@pytest.mark.parametrize("piece", [1, 2_000])
@pytest.mark.parametrize("step", [1, -1])
def test_a_shift_onto_the_times_of_others_loses_none(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch, step: int, piece: int
) -> None:
    monkeypatch.setattr(repairing, "PIECE", piece)
    log = Log()
    messages = [telemetry(OF, seq, {"p": [(AT_2016 + 10_000 * seq, seq, UNSET)]}) for seq in range(1, 7)]
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, messages))
    before = gauges(connection)
    found = repair(connection, Span("gw", *EVER), step * 20_000, WORD)
    assert found.moved.total() == 6
    assert gauges(connection) == [(t + step * 20_000, v, 10, seq) for t, v, _, seq in before]
    assert waiting(connection) == {}
    assert found.repair_id is not None
    assert undo(connection, found.repair_id) == 6
    assert gauges(connection) == before
    assert rows(connection, "select * from ingest.reading_replaced") == []


def test_two_lives_that_began_at_the_same_wrong_time_are_told_apart_by_their_arrival(
    warehouse: str, connection: Connection
) -> None:
    """A gateway without a clock starts twice; readings of different hours claim the same times."""
    log = Log()
    first = [telemetry(OF, seq, {"p": [(AT_2016 + seq, seq, UNSET)]}, epoch=EPOCH) for seq in (1, 2)]
    second = [telemetry(OF, seq, {"p": [(AT_2016 + seq, 10 + seq, UNSET)]}, epoch=EPOCH + 1) for seq in (1, 2)]
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, first))
        ((between,),) = rows(connection, "select clock_timestamp()")
        write(store, *map(log.message, second))
    assert waiting(connection) == {Origin.STORED: 2, Origin.REPLACED: 2}
    assert {heap.epoch - EPOCH: heap.origin for heap in heaps(connection, "gw", *EVER)} == {
        0: Origin.REPLACED,
        1: Origin.STORED,
    }
    one = repair(connection, Span("gw", *EVER, arrived_to=between), RIGHT - AT_2016, WORD)
    two = repair(connection, Span("gw", *EVER, arrived_from=between), RIGHT - AT_2016 + 1_000, WORD)
    assert (dict(one.moved), dict(two.moved)) == ({Origin.REPLACED: 2}, {Origin.STORED: 2})
    both = [(RIGHT + 1, 1, 10, 1), (RIGHT + 2, 2, 10, 2), (RIGHT + 1_001, 11, 10, 1), (RIGHT + 1_002, 12, 10, 2)]
    assert gauges(connection) == both
    with sink(warehouse) as store:
        write(store, *map(log.message, [*first, *second]))
    assert (gauges(connection), waiting(connection)) == (both, {})
    assert rows(connection, "select * from ingest.exception") == []
    assert one.repair_id is not None
    assert two.repair_id is not None
    undo(connection, two.repair_id)
    undo(connection, one.repair_id)
    assert gauges(connection) == [(AT_2016 + 1, 11, UNSET, 1), (AT_2016 + 2, 12, UNSET, 2)]
    assert waiting(connection) == {Origin.STORED: 2, Origin.REPLACED: 2}


def test_a_day_ahead_is_set_aside_and_brought_back(warehouse: str, connection: Connection) -> None:
    log, ahead = Log(), APPENDED + DAY + 1
    with sink(warehouse) as store:
        write(store, log.birth(OF), log.message(telemetry(OF, 1, {"p": [(ahead, 1), (ahead + 1, 2, 30)]})))
    found = repair(connection, Span("gw", *EVER), RIGHT - ahead, WORD)
    assert dict(found.moved) == {Origin.REJECTED: 2}
    # Uncertain for another reason too: it does not become better than it was.
    assert gauges(connection) == [(RIGHT, 1, 10, 1), (RIGHT + 1, 2, 30, 1)]


def test_a_new_time_that_is_impossible_leaves_the_reading_alone(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF), log.message(telemetry(OF, 1, {"p": [(AT_2000, 1), (AT_2016, 2, UNSET)]})))
    far = 90 * 366 * DAY
    for shift, moved, impossible in ((-DAY, 1, 1), (far, 0, 2)):
        found = repair(connection, Span("gw", *EVER), shift, WORD, dry_run=True)
        assert (found.moved.total(), found.impossible) == (moved, impossible)
    assert repair(connection, Span("gw", *EVER), far, WORD).repair_id is None
    for none in (0, 101 * 366 * DAY):
        with pytest.raises(Misconfigured, match="moves nothing, or too far"):
            repair(connection, Span("gw", *EVER), none, WORD)
    assert rows(connection, "select * from ingest.clock_repair") == []


def test_a_good_reading_at_the_new_time_stands_and_what_was_displaced_comes_forward(
    warehouse: str, connection: Connection
) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(
            store,
            log.birth(OF),
            log.message(telemetry(OF, 1, {"p": [(AT_2016, 5, 30)]})),
            log.message(telemetry(OF, 2, {"p": [(AT_2016, 1, UNSET)]})),
            log.message(telemetry(OF, 3, {"p": [(RIGHT, 7)]})),
        )
    assert gauges(connection) == [(AT_2016, 1, UNSET, 2), (RIGHT, 7, 0, 3)]
    found = repair(connection, Span("gw", *EVER), RIGHT - AT_2016, WORD)
    assert gauges(connection) == [(AT_2016, 5, 30, 1), (RIGHT, 7, 0, 3)]
    replaced = "select v_float, q from ingest.reading_replaced order by 1, 2"
    assert rows(connection, replaced) == [(1, 10), (1, UNSET)]
    assert found.repair_id is not None
    undo(connection, found.repair_id)
    assert gauges(connection) == [(AT_2016, 1, UNSET, 2), (RIGHT, 7, 0, 3)]
    assert rows(connection, replaced) == [(5, 30)]


def test_accounts_are_marked_where_readings_left_and_where_they_came(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(
            store,
            log.birth(OF),
            log.message(telemetry(OF, 1, {"p": [(AT_2016, 1, UNSET), (AT_2016 + 5, 2, UNSET)], "e": [(AT_2000, 1)]})),
        )
    connection.execute("update ingest.watermark set closed_through = '2030-01-01Z'")
    connection.execute("update ingest.ledger set touched = '{}'")
    found = repair(connection, Span("gw", *EVER), RIGHT - AT_2016, WORD)
    dirty = """select s.kind, (extract(epoch from d.t_from) * 1000)::int8, (extract(epoch from d.t_to) * 1000)::int8
               from ingest.dirty d join ingest.series s using (series_id) order by 1, 2"""
    marks = [("gauge", AT_2016, AT_2016 + 5), ("gauge", RIGHT, RIGHT + 5)]
    assert rows(connection, dirty) == marks
    ((days,),) = rows(connection, "select touched::text from ingest.ledger")
    assert "[2016-01-01,2016-01-02)" in days
    connection.execute("delete from ingest.dirty")
    assert found.repair_id is not None
    undo(connection, found.repair_id)
    assert {mark[1] for mark in rows(connection, dirty)} >= {AT_2016}
    assert {t for _, first, last in rows(connection, dirty) for t in (first, last)} >= {AT_2016, RIGHT + 5}


def test_a_repair_beside_a_sink_that_gets_the_same_messages_again(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repairing, "PIECE", 5)
    log, count = Log(), 40
    messages = [telemetry(OF, seq, {"p": [(AT_2016 + seq, seq, UNSET)]}) for seq in range(1, count + 1)]
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, messages))
    begun = threading.Event()

    def resend() -> None:
        with sink(warehouse) as store:
            for message in messages * 2:
                write(store, log.message(message))
                begun.set()

    def mend(dsn: str) -> int:
        with connect(dsn, application="repair") as own:
            begun.wait(60)
            return repair(own, Span("gw", *EVER), RIGHT - AT_2016, WORD).moved.total()

    with ThreadPoolExecutor(2) as pool:
        sending, mending = pool.submit(resend), pool.submit(mend, warehouse)
        sending.result(120)
        assert mending.result(120) == count
    assert gauges(connection) == [(RIGHT + seq, seq, 10, seq) for seq in range(1, count + 1)]
    assert (waiting(connection), rows(connection, "select * from ingest.exception")) == ({}, [])


def test_times_that_go_back_are_stored_as_they_are(warehouse: str, connection: Connection) -> None:
    """A clock that steps back makes times fall within a message and from one to the next."""
    log = Log()
    first = telemetry(OF, 1, {"p": [(T0 + 50, 1), (T0 + 60, 2), (T0 + 20, 3)], "e": [(T0 + 9, 9), (T0, 8)]})
    second = telemetry(OF, 2, {"p": [(T0 + 10, 4), (T0 + 30, 5), (T0 + 5, 6)]})
    third = telemetry(OF, 3, {"p": [(T0 + 20, 7), (T0 + 70, 8)]})
    with sink(warehouse) as store:
        write(store, log.birth(OF), log.message(first))
        write(store, log.message(second), log.message(third))
    # Of two readings of one time the later message stands; the other is kept.
    assert [(t - T0, v) for t, v, _, _ in gauges(connection)] == [
        (5, 6),
        (10, 4),
        (20, 7),
        (30, 5),
        (50, 1),
        (60, 2),
        (70, 8),
    ]
    assert rows(connection, "select v_float from ingest.reading_replaced") == [(3,)]
    assert rows(connection, "select v from ingest.reading_register order by t") == [(8,), (9,)]
    assert rows(connection, "select * from ingest.reading_rejected") == []


def test_series_that_go_by_two_names_are_moved_once(warehouse: str, connection: Connection) -> None:
    twice = birth(series={"a": GAUGE, "b": GAUGE})
    log = Log()
    with sink(warehouse) as store:
        write(
            store,
            log.birth(twice),
            log.message(telemetry(twice, 1, {"a": [(AT_2000, 1)], "b": [(AT_2000, 1)]})),
        )
    repair(connection, Span("gw", *EVER), RIGHT - AT_2000, WORD)
    assert gauges(connection) == [(RIGHT, 1, 10, 1)]
    assert waiting(connection) == {}


def test_from_list_to_undo_on_the_command_line(warehouse: str, connection: Connection) -> None:
    log = Log()

    def said(*arguments: str, fails: bool = False) -> str:
        result = CliRunner().invoke(cli, ["clock", *arguments, "--database", warehouse])
        assert (result.exit_code != 0) == fails, result.output
        return result.output

    with sink(warehouse) as store:
        write(store, log.birth(OF), log.message(telemetry(OF, 1, {"p": [(AT_2000, 1), (AT_2016, 2, UNSET)]})))
        for minute in range(2):
            write(store, _state(log, AT_2000 + minute * 60_000, RIGHT + minute * 60_000))
    ((fault,),) = rows(connection, "select fault_id from ingest.clock_fault")
    aside = said("aside", "--gateway", "gw").splitlines()
    assert [line.split()[:4] for line in aside[1:]] == [
        ["rejected", "time_past", str(EPOCH), "1"],
        ["stored", "clock_unsynced", str(EPOCH), "1"],
    ]
    span = ["--gateway", "gw", "--from", "2000-01-01T08:00:00+08:00", "--to", "2000-01-02T00:00:00Z"]
    assert said("repair", *span, "--fault", str(fault), "--dry-run").startswith(
        "would be moved (已移动): 1 (rejected 1)"
    )
    done = said("repair", *span, "--fault", str(fault), "--reason", "no battery", "--by", "li")
    assert "moved (已移动): 1 (rejected 1)\nrepair 1; to take it back (撤销): g60 warehouse clock undo 1\n" in done
    assert gauges(connection)[1:] == [(RIGHT, 1, 10, 1)]
    listed = said("repairs").splitlines()
    assert "no battery" in listed[1]
    assert listed[1].split()[:2] == ["1", "gw"]
    assert "moved back (已恢复): 1" in said("undo", "1")
    assert len(gauges(connection)) == 1
    assert "there is no repair 9" in said("undo", "9", fails=True)
    assert "new time is impossible (新时间不合理): 1" in said("repair", *span, "--shift", "-PT1H30M", "--dry-run")
    said("repair", *span, "--reason", "x", fails=True)
    for wrong in (["--shift", "1h"], ["--shift", "PT"], ["--shift-ms", "5", "--fault", "1"], ["--fault", "99"]):
        said("repair", *span, *wrong, "--reason", "x", fails=True)
    said("repair", *span, "--shift-ms", "5", fails=True)
    said("aside", "--gateway", "gw", "--from", "2000-01-01T00:00:00", fails=True)


def _state(log: Log, at_ms: int, received_ms: int) -> Record:
    record = log.state(at=at_ms, clock={"status": "unsynced"})
    headers = {**record.headers, "received": str(received_ms).encode()}
    return Record(record.topic, record.partition, record.offset, record.key, record.value, headers, record.timestamp_ms)
