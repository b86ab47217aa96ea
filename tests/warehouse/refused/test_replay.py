"""What was refused and is good by now is stored after all: once, whole, with its number moved in the ledger."""

from __future__ import annotations

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from edge_agent.contract.birth import Birth
from edge_agent.contract.errors import BadRecord, Retryable
from stream.topics import REFUSED, TELEMETRY
from tests.warehouse.sink.feed import EPOCH, PARTITIONS, SOURCE, T0, Log, birth, eventually, sink, telemetry, write
from warehouse.postgres import Connection, connect
from warehouse.refused import letters
from warehouse.refused.replay import Replayed, replay
from warehouse.refused.which import Which
from warehouse.sink import intake

OF = birth()


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def ledger(connection: Connection) -> list[tuple[Any, ...]]:
    return rows(connection, "select settled::text, rejected::text from ingest.ledger order by epoch")


class Fault:
    """A mistake in the code that reads messages, until it is mended: it refuses what holds ``marker``."""

    def __init__(self, patch: pytest.MonkeyPatch, marker: bytes) -> None:
        self._patch = patch
        genuine = intake.payload

        def mistaken(record: Any) -> bytes:
            plain = genuine(record)
            if marker in plain:
                raise BadRecord("mistake", "this version cannot read it")
            return plain

        patch.setattr(intake, "payload", mistaken)

    def mend(self) -> None:
        self._patch.undo()


def numbered(*seqs: int) -> list[bytes]:
    return [telemetry(OF, seq, {"p": [(T0 + seq, seq)]}) for seq in seqs]


def marked(seq: int) -> bytes:
    """A message whose time is 7777 seconds after the others', by which a fault finds it."""
    return telemetry(OF, seq, {"p": [(T0 + 7_777_000 + seq, seq)]})


MARK = str(T0 + 7_777_000)[:-3].encode()


def test_a_replay_after_a_fix_moves_a_number_from_rejected_to_stored(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, log = Fault(monkeypatch, MARK), Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, [*numbered(1), marked(2), *numbered(3), marked(4), b"{"]))
    assert ledger(connection) == [("{[1,2),[3,4)}", "{}")]
    assert rows(connection, "select count(*) from ingest.dead_letter where reason = 'mistake'") == [(2,)]
    # Before the fix nothing changes, and it is counted.
    assert replay(connection, Which()) == Replayed(still={"mistake": 2, "not_json": 1})  # type: ignore[arg-type]
    fault.mend()
    found = replay(connection, Which())
    assert (dict(found.stored), dict(found.still)) == ({"mistake": 2}, {"not_json": 1})
    assert ledger(connection) == [("{[1,5)}", "{}")]
    assert rows(connection, "select v from ingest.reading_gauge order by 1") == [(1,), (2,), (3,), (4,)]
    # The refusals stay, and lead to the batch that stored them, as the rows do.
    assert rows(
        connection,
        """select d.reason, d.replayed_at is not null, b.sink from ingest.dead_letter d
           left join ingest.batch b on b.batch = d.replayed_batch order by d.letter_id""",
    ) == [("mistake", True, "refused replay"), ("mistake", True, "refused replay"), ("not_json", False, None)]
    assert rows(
        connection,
        """select ingest.seq_of(r.message) from ingest.reading_gauge r
           where ingest.batch_of(r.message) in (select d.replayed_batch from ingest.dead_letter d) order by 1""",
    ) == [(2,), (4,)]


def test_a_number_that_counted_as_rejected_counts_as_stored(warehouse: str, connection: Connection) -> None:
    # The database refuses what it should take; the fix is to take the check away.
    connection.execute(
        """create function ingest.refuse() returns trigger language plpgsql as
           $$ begin if new.v < 3 then raise 'refused' using errcode = '22000'; end if; return new; end $$;
           create trigger refuse before insert on ingest.reading_gauge for each row execute function ingest.refuse()"""
    )
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, numbered(1, 2, 3)))
    assert ledger(connection) == [("{[1,4)}", "{[1,3)}")]
    assert dict(replay(connection, Which()).still) == {"database": 2}
    connection.execute("drop trigger refuse on ingest.reading_gauge")
    found = replay(connection, Which(), dry_run=True)
    assert dict(found.stored) == {"database": 2}
    assert ledger(connection) == [("{[1,4)}", "{[1,3)}")]
    assert rows(connection, "select count(*) from ingest.dead_letter where replayed_at is not null") == [(0,)]
    assert dict(replay(connection, Which()).stored) == {"database": 2}
    assert ledger(connection) == [("{[1,4)}", "{}")]
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(3,)]
    # Repeated, and sent again by the agent: nothing happens twice.
    again = replay(connection, Which())
    assert (again.stored, again.still) == ({}, {})
    with sink(warehouse) as store:
        write(store, *map(log.message, numbered(1, 2, 3)))
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(3,)]
    assert rows(connection, "select * from ingest.exception") == []


def _refuses(_: bytes) -> Any:
    raise BadRecord("mistake", "this version cannot read it")


def test_births_states_and_events_are_replayed_too_and_births_come_first(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    with monkeypatch.context() as patch:
        patch.setattr(intake, "payload", _refuses)
        with sink(warehouse) as store:
            write(
                store,
                *map(log.message, numbered(1, 2)),
                log.event(kind="started", at=T0, text="hello"),
                log.state(at=T0, held={"epoch": EPOCH, "first": 1, "last": 9}),
                log.birth(OF),
            )
    assert ledger(connection) == []
    assert dict(replay(connection, Which(), dry_run=True).stored) == {"mistake": 5}
    assert rows(connection, "select count(*) from ingest.birth") == [(0,)]
    monkeypatch.setattr(letters, "PIECE", 1)
    assert dict(replay(connection, Which(), dry_run=True).stored) == {"mistake": 5}
    assert dict(replay(connection, Which()).stored) == {"mistake": 5}
    assert rows(connection, "select count(*) from ingest.birth") == [(1,)]
    assert rows(connection, "select text from ingest.event") == [("hello",)]
    assert rows(connection, "select online from ingest.gateway_state") == [(True,)]
    assert rows(connection, "select settled::text, held_last from ingest.ledger") == [("{[1,3)}", 9)]
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(2,)]


def test_a_birth_that_is_replayed_lets_parked_messages_in(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    with monkeypatch.context() as patch, sink(warehouse) as store:
        write(store, *map(log.message, numbered(1, 2)))
        patch.setattr(intake, "payload", _refuses)
        write(store, log.birth(OF))
    assert rows(connection, "select count(*) from ingest.parked_message") == [(2,)]
    assert dict(replay(connection, Which()).stored) == {"mistake": 1}
    assert rows(connection, "select count(*) from ingest.parked_message") == [(0,)]
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(2,)]


def test_a_message_whose_birth_nobody_knows_waits_on(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    with monkeypatch.context() as patch, sink(warehouse) as store:
        patch.setattr(intake, "payload", _refuses)
        write(store, *map(log.message, numbered(1)))
    found = replay(connection, Which())
    assert (dict(found.stored), dict(found.still)) == ({}, {"no_birth": 1})
    assert rows(connection, "select count(*) from ingest.parked_message") == [(0,)]
    with sink(warehouse) as store:
        write(store, log.birth(OF))
    # The reason that counts now is the new one; what it was first refused for is kept.
    assert replay(connection, Which(reason="mistake")).stored == {}
    assert dict(replay(connection, Which(reason="no_birth")).stored) == {"no_birth": 1}
    assert rows(connection, "select reason, tried_reason from ingest.dead_letter") == [("mistake", "no_birth")]
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(1,)]


def test_what_is_chosen_is_replayed_and_nothing_else(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, others = Log(), {name: birth(name) for name in ("gw", "gw-2", "gw-3")}
    with monkeypatch.context() as patch, sink(warehouse) as store:
        write(store, *map(log.birth, others.values()))
        patch.setattr(intake, "payload", _refuses)
        for name, of in others.items():
            write(store, log.message(telemetry(of, 1, {"p": [(T0, 1)]}), name))
    (((letter_id, at),)) = rows(connection, "select letter_id, at from ingest.dead_letter where gateway = 'gw-3'")
    assert dict(replay(connection, Which(gateway="gw-2")).stored) == {"mistake": 1}
    assert replay(connection, Which(reason="other")).stored == {}
    assert dict(replay(connection, Which(since=at), dry_run=True).stored) == {"mistake": 1}
    assert dict(replay(connection, Which(), letter_id=letter_id).stored) == {"mistake": 1}
    waiting = rows(connection, "select gateway from ingest.dead_letter where replayed_at is null")
    assert waiting == [("gw",)]


def test_what_the_bridge_refused_whole_is_routed_again_and_what_it_cut_is_not(
    warehouse: str, connection: Connection
) -> None:
    log, (message,) = Log(), numbered(1)
    topic = b"g60/v1/gw/live"
    told = {"reason": b"too_large", "mqtt-topic": topic, "channel": b"live", "content-encoding": b"gzip"}
    packed = gzip.compress(message)
    with sink(warehouse) as store:
        write(
            store,
            log.birth(OF),
            log.add(REFUSED.name, "gw", packed, headers={**told, "bytes": b"%d" % len(packed)}),
            log.add(REFUSED.name, "gw", packed[:20], headers={**told, "bytes": b"%d" % len(packed)}),
            log.add(REFUSED.name, "gw", b"{}", headers={"reason": b"topic", "mqtt-topic": b"g60/v1/gw/nonsense"}),
        )
    # Kafka takes messages of that size by now.
    found = replay(connection, Which())
    assert (dict(found.stored), dict(found.still)) == ({"too_large": 1}, {"too_large": 1, "topic": 1})
    assert rows(connection, "select v from ingest.reading_gauge") == [(1,)]
    assert ledger(connection) == [("{[1,2)}", "{}")]


def test_poison_among_the_replayed_stops_nothing(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.execute(
        """create function ingest.refuse() returns trigger language plpgsql as
           $$ begin if new.text = 'poison' then raise 'refused' using errcode = '22000'; end if; return new; end $$;
           create trigger refuse before insert on ingest.event for each row execute function ingest.refuse()"""
    )
    log = Log()
    with monkeypatch.context() as patch, sink(warehouse) as store:
        write(store, log.birth(OF))
        patch.setattr(intake, "payload", _refuses)
        write(
            store, *map(log.message, numbered(1)), *(log.event(kind="started", at=T0, text=t) for t in ("poison", "ok"))
        )
    assert dict(replay(connection, Which(), dry_run=True).stored) == {"mistake": 2}
    found = replay(connection, Which())
    assert (dict(found.stored), dict(found.still)) == ({"mistake": 2}, {"database": 1})
    assert rows(connection, "select text from ingest.event") == [("ok",)]
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(1,)]
    # The database takes it by now.
    connection.execute("drop trigger refuse on ingest.event")
    assert dict(replay(connection, Which()).stored) == {"database": 1}
    assert rows(connection, "select text from ingest.event order by 1") == [("ok",), ("poison",)]


def test_topics_made_anew_are_kept_apart(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, sink(warehouse) as store:
        write(store, Log().birth(OF))
        patch.setattr(intake, "payload", _refuses)
        write(store, Log().message(numbered(1)[0]))
        remade = type(SOURCE)(SOURCE.cluster_id, {**SOURCE.topic_ids, TELEMETRY.name: "another"})
        store.assigned(PARTITIONS, remade)
        write(store, Log().message(numbered(2)[0]))
    assert dict(replay(connection, Which()).stored) == {"mistake": 2}
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(2,)]


def test_a_replay_beside_a_running_sink_that_gets_the_same_messages_again(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent sends again what is replayed at the same time; whoever comes second finds it done."""
    log, count = Log(), 60
    with monkeypatch.context() as patch, sink(warehouse) as store:
        write(store, log.birth(OF))
        patch.setattr(intake, "payload", _refuses)
        write(store, *map(log.message, numbered(*range(1, count + 1))))
    monkeypatch.setattr(letters, "PIECE", 7)
    begun = threading.Event()

    def resend() -> None:
        with sink(warehouse) as store:
            begun.set()
            for seq in range(1, count + 1):
                write(store, log.message(numbered(seq)[0]))

    def again(dsn: str) -> Replayed:
        with connect(dsn, application="replay") as own:
            begun.wait(60)
            return replay(own, Which())

    with ThreadPoolExecutor(3) as pool:
        sending = pool.submit(resend)
        replays = [pool.submit(again, warehouse) for _ in range(2)]
        sending.result(120)
        stored = sum(done.result(120).stored["mistake"] for done in replays)
    assert stored == count
    assert ledger(connection) == [(f"{{[1,{count + 1})}}", "{}")]
    assert rows(connection, "select count(*), count(distinct v) from ingest.reading_gauge") == [(count, count)]
    assert rows(connection, "select * from ingest.exception") == []


def test_a_replay_that_is_killed_is_gone_on_with(
    warehouse: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    with monkeypatch.context() as patch, sink(warehouse) as store:
        write(store, log.birth(OF))
        patch.setattr(intake, "payload", _refuses)
        write(store, *map(log.message, numbered(1, 2, 3, 4)))
    monkeypatch.setattr(letters, "PIECE", 2)
    with connect(warehouse, application="blocker") as blocker, ThreadPoolExecutor() as pool:
        with blocker.transaction():
            # The second piece waits here; there its session is killed.
            blocker.execute(
                """create function ingest.wait() returns trigger language plpgsql as
                   $$ begin perform pg_advisory_xact_lock_shared(4711); return new; end $$"""
            )
            blocker.execute(
                "create trigger wait before update on ingest.dead_letter for each row when (old.letter_id = 3) "
                "execute function ingest.wait()"
            )
        blocker.execute("select pg_advisory_lock(4711)")
        dying = pool.submit(_replay_alone, warehouse)
        eventually(lambda: _kill(connection) == 1, 60)
        with pytest.raises(Retryable):
            dying.result(120)
        blocker.execute("select pg_advisory_unlock(4711)")
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(2,)]
    assert dict(replay(connection, Which()).stored) == {"mistake": 2}
    assert ledger(connection) == [("{[1,5)}", "{}")]


def _replay_alone(dsn: str) -> Replayed:
    with connect(dsn, application="dying") as own:
        return replay(own, Which())


def _kill(connection: Connection) -> int:
    return len(
        connection.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
               where application_name = 'dying' and datname = current_database() and wait_event = 'advisory'"""
        ).fetchall()
    )


def test_a_birth_of_another_gateway_stays_refused(warehouse: str, connection: Connection) -> None:
    log, other = Log(), Birth(gateway="other", series=OF.series)
    with sink(warehouse) as store:
        write(store, log.add("g60.births.v1", f"gw/{other.digest()}", other.encode()))
    assert dict(replay(connection, Which()).still) == {"identity": 1}
    assert rows(connection, "select count(*) from ingest.birth") == [(0,)]
