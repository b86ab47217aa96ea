"""What one write leaves in the tables."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from psycopg.sql import SQL, Identifier

from edge_agent.contract.birth import SeriesSpec
from stream.store import StaleOffset
from stream.topics import BIRTHS, REFUSED, TELEMETRY, Partition
from tests.warehouse.sink.feed import (
    APPENDED,
    EPOCH,
    GAUGE,
    PARTITIONS,
    REGISTER,
    SOURCE,
    T0,
    Log,
    birth,
    eventually,
    sink,
    telemetry,
    write,
)
from warehouse.postgres import Connection, connect

DAY_MS = 86_400_000


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def test_readings_go_to_the_table_of_their_kind_and_name_their_message(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as store:
        write(
            store,
            log.birth(of),
            log.message(telemetry(of, 3, {"p": [(T0, 1), (T0 + 1, None, 100)], "e": [(T0, 999)], "m": [(T0, -4, 20)]})),
        )
    assert rows(connection, "select v, q, ingest.seq_of(message) from ingest.reading_gauge order by t") == [
        (1.0, 0, 3),
        (None, 100, 3),
    ]
    assert rows(connection, "select v, q from ingest.reading_register") == [(999, 0)]
    assert rows(connection, "select v, q from ingest.reading_state") == [(-4, 20)]
    (message,) = rows(
        connection,
        """select l.gateway, l.epoch, b.sink, b.records, b.readings, s.topic, s.from_offset, s.to_offset
           from ingest.reading_register r join ingest.ledger l on l.ledger_id = ingest.ledger_of(r.message)
           join ingest.batch b on b.batch = ingest.batch_of(r.message)
           join ingest.batch_source s on s.batch = b.batch and s.topic like '%telemetry%'""",
    )
    assert message == ("gw", EPOCH, "test", 2, 4, TELEMETRY.name, 0, 1)


def test_months_get_their_partitions_when_their_first_reading_comes(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1), (T0 - 40 * DAY_MS, 2)]})))
    partitions = rows(
        connection,
        """select relname from pg_class c join pg_inherits i on i.inhrelid = c.oid
           where i.inhparent = 'ingest.reading_gauge'::regclass order by 1""",
    )
    assert partitions == [("reading_gauge_2026_08",), ("reading_gauge_2026_09",)]


def test_a_month_is_made_while_another_session_reads_and_writes_the_parent(
    warehouse: str, connection: Connection
) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)]})))
        with connection.transaction():
            connection.execute(
                "insert into ingest.reading_gauge select series_id, t + '1 ms', v, q, 0 from ingest.reading_gauge"
            )
            # Would wait for ever, and fail by the time-out of the test, if it needed ACCESS EXCLUSIVE on the parent.
            write(store, log.message(telemetry(of, 2, {"p": [(T0 - 40 * DAY_MS, 2)]})))
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(3,)]


def test_a_bad_reading_is_rejected_alone(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    early, late = 1_420_070_399_999, APPENDED + DAY_MS + 1
    series: dict[str, list[tuple[Any, ...]]] = {
        "p": [(early, 1.5), (T0, 2), (late, 3), (APPENDED + DAY_MS, 4)],
        "e": [(T0, 1_000), (T0 + 1, 1.0), (T0 + 2, -1, 10), (T0 + 3, 5)],
        "m": [(T0, 1 << 63), (T0 + 1, 0.5)],
        "zz": [(T0, 1)],
    }
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, series)))
    assert rows(connection, "select v from ingest.reading_gauge order by 1") == [(2,), (4,)]
    assert rows(connection, "select v from ingest.reading_register") == [(5,)]
    assert rows(connection, "select v from ingest.reading_state") == []
    found = rows(connection, "select name, t_ms, value, q, reason, series_id is null from ingest.reading_rejected")
    assert sorted(found) == [
        ("e", T0, "1000", 0, "register_range", False),
        ("e", T0 + 1, "1.0", 0, "value_type", False),
        ("e", T0 + 2, "-1", 10, "register_range", False),
        ("m", T0, "9.223372036854776e+18", 0, "value_type", False),
        ("m", T0 + 1, "0.5", 0, "value_type", False),
        ("p", early, "1.5", 0, "time_past", False),
        ("p", late, "3", 0, "time_future", False),
        ("zz", T0, "1", 0, "unknown_series", True),
    ]
    assert rows(connection, "select settled::text, rejected::text from ingest.ledger") == [("{[1,2)}", "{}")]


def test_poison_in_the_middle_stops_nothing(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    wrong_version = telemetry(of, 2, {}).replace(b'"v": 1', b'"v": 9')
    with sink(warehouse) as store:
        write(
            store,
            log.birth(of),
            log.message(telemetry(of, 1, {"p": [(T0, 1)]})),
            log.message(wrong_version, headers={"channel": b"live", "odd": b"\xff"}),
            log.message(b"\x00\xff{"),
            log.message(telemetry(of, 4, {}), headers={"content-encoding": b"zstd"}),
            log.add(TELEMETRY.name, "Not A Gateway", telemetry(of, 5, {"p": [(T0, 1)]})),
            log.add(TELEMETRY.name, "bridge", telemetry(of, 5, {"p": [(T0, 1)]})),
            log.add(TELEMETRY.name, "gw", None),
            log.message(gzip.compress(b"0" * (2 << 20)), headers={"content-encoding": b"gzip"}),
            log.message(gzip.compress(telemetry(of, 3, {"p": [(T0 + 1, 1)]})), headers={"content-encoding": b"gzip"}),
        )
    dead = rows(connection, 'select "offset", reason, gateway, epoch, seq, value from ingest.dead_letter order by 1')
    assert [row[:5] for row in dead] == [
        (1, "version", "gw", EPOCH, 2),
        (2, "not_json", "gw", None, None),
        (3, "encoding", "gw", None, None),
        (4, "gateway", None, None, None),
        (5, "gateway", None, None, None),
        (6, "not_json", "gw", None, None),
        (7, "too_large", "gw", None, None),
    ]
    assert dead[0][5] == wrong_version
    (headers,) = rows(connection, 'select headers from ingest.dead_letter where "offset" = 1')[0]
    assert headers == {"received": str(APPENDED - 999), "channel": "live", "odd": {"hex": "ff"}}
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(2,)]
    assert rows(connection, "select settled::text, rejected::text from ingest.ledger") == [("{[1,4)}", "{[2,3)}")]


def test_what_the_bridge_refused_is_kept(warehouse: str, connection: Connection) -> None:
    log = Log()
    refusal = log.add(REFUSED.name, "gw", b"xx", headers={"reason": b"too_large", "mqtt-topic": b"g60/v1/gw/live"})
    with sink(warehouse) as store:
        write(store, refusal)
    assert rows(connection, "select reason, detail, gateway, value from ingest.dead_letter") == [
        ("too_large", "the bridge refused it, it came on g60/v1/gw/live", "gw", b"xx")
    ]


def test_a_body_cannot_speak_for_another_gateway(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth("other")
    record = log.add(BIRTHS.name, f"gw/{of.digest()}", of.encode())
    misnamed = log.add(BIRTHS.name, f"other/{'0' * 32}", of.encode())
    with sink(warehouse) as store:
        write(store, record, misnamed)
    assert rows(connection, "select reason, gateway from ingest.dead_letter order by gateway") == [
        ("identity", "gw"),
        ("identity", "other"),
    ]
    assert rows(connection, "select * from ingest.birth") == []


def test_a_tombstone_says_nothing(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, log.add(BIRTHS.name, "gw/x", None))
    assert rows(connection, "select * from ingest.dead_letter") == []
    assert rows(connection, "select next_offset from ingest.sink_offset") == [(1,)]


def test_a_series_stays_itself_through_births_until_its_identity_changes(
    warehouse: str, connection: Connection
) -> None:
    def changed(spec: SeriesSpec, **changes: Any) -> SeriesSpec:
        return spec.model_copy(update=changes)

    log = Log()
    first = birth(series={"p": GAUGE, "e": REGISTER})
    second = birth(series={"renamed": changed(GAUGE, interval_ms=5), "e": changed(REGISTER, meter="new")})
    with sink(warehouse) as store:
        write(store, log.birth(first), log.birth(first))
        write(store, log.birth(second), log.birth(first))
        write(
            store,
            log.message(telemetry(first, 1, {"p": [(T0, 1)], "e": [(T0, 1)]})),
            log.message(telemetry(second, 2, {"renamed": [(T0 + 1, 2)], "e": [(T0 + 1, 2)]})),
        )
    assert rows(connection, "select count(*), max(birth_id) from ingest.birth") == [(2, 2)]
    assert rows(connection, "select count(distinct series_id), count(*) from ingest.reading_gauge") == [(1, 2)]
    assert rows(connection, "select count(distinct series_id), count(*) from ingest.reading_register") == [(2, 2)]
    assert rows(connection, "select series_id from ingest.series order by 1") == [(1,), (2,), (3,)]


def test_one_value_stands_by_quality_then_epoch_then_seq(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth(series={"p": GAUGE})

    def say(value: float, seq: int, epoch: int, q: int) -> None:
        write(store, log.message(telemetry(of, seq, {"p": [(T0, value, q)]}, epoch=epoch)))

    with sink(warehouse) as store:
        write(store, log.birth(of))
        standing = []
        for value, seq, epoch, q in [(1, 9, 5, 20), (2, 8, 5, 20), (3, 1, 6, 20), (4, 10, 5, 10), (5, 50, 7, 30)]:
            say(value, seq, epoch, q)
            standing += rows(connection, "select v from ingest.reading_gauge")
    assert standing == [(1,), (1,), (3,), (4,), (4,)]
    assert rows(connection, "select v_float from ingest.reading_replaced order by 1") == [(1,), (2,), (3,), (5,)]


def test_a_repeated_message_changes_nothing(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    message = telemetry(of, 1, {"p": [(T0, 1), (T0, 2)], "e": [(T0, 5), (T0 + 1, 7_000)]})
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(message))
        before = everything(connection)
        write(store, log.message(message), log.message(message))
    assert everything(connection) == before
    assert rows(connection, "select * from ingest.exception") == []
    assert rows(connection, "select v from ingest.reading_gauge") == [(2,)]


def everything(connection: Connection) -> list[list[tuple[Any, ...]]]:
    tables = ("gauge", "register", "state", "replaced", "rejected")
    return [
        *(
            connection.execute(SQL("table {}").format(Identifier("ingest", f"reading_{one}"))).fetchall()
            for one in tables
        ),
        *(rows(connection, f"table ingest.{one}") for one in ("commit_run", "dropped", "exception")),
    ]


@pytest.mark.parametrize("together", [False, True])
def test_a_number_used_again_for_other_readings_raises_and_keeps_both(
    warehouse: str, connection: Connection, *, together: bool
) -> None:
    log, of = Log(), birth()
    first = log.message(telemetry(of, 1, {"p": [(T0, 1)], "e": [(T0, 5)]}))
    second = log.message(telemetry(of, 1, {"p": [(T0, 2)], "e": [(T0, 5)]}))
    with sink(warehouse) as store:
        if together:
            write(store, log.birth(of), first, second)
        else:
            write(store, log.birth(of), first)
            write(store, second)
    assert rows(connection, "select kind, gateway, epoch, seq from ingest.exception") == [
        ("seq_reused", "gw", EPOCH, 1)
    ]
    assert rows(connection, "select v from ingest.reading_gauge") == [(2,)]
    assert rows(connection, "select v_float from ingest.reading_replaced") == [(1,)]
    assert rows(connection, "select v from ingest.reading_register") == [(5,)]


def test_late_readings_are_marked_and_only_they(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)], "e": [(T0, 1)]})))
        assert rows(connection, "select * from ingest.dirty") == []
        connection.execute("update ingest.watermark set closed_through = to_timestamp(%s / 1000.0)", (T0 + 10,))
        write(
            store, log.message(telemetry(of, 2, {"p": [(T0 + 9, 1), (T0 + 5, 1), (T0 + 10, 1)], "e": [(T0 + 20, 1)]}))
        )
        found = """select extract(epoch from t_from) * 1000, extract(epoch from t_to) * 1000
                   from ingest.dirty order by dirty_id"""
        assert rows(connection, found) == [(T0 + 5, T0 + 9)]
        # Through the staged path: repeated readings change nothing and are not marked, a better one is.
        write(
            store, log.message(telemetry(of, 2, {"p": [(T0 + 9, 1), (T0 + 5, 1), (T0 + 10, 1)], "e": [(T0 + 20, 1)]}))
        )
        assert len(rows(connection, found)) == 1
        write(store, log.message(telemetry(of, 3, {"p": [(T0 + 5, 9), (T0 + 12, 9)]})))
        assert rows(connection, found) == [(T0 + 5, T0 + 9), (T0 + 5, T0 + 5)]


def test_a_write_waits_for_the_job_that_moves_the_watermark_and_obeys_it(
    warehouse: str, connection: Connection
) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as store, connect(warehouse, application="job") as job, ThreadPoolExecutor() as pool:
        write(store, log.birth(of))
        with job.transaction():
            job.execute("select closed_through from ingest.watermark for update")
            writing = pool.submit(write, store, log.message(telemetry(of, 1, {"p": [(T0, 1)]})))
            waits = (
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            )
            eventually(lambda: rows(connection, waits) == [(1,)])
            job.execute("update ingest.watermark set closed_through = to_timestamp(%s / 1000.0)", (T0 + 1,))
            assert not writing.done()
        writing.result(timeout=10)
    assert rows(connection, "select count(*) from ingest.dirty") == [(1,)]


def test_states_and_events_are_kept(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(
            store,
            log.state(
                agent="g60-edge/1",
                at=T0,
                b="0" * 32,
                held={"epoch": 9, "first": 4, "last": 8},
                previous={"epoch": 5, "last": 3},
                clock={"status": "stepped", "step_ms": 10**30},
                sources={"m\0": "up"},
            ),
            log.event(kind="device_down", at=T0, device="m1", text="no \0 answer"),
            log.event(kind="device_down", at=T0, device="m1", text="no \0 answer"),
            log.event(kind="device_down", at=T0, text="no \0 answer"),
        )
        assert rows(connection, "select online, agent, clock_step_ms, sources from ingest.gateway_state") == [
            (True, "g60-edge/1", (1 << 63) - 1, {"m\\0": "up"})
        ]
        write(store, log.state(online=False))
    assert rows(connection, "select online, agent, clock_status, sources from ingest.gateway_state") == [
        (False, "g60-edge/1", "stepped", {"m\\0": "up"})
    ]
    assert rows(connection, "select device, text from ingest.event order by device") == [
        ("m1", "no \\0 answer"),
        (None, "no \\0 answer"),
    ]
    assert rows(connection, "select epoch, held_first, held_last, ended_at from ingest.ledger order by 1") == [
        (5, None, None, 3),
        (9, 4, 8, None),
    ]


def test_texts_that_postgresql_cannot_hold_are_spelt_out(warehouse: str, connection: Connection) -> None:
    odd = birth(series={"p": GAUGE.model_copy(update={"device": "a\0b", "meter": "\0"})}, agent="x\0")
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(odd), log.message(telemetry(odd, 1, {"p": [(T0, 1)]}, dropped=[])))
    assert rows(connection, "select device, meter from ingest.series") == [("a\\0b", "\\0")]
    assert rows(connection, "select v from ingest.reading_gauge") == [(1,)]


def test_a_record_that_the_database_does_not_take_is_found_and_refused(warehouse: str, connection: Connection) -> None:
    # Nothing known gets as far as this; a trigger stands for what is not known yet.
    connection.execute(
        """create function ingest.refuse() returns trigger language plpgsql as
           $$ begin if new.text = 'poison' then raise 'refused' using errcode = '22000'; end if; return new; end $$;
           create trigger refuse before insert on ingest.event for each row execute function ingest.refuse()"""
    )
    log, of = Log(), birth()
    with sink(warehouse) as store:
        write(
            store,
            log.birth(of),
            log.message(telemetry(of, 1, {"p": [(T0, 1)]})),
            log.event(kind="started", at=T0, text="poison"),
            log.event(kind="started", at=T0, text="good"),
        )
    assert rows(connection, "select text from ingest.event") == [("good",)]
    assert rows(connection, "select reason, gateway, topic from ingest.dead_letter") == [
        ("database", "gw", "g60.events.v1")
    ]
    assert rows(connection, "select v from ingest.reading_gauge") == [(1,)]


def test_offsets_count_each_record_once(warehouse: str, connection: Connection) -> None:
    log, of = Log(), birth()
    place = Partition(TELEMETRY.name, 0)
    first, second = (log.message(telemetry(of, seq, {"p": [(T0, seq)]})) for seq in (1, 2))
    with sink(warehouse) as one, sink(warehouse) as two:
        write(one, log.birth(of), first)
        # The other member was assigned the partition before, and is late.
        with pytest.raises(StaleOffset):
            write(two, first)
        assert two.assigned([place], SOURCE) == {place: 1}
        write(two, second)
        with pytest.raises(StaleOffset):
            write(one, second)
    assert rows(connection, "select count(*) from ingest.batch") == [(2,)]
    # Killed after the commit, before Kafka was told: the next one goes on behind it.
    with sink(warehouse) as third:
        assert third.assigned([place], SOURCE) == {place: 2}
        # Kafka lost the end of its log and gives the numbers out again.
        write(third, first)
        assert third.assigned([place], SOURCE) == {place: 1}


def test_another_cluster_or_topic_begins_at_the_beginning(warehouse: str) -> None:
    log, of = Log(), birth()
    with sink(warehouse) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {})))
        place = Partition(TELEMETRY.name, 0)
        remade = type(SOURCE)(SOURCE.cluster_id, {**SOURCE.topic_ids, TELEMETRY.name: "another"})
        assert store.assigned([place], remade) == {place: None}
        assert store.assigned([place], type(SOURCE)("other", SOURCE.topic_ids)) == {place: None}
        assert store.assigned([place], SOURCE) == {place: 1}


def test_a_loss_is_named(warehouse: str, connection: Connection) -> None:
    with sink(warehouse) as store:
        store.lost(PARTITIONS[0], 5, 9)
        store.lost(PARTITIONS[0], 5, 12)
    assert rows(connection, "select topic, partition, stored_offset, log_start from ingest.offset_loss") == [
        (*PARTITIONS[0], 5, 12)
    ]


def test_two_messages_of_one_offset_are_both_kept(warehouse: str, connection: Connection) -> None:
    log, again = Log(), Log()
    with sink(warehouse) as store:
        write(store, log.message(b"one"))
        store.assigned(PARTITIONS, SOURCE)
        write(store, again.message(b"other"))
    assert rows(connection, "select value from ingest.dead_letter order by 1") == [(b"one",), (b"other",)]
