"""The ledger tells what became of every message, stays small, and is what confirmations are made of."""

from __future__ import annotations

from typing import Any

import pytest

from edge_agent.contract.command import SeqRange, Stored
from edge_agent.contract.errors import Retryable
from stream.topics import TELEMETRY, Partition
from tests.warehouse.sink.feed import EPOCH, PARTITIONS, SOURCE, T0, Clock, Log, Sent, birth, sink, telemetry, write
from warehouse.postgres import Connection
from warehouse.sink import ledger

OF = birth()


def said(*seqs: int, epoch: int = EPOCH) -> list[bytes]:
    return [telemetry(OF, seq, {"p": [(T0 + seq, seq)]}, epoch=epoch) for seq in seqs]


def standing(connection: Connection, epoch: int = EPOCH) -> dict[str, str]:
    row = connection.execute(
        """select stored::text, rejected::text, dropped::text, open::text, lost::text
           from ingest.ledger_status where epoch = %s""",
        (epoch,),
    ).fetchone()
    assert row is not None
    return {
        name: value
        for name, value in zip(("stored", "rejected", "dropped", "open", "lost"), row, strict=True)
        if value != "{}"
    }


def test_holes_are_open_then_closed_or_dropped(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, said(1, 2, 6, 9)))
        assert standing(connection) == {"stored": "{[1,3),[6,7),[9,10)}", "open": "{[3,6),[7,9)}"}
        write(store, log.message(telemetry(OF, 10, {}, dropped=[(3, 4, "overflow_thinned", 40), (2, 2, "corrupt", 1)])))
        assert standing(connection) == {
            "stored": "{[1,3),[6,7),[9,11)}",
            "dropped": "{[3,5)}",
            "open": "{[5,6),[7,9)}",
        }
        write(store, log.message(b'{"v":9,"epoch":%d,"seq":5}' % EPOCH), *map(log.message, said(7)))
        assert standing(connection) == {
            "stored": "{[1,3),[6,8),[9,11)}",
            "rejected": "{[5,6)}",
            "dropped": "{[3,5)}",
            "open": "{[8,9)}",
        }
        # What was rejected is mended, what was dropped comes after all.
        write(store, *map(log.message, said(5, 4)))
    assert standing(connection) == {"stored": "{[1,3),[4,8),[9,11)}", "dropped": "{[3,4)}", "open": "{[8,9)}"}
    told = connection.execute("select told_by, seqs::text, reason, readings from ingest.dropped order by 2").fetchall()
    assert told == [(10, "[2,3)", "corrupt", 1), (10, "[3,5)", "overflow_thinned", 40)]


def test_a_hole_is_lost_once_nobody_holds_it_and_nobody_said_it_was_dropped(
    warehouse: str, connection: Connection
) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, said(1, 4, 5)))
        write(store, log.state(held={"epoch": EPOCH, "first": 3, "last": 6}))
        # 2 is gone from the disk, but message 7 may still say that it was dropped.
        assert standing(connection) == {"stored": "{[1,2),[4,6)}", "open": "{[2,4),[6,7)}"}
        write(store, *map(log.message, said(7)))
        assert standing(connection) == {"stored": "{[1,2),[4,6),[7,8)}", "open": "{[3,4),[6,7)}", "lost": "{[2,3)}"}
        write(store, log.state(held={"epoch": EPOCH + 1, "first": 1, "last": 0}, previous={"epoch": EPOCH, "last": 9}))
        assert standing(connection)["lost"] == "{[2,4),[6,7),[8,10)}"
        # It was on its way.
        write(store, *map(log.message, said(8)))
        assert standing(connection)["lost"] == "{[2,4),[6,7),[9,10)}"
        write(store, log.state(held={"epoch": EPOCH + 2, "first": 1, "last": 0}))
    ended = connection.execute("select epoch - %s, ended_at from ingest.ledger order by 1", (EPOCH,)).fetchall()
    assert ended == [(0, 9), (1, 0), (2, None)]


def test_parked_messages_of_an_ended_epoch_are_not_lost(warehouse: str, connection: Connection) -> None:
    log, unknown = Log(), birth(agent="unknown")
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, said(1)), log.message(telemetry(unknown, 2, {})))
        write(store, log.state(held={"epoch": EPOCH + 1, "first": 1, "last": 0}, previous={"epoch": EPOCH, "last": 3}))
    assert standing(connection) == {"stored": "{[1,2)}", "open": "{[2,3)}", "lost": "{[3,4)}"}


def test_an_older_state_does_not_undo_a_newer_one(warehouse: str, connection: Connection) -> None:
    log = Log()
    older = log.state(held={"epoch": EPOCH, "first": 1, "last": 1}, agent="old")
    newer = log.state(held={"epoch": EPOCH, "first": 5, "last": 9}, agent="new")
    with sink(warehouse) as store:
        write(store, newer)
        write(store, older)
    assert connection.execute("select held_first, held_last from ingest.ledger").fetchall() == [(5, 9)]
    assert connection.execute("select agent from ingest.gateway_state").fetchall() == [("new",)]


def test_a_row_keeps_its_lowest_ranges_and_says_that_it_is_degraded(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MAX_RANGES", 5)
    log, sent, clock = Log(), Sent(), Clock()

    def degraded() -> bool:
        row = connection.execute("select degraded_since is not null from ingest.ledger").fetchone()
        return row == (True,)

    with sink(warehouse, sent, clock) as store:
        write(store, log.birth(OF), *map(log.message, said(*range(1, 11, 2))))
        assert (standing(connection)["stored"], degraded()) == ("{[1,2),[3,4),[5,6),[7,8),[9,10)}", False)
        clock.now_s += 10
        write(store, *map(log.message, said(*range(11, 41, 2))))
        assert (standing(connection)["stored"], degraded()) == ("{[1,2),[3,4),[5,6),[7,8),[9,10)}", True)
        assert sent.stored()[-1].through == 9
        # The agent sends the holes, and again what was not confirmed.
        write(store, *map(log.message, said(*range(2, 41))))
        assert (standing(connection), degraded()) == ({"stored": "{[1,41)}"}, False)
    assert connection.execute("select count(*) from ingest.reading_gauge").fetchall() == [(40,)]
    assert connection.execute("select * from ingest.exception").fetchall() == []


def test_a_thinned_buffer_leaves_one_range(warehouse: str, connection: Connection) -> None:
    log = Log()
    thinned = [(seq, seq, "overflow_thinned", 10) for seq in range(2, 100, 2)]
    with sink(warehouse) as store:
        write(
            store,
            log.birth(OF),
            log.message(telemetry(OF, 100, {}, dropped=thinned)),
            *map(log.message, said(*range(1, 100, 2))),
        )
    assert connection.execute("select settled::text from ingest.ledger").fetchall() == [("{[1,101)}",)]
    counts = "select stored_count, dropped_count, open_count, lost_count from ingest.ledger_status"
    assert connection.execute(counts.encode()).fetchall() == [(51, 49, 0, 0)]


def test_numbers_are_not_used_up_by_repetition(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        for _ in range(5):
            write(store, log.birth(OF), *map(log.message, said(1)))
        write(store, *map(log.message, said(1, epoch=EPOCH + 1)))
    assert connection.execute("select max(ledger_id) from ingest.ledger").fetchall() == [(2,)]
    assert connection.execute("select max(series_id), count(*) from ingest.series").fetchall() == [(3, 3)]
    assert connection.execute("select max(birth_id) from ingest.birth").fetchall() == [(1,)]


def test_a_gateway_hears_what_is_stored_after_the_commit_and_not_too_often(warehouse: str) -> None:
    log, sent, clock = Log(), Sent(), Clock()
    with sink(warehouse, sent, clock, confirm_every_s=10) as store:
        write(store, log.birth(OF), *map(log.message, said(1, 2, 5)))
        assert sent.stored() == [Stored(epoch=EPOCH, through=5, missing=(SeqRange(3, 4),))]
        clock.now_s += 9.9
        write(store, *map(log.message, said(3)))
        store.idle()
        assert len(sent.stored()) == 1
        clock.now_s += 0.1
        store.idle()
        assert sent.stored()[1:] == [Stored(epoch=EPOCH, through=5, missing=(SeqRange(4, 4),))]
        clock.now_s += 1_000
        store.idle()
        assert len(sent.stored()) == 2
        write(store, log.state())
        assert sent.stored()[2:] == sent.stored()[1:2]


def test_rejected_and_dropped_messages_count_as_settled(warehouse: str) -> None:
    log, sent = Log(), Sent()
    with sink(warehouse, sent) as store:
        write(
            store,
            log.birth(OF),
            log.message(b'{"v":9,"epoch":%d,"seq":1}' % EPOCH),
            log.message(telemetry(OF, 4, {}, dropped=[(2, 2, "corrupt", 1)])),
        )
    assert sent.stored() == [Stored(epoch=EPOCH, through=4, missing=(SeqRange(3, 3),))]


def test_the_latest_epoch_is_said_last(warehouse: str) -> None:
    log, sent, clock = Log(), Sent(), Clock()
    with sink(warehouse, sent, clock) as store:
        write(store, log.birth(OF), *map(log.message, said(1, epoch=9) + said(1, 2, epoch=8)))
        assert [(one.epoch, one.through) for one in sent.stored()] == [(8, 2), (9, 1)]
        clock.now_s += 10
        write(store, *map(log.message, said(3, epoch=8)))
        assert [(one.epoch, one.through) for one in sent.stored()[2:]] == [(8, 3), (9, 1)]


def test_a_failure_to_send_is_made_up_for(warehouse: str, connection: Connection) -> None:
    log, sent, clock = Log(), Sent(), Clock()
    sent.failure = Retryable("Kafka is away")
    with sink(warehouse, sent, clock) as store:
        write(store, log.birth(OF), *map(log.message, said(1)), log.message(telemetry(birth("gw2"), 1, {}), "gw2"))
        assert connection.execute("select count(*) from ingest.reading_gauge").fetchall() == [(1,)]
        sent.failure = None
        store.idle()
        assert sent.commands == []
        clock.now_s += 5
        store.idle()
        assert sent.stored() == [Stored(epoch=EPOCH, through=1)]


def test_a_new_member_tells_the_gateways_of_its_partitions(warehouse: str) -> None:
    log, sent = Log(), Sent()
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, said(1)))
    with sink(warehouse, sent, assign=False) as store:
        store.assigned([Partition(TELEMETRY.name, 1)], SOURCE)
        store.idle()
        assert sent.commands == []
        store.assigned(PARTITIONS, SOURCE)
        store.idle()
        assert sent.stored() == [Stored(epoch=EPOCH, through=1)]


def test_a_row_leads_to_its_batch(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, said(1, 2, 5)))
        write(store, *map(log.message, said(3, 4, 6, 2)))
    found: list[tuple[Any, ...]] = connection.execute(
        "select ingest.seq_of(message), ingest.batch_of(message) from ingest.reading_gauge order by 1"
    ).fetchall()
    first, second = found[0][1], found[2][1]
    assert first != second
    assert found == [(1, first), (2, first), (3, second), (4, second), (5, first), (6, second)]
