"""Holes open, age, split, close and are seen to close; what is in flight is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.topics import Record
from tests.warehouse.sink.feed import APPENDED, EPOCH, T0, Log, birth, sink, telemetry, write
from warehouse.ledger.holes import KEPT, PATIENCE, Watched, watch
from warehouse.postgres import Connection

OF = birth()
START = datetime.fromtimestamp(APPENDED / 1000, UTC)
MINUTE = timedelta(minutes=1)


def said(*seqs: int, epoch: int = EPOCH) -> list[bytes]:
    return [telemetry(OF, seq, {"p": [(T0 + seq, seq), (T0 + seq + 500_000, seq)]}, epoch=epoch) for seq in seqs]


def held(log: Log, first: int, last: int, minute: int) -> Record:
    """A state that the bridge received so many minutes after the start."""
    record = log.state(held={"epoch": EPOCH, "first": first, "last": last})
    received_ms = APPENDED + 60_000 * minute
    return replace(record, headers={**record.headers, "received": str(received_ms).encode()})


def standing(connection: Connection) -> list[tuple[Any, ...]]:
    """First, last, state, age in minutes."""
    rows = connection.execute(
        "select lower(seqs), upper(seqs) - 1, state, seen_at from ingest.hole where closed_at is null order by seqs"
    ).fetchall()
    return [(first, last, state, round((seen_at - START) / MINUTE)) for first, last, state, seen_at in rows]


def history(connection: Connection) -> list[tuple[Any, ...]]:
    """First, last, how it ended, opened and closed in minutes."""
    rows = connection.execute(
        "select first, last, ended, seen_at, closed_at from ingest.hole_history order by first, seen_at"
    ).fetchall()
    return [
        (first, last, ended, round((seen_at - START) / MINUTE), round((closed_at - START) / MINUTE))
        for first, last, ended, seen_at, closed_at in rows
    ]


def test_a_hole_opens_ages_and_is_seen_to_close(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, said(1, 2, 5)))
        assert watch(connection, START) == Watched(open=1, lost=0, closed=0, closed_messages=0)
        assert watch(connection, START + 3 * MINUTE) == Watched(open=1, lost=0, closed=0, closed_messages=0)
        assert standing(connection) == [(3, 4, "open", 0)]
        about = "select gateway, epoch, first, last, messages, readings_about, state, degraded from ingest.hole_status"
        assert connection.execute(about.encode()).fetchall() == [("gw", EPOCH, 3, 4, 2, 4, "open", False)]
        write(store, *map(log.message, said(3, 4)))
        assert watch(connection, START + 5 * MINUTE) == Watched(open=0, lost=0, closed=1, closed_messages=2)
    assert (standing(connection), history(connection)) == ([], [(3, 4, "stored", 0, 5)])
    assert watch(connection, START + 6 * MINUTE) == Watched(open=0, lost=0, closed=0, closed_messages=0)
    assert watch(connection, START + KEPT + 6 * MINUTE).closed == 0
    assert history(connection) == []


def test_what_is_left_of_a_hole_keeps_its_age_and_the_closed_parts_become_one(
    warehouse: str, connection: Connection
) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, said(1, 12)))
        watch(connection, START)
        write(store, *map(log.message, said(5, 6)), log.message(b'{"v":9,"epoch":%d,"seq":9}' % EPOCH))
        watch(connection, START + MINUTE)
        assert standing(connection) == [(2, 4, "open", 0), (7, 8, "open", 0), (10, 11, "open", 0)]
        write(store, *map(log.message, said(7, 8, 20)))
        watch(connection, START + 2 * MINUTE)
        assert standing(connection) == [(2, 4, "open", 0), (10, 11, "open", 0), (13, 19, "open", 2)]
        assert history(connection) == [(5, 8, "stored", 0, 2), (9, 9, "rejected", 0, 1)]
        drops = [(10, 10, "corrupt", 7), (3, 4, "overflow_thinned", 40)]
        write(store, log.message(telemetry(OF, 21, {}, dropped=drops)))
        watch(connection, START + 3 * MINUTE)
    assert standing(connection) == [(2, 2, "open", 0), (11, 11, "open", 0), (13, 19, "open", 2)]
    assert history(connection)[0] == (3, 4, "dropped", 0, 3)
    told = connection.execute(
        "select first, readings_told from ingest.hole_history where ended = 'dropped' order by 1"
    ).fetchall()
    assert told == [(3, 40), (10, 7)]
    dropped = connection.execute("select reason, first, last, messages, readings from ingest.dropped_status order by 1")
    assert dropped.fetchall() == [("corrupt", 10, 10, 1, 7), ("overflow_thinned", 3, 4, 2, 40)]


def test_a_gateway_that_sends_in_order_has_no_hole(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF))
        for seq in range(1, 30, 3):
            write(store, held(log, seq, seq + 4, seq))
            assert watch(connection, START + seq * MINUTE).open == 0
            write(store, *map(log.message, said(seq, seq + 1, seq + 2)))
            assert watch(connection, START + (seq + 1) * MINUTE).open == 0
    assert connection.execute("select count(*) from ingest.hole where state <> 'in_flight'").fetchall() == [(0,)]


def test_what_stays_in_flight_too_long_is_a_hole_since_the_gateway_said_that_it_has_it(
    warehouse: str, connection: Connection
) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, said(1)), log.state(held={"epoch": EPOCH, "first": 2, "last": 4}))
        assert watch(connection, START) == Watched(0, 0, 0, 0)
        assert standing(connection) == [(2, 4, "in_flight", 0)]
        write(store, held(log, 2, 6, 5))
        watch(connection, START + 6 * MINUTE)
        assert standing(connection) == [(2, 4, "in_flight", 0), (5, 6, "in_flight", 5)]
        watch(connection, START + PATIENCE + MINUTE)
        assert standing(connection) == [(2, 4, "open", 0), (5, 6, "in_flight", 5)]
        assert watch(connection, START + PATIENCE + 6 * MINUTE).open == 1
        assert standing(connection) == [(2, 6, "open", 0)]
        write(store, *map(log.message, said(2, 3, 4, 5, 6)))
        assert watch(connection, START + 20 * MINUTE).closed_messages == 5
    assert history(connection) == [(2, 6, "stored", 0, 20)]


def test_the_lost_tail_of_an_epoch_that_is_over_is_seen(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(
            store, log.birth(OF), *map(log.message, said(1, 2)), log.state(held={"epoch": EPOCH, "first": 3, "last": 6})
        )
        watch(connection, START)
        assert standing(connection) == [(3, 6, "in_flight", 0)]
        write(store, log.state(held={"epoch": EPOCH + 1, "first": 1, "last": 0}, previous={"epoch": EPOCH, "last": 8}))
        assert watch(connection, START + MINUTE) == Watched(open=0, lost=1, closed=0, closed_messages=0)
        lost = connection.execute("select first, last, state, lost_at from ingest.hole_status").fetchall()
        assert lost == [(3, 8, "lost", START + MINUTE)]
        assert standing(connection) == [(3, 8, "lost", 0)]
        # It was on its way after all.
        write(store, *map(log.message, said(4)))
        watch(connection, START + 2 * MINUTE)
    assert [row[:3] for row in standing(connection)] == [(3, 3, "lost"), (5, 8, "lost")]
    assert history(connection) == [(4, 4, "stored", 0, 2)]


def test_a_hole_whose_messages_the_gateway_no_longer_claims_is_withdrawn(
    warehouse: str, connection: Connection
) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF), *map(log.message, said(1)))
        write(store, log.state(held={"epoch": EPOCH + 1, "first": 1, "last": 0}, previous={"epoch": EPOCH, "last": 3}))
        watch(connection, START)
        write(store, log.state(held={"epoch": EPOCH + 1, "first": 1, "last": 0}, previous={"epoch": EPOCH, "last": 1}))
        watch(connection, START + MINUTE)
    assert history(connection) == [(2, 3, "withdrawn", 0, 1)]


class Say(NamedTuple):
    """One step of a made-up ledger row."""

    settled: frozenset[int]
    rejected: frozenset[int]
    held_first: int
    held_last: int
    held_ago: int
    ended: int | None
    minutes: int


steps = st.lists(
    st.builds(
        Say,
        st.frozensets(st.integers(1, 14)),
        st.frozensets(st.integers(1, 14)),
        st.integers(1, 15),
        st.integers(0, 14),
        st.integers(0, 12),
        st.one_of(st.none(), st.integers(0, 14)),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=8,
)


def text(numbers: frozenset[int] | set[int]) -> str:
    return "{" + ",".join(f"[{number},{number + 1})" for number in sorted(numbers)) + "}"


def expected(
    before: dict[int, tuple[str, datetime]], say: Say, settled: set[int], now: datetime, held_at: datetime
) -> dict[int, tuple[str, datetime]]:
    """State and age of every missing number, one by one."""
    most = max([*settled, say.held_last, say.ended or 0])
    found: dict[int, tuple[str, datetime]] = {}
    for seq in range(1, most + 1):
        if seq in settled:
            continue
        was = before.get(seq)
        gone = seq < say.held_first and say.held_last + 1 in settled
        if say.ended is not None or gone:
            found[seq] = ("lost", was[1] if was else now)
        elif seq < max(settled, default=0):
            found[seq] = ("open", was[1] if was else now)
        else:
            since = was[1] if was else min(held_at, now)
            flying = (was is None or was[0] == "in_flight") and since > now - PATIENCE
            found[seq] = ("in_flight" if flying else "open", since)
    for seq in sorted(found):
        # Numbers that touch are one hole, as old as its oldest.
        for one, other in ((seq - 1, seq), (seq, seq - 1)):
            _spread(found, one, other)
    for seq in sorted(found, reverse=True):
        _spread(found, seq + 1, seq)
    return found


def _spread(found: dict[int, tuple[str, datetime]], one: int, other: int) -> None:
    if one in found and other in found:
        (state, since), (also, also_since) = found[one], found[other]
        if state == also != "in_flight":
            found[other] = (also, min(since, also_since))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_holes_are_what_every_number_by_itself_would_say(connection: Connection, says: Sequence[Say]) -> None:
    before: dict[int, tuple[str, datetime]] = {}
    now, ended, settled = START, None, set[int]()
    with connection.transaction(force_rollback=True):
        connection.execute("delete from ingest.hole")
        connection.execute("insert into ingest.ledger (gateway, epoch) values ('gw', 1)")
        closed: dict[int, str] = {}
        for say in says:
            now += say.minutes * MINUTE
            settled |= say.settled
            rejected = settled & say.rejected
            ended = say.ended if say.ended is not None else ended
            one = say._replace(ended=ended)
            held_at = now - say.held_ago * MINUTE
            connection.execute(
                """update ingest.ledger set settled = %s::int8multirange, rejected = %s::int8multirange,
                   held_first = %s, held_last = %s, held_at = %s, ended_at = %s""",
                (text(settled), text(rejected), one.held_first, one.held_last, held_at, ended),
            )
            after = expected(before, one, settled, now, held_at)
            for seq, (state, _) in before.items():
                if seq not in after and state != "in_flight":
                    stored = "rejected" if seq in rejected else "stored"
                    closed[seq] = stored if seq in settled else "withdrawn"
            watch(connection, now)
            rows = connection.execute(
                "select lower(seqs), upper(seqs), state, seen_at from ingest.hole where closed_at is null order by seqs"
            ).fetchall()
            seen = {seq: (state, at) for first, last, state, at in rows for seq in range(first, last)}
            assert seen == after
            before = after
        rows = connection.execute(
            "select first, last, ended from ingest.hole_history order by closed_at, first"
        ).fetchall()
        assert {seq: end for first, last, end in rows for seq in range(first, last + 1)} == closed
