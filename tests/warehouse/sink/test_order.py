"""What stands in the tables depends on what was sent, not on how it arrived.

A world of messages is delivered shuffled, repeated and cut into writes at random, births somewhere in between, to sinks
that are restarted at random and may prepare a write before the one before it is stored; the tables are compared with a
model that knows the messages only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier

from deploy.local.external import ExternalPostgres
from deploy.local.postgres import Postgres
from edge_agent.contract.birth import Birth, Kind, SeriesSpec, check_value
from edge_agent.contract.errors import BadRecord
from edge_agent.contract.telemetry import Batch, parse_batch
from tests.services.plugin import fresh_database
from tests.warehouse.sink.feed import (
    APPENDED,
    EPOCH,
    GAUGE,
    REGISTER,
    STATE,
    T0,
    Clock,
    Log,
    Sent,
    birth,
    offsets_after,
    sink,
)
from tests.warehouse.sink.feed import telemetry as message
from warehouse.postgres import Connection, connect
from warehouse.sink.readings import AHEAD_MS, EARLIEST_MS
from warehouse.sink.store import PostgresStore, Prepared

BIRTHS = [
    birth("gw-a", {"p": GAUGE, "alias": GAUGE, "e": REGISTER, "m": STATE}),
    # The same series under other names, and one more.
    birth("gw-a", {"power": GAUGE, "e": REGISTER, "n": STATE.model_copy(update={"device": "lathe"})}),
    birth("gw-b"),
]
EPOCHS = [EPOCH, EPOCH + 4096]
TIMES = [T0, T0 + 1, T0 + 40 * 86_400_000 - (1 << 35)]
ODD_TIMES = [EARLIEST_MS - 1, APPENDED + AHEAD_MS + 1]


class Delivery(NamedTuple):
    """One record to be delivered: a birth, or a message with its gateway."""

    birth: Birth | None
    gateway: str
    payload: bytes


qualities = st.sampled_from([0, 0, 0, 20, 100])
times = st.one_of(st.sampled_from(TIMES), st.sampled_from(TIMES), st.sampled_from(ODD_TIMES))
values = st.one_of(st.integers(0, 3), st.integers(0, 3), st.none(), st.sampled_from([1.5, -1, 1_000, 1 << 63, -0.0]))
readings = st.tuples(times, values, qualities)
claims = st.tuples(st.integers(1, 6), st.integers(0, 2))


@st.composite
def deliveries(draw: st.DrawFn) -> list[Delivery]:
    """Births, and for each name of a message one payload, or two where the agent is at fault."""
    found = [Delivery(one, one.gateway, one.encode()) for one in BIRTHS]
    names = draw(
        st.lists(
            st.tuples(st.sampled_from(BIRTHS), st.sampled_from(EPOCHS), st.integers(1, 6)),
            unique_by=lambda name: (name[0].gateway, name[1], name[2]),
            max_size=9,
        )
    )
    for of, epoch, seq in names:
        series = {
            name: draw(st.lists(readings, min_size=1, max_size=3))
            for name in draw(st.lists(st.sampled_from([*of.series, "unknown"]), unique=True, max_size=3))
        }
        gaps = [(first, first + more) for first, more in draw(st.lists(claims, max_size=2)) if first + more < seq]
        told = [(first, last, "overflow_thinned", 7) for first, last in gaps]
        payload = message(of, seq, series, epoch=epoch, dropped=told)
        fault = draw(st.sampled_from(["", "", "", "", "version", "schema", "reused"]))
        if fault == "version":
            payload = payload.replace(b'"v": 1', b'"v": 2', 1)
        elif fault == "schema":
            payload = payload.replace(b'"sent"', b'"send"')
        elif fault == "reused":
            # Everything of the other differs, so that either of them is news after the other.
            other = {
                name: [(t, None if v is None else v + 0.25, 30) for t, v, _ in of_it] for name, of_it in series.items()
            }
            found.append(Delivery(None, of.gateway, message(of, seq, other, epoch=epoch)))
        found.append(Delivery(None, of.gateway, payload))
    return found


class Model:
    """What has to stand in the tables."""

    def __init__(self, world: Sequence[Delivery]) -> None:
        self.standing: dict[tuple[str, str, int], tuple[Any, ...]] = {}
        self.replaced: set[tuple[Any, ...]] = set()
        self.rejected: set[tuple[Any, ...]] = set()
        self.stored: set[tuple[str, int, int]] = set()
        self.refused: set[tuple[str, int, int]] = set()
        self.dropped: set[tuple[str, int, int]] = set()
        self.dead: set[tuple[str, str, bytes]] = set()
        self.reused: set[tuple[str, int, int]] = set()
        births = {(one.gateway, one.digest()): one.series for one in BIRTHS}
        versions: dict[tuple[str, str, int], set[tuple[Any, ...]]] = {}
        news: dict[tuple[str, int, int], int] = {}
        for _, gateway, payload in (one for one in world if one.birth is None):
            try:
                batch = parse_batch(payload)
            except BadRecord as error:
                body = json.loads(payload)
                self.dead.add((gateway, error.reason, payload))
                self.refused.add((gateway, body["epoch"], body["seq"]))
                continue
            name = (gateway, batch.epoch, batch.seq)
            self.stored.add(name)
            self.dropped.update(
                (gateway, batch.epoch, seq) for gap in batch.dropped for seq in range(gap.first, gap.last + 1)
            )
            if self._read(gateway, births[gateway, batch.b], batch, versions):
                news[name] = news.get(name, 0) + 1
        self.refused -= self.stored
        self.dropped -= self.stored | self.refused
        self.reused = {name for name, payloads in news.items() if payloads > 1}
        for key, found in versions.items():
            first, *others = sorted(found, key=precedence)
            self.standing[key] = first
            self.replaced.update((*key, *other) for other in others)

    def _read(
        self,
        gateway: str,
        series: Mapping[str, SeriesSpec],
        batch: Batch,
        versions: dict[tuple[str, str, int], set[tuple[Any, ...]]],
    ) -> bool:
        """Take in the readings of a message; True when there were any."""
        for name, points in batch.series.items():
            for t, v, q in zip(points.t, points.v, points.q or (0,) * len(points.t), strict=True):
                spec = series.get(name)
                reason = judge(spec, t, v)
                if spec is None or reason:
                    sent = None if v is None else json.dumps(v)
                    self.rejected.add((gateway, batch.epoch, batch.seq, name, t, sent, int(q), reason))
                    continue
                value = None if v is None else float(v) + 0.0 if spec.kind is Kind.GAUGE else v
                version = (int(q), batch.epoch, batch.seq, value)
                versions.setdefault((gateway, spec.identity(), t), set()).add(version)
        return bool(batch.series)


def judge(spec: SeriesSpec | None, t: int, v: float | None) -> str:
    if spec is None:
        return "unknown_series"
    try:
        check_value(spec, v)
    except BadRecord as error:
        return error.reason
    if t < EARLIEST_MS:
        return "time_past"
    return "time_future" if t > APPENDED + AHEAD_MS else ""


def precedence(version: tuple[Any, ...]) -> tuple[Any, ...]:
    """Smaller quality, later epoch, later message, larger value first; no value last."""
    q, epoch, seq, value = version
    return (q, -epoch, -seq, value is None, -(value or 0))


@pytest.fixture(scope="module")
def arena(postgres: Postgres | ExternalPostgres, migrated: str) -> Iterator[str]:
    with fresh_database(postgres, migrated) as dsn:
        yield dsn


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(world=deliveries(), data=st.data())
def test_the_tables_do_not_depend_on_the_way_of_arrival(arena: str, world: list[Delivery], data: st.DataObject) -> None:
    repeated = world + data.draw(st.lists(st.sampled_from(world), max_size=6), label="repeated")
    order = data.draw(st.permutations(repeated), label="order")
    with connect(arena, application="test") as connection:
        empty(connection)
        deliver(arena, order, data)
        assert_as_modelled(connection, Model(world))


def deliver(dsn: str, order: list[Delivery], data: st.DataObject) -> None:
    log, clock = Log(), Clock()
    while order:
        # Each turn of the outer loop is another life of the sink.
        with sink(dsn, Sent(), clock) as store:
            ahead: list[Prepared] = []
            for size in data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4), label="writes"):
                part, order = order[:size], order[size:]
                records = [
                    log.message(one.payload, one.gateway) if one.birth is None else log.birth(one.birth) for one in part
                ]
                if records:
                    ahead.append(store.prepare(records))
                while len(ahead) > data.draw(st.integers(0, 1), label="ahead"):
                    write_prepared(store, ahead.pop(0))
            for prepared in ahead:
                write_prepared(store, prepared)


def write_prepared(store: PostgresStore, prepared: Prepared) -> None:
    store.write(prepared, offsets_after(prepared.records))


def empty(connection: Connection) -> None:
    names = connection.execute(
        """select string_agg(format('%I.%I', n.nspname, c.relname), ', ') from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           where n.nspname = 'ingest' and c.relkind in ('r', 'p') and not c.relispartition
             and c.relname <> 'watermark'"""
    ).fetchone()
    assert names is not None
    connection.execute(f"truncate {names[0]} restart identity".encode())


READINGS = b"""
select s.gateway, s.identity, (extract(epoch from r.t) * 1000)::int8, r.q, l.epoch, ingest.seq_of(r.message),
  r.v_float, r.v_int
from (
  select series_id, t, q, message, v as v_float, null::int8 as v_int, true as stands from ingest.reading_gauge
  union all select series_id, t, q, message, null, v, true from ingest.reading_register
  union all select series_id, t, q, message, null, v, true from ingest.reading_state
  union all select series_id, t, q, message, v_float, v_int, false from ingest.reading_replaced
) r
join ingest.series s on s.series_id = r.series_id
join ingest.ledger l on l.ledger_id = ingest.ledger_of(r.message)
where r.stands = %s
"""


def assert_as_modelled(connection: Connection, model: Model) -> None:
    def versions(*, stands: bool) -> list[tuple[Any, ...]]:
        found = connection.execute(READINGS, (stands,)).fetchall()
        return [(*row[:6], row[6] if row[7] is None else row[7]) for row in found]

    standing = versions(stands=True)
    assert {row[:3]: row[3:] for row in standing} == model.standing
    assert len(standing) == len(model.standing)
    assert sorted(map(repr, versions(stands=False))) == sorted(map(repr, model.replaced))
    assert set(connection.execute(REJECTED).fetchall()) == model.rejected
    assert set(connection.execute(b"select gateway, reason, value from ingest.dead_letter").fetchall()) == model.dead
    for column, numbers in (("stored", model.stored), ("rejected", model.refused), ("dropped", model.dropped)):
        found = connection.execute(NUMBERS.format(column=Identifier(column))).fetchall()
        assert set(found) == numbers, column
    assert set(connection.execute(b"select gateway, epoch, seq from ingest.exception").fetchall()) == model.reused
    assert connection.execute(b"select * from ingest.parked_message").fetchall() == []
    # Every stored message names exactly the batch that brought it first.
    runs = connection.execute(RUNS).fetchall()
    assert sorted(runs) == sorted(model.stored)


REJECTED = b"""
select l.gateway, l.epoch, j.seq, j.name, j.t_ms, j.value, j.q, j.reason
from ingest.reading_rejected j join ingest.ledger l on l.ledger_id = j.ledger_id
"""
NUMBERS = SQL(
    "select gateway, epoch, generate_series(lower(r), upper(r) - 1) from ingest.ledger_status, unnest({column}) r"
)
RUNS = b"""
select l.gateway, l.epoch, generate_series(lower(r.seqs), upper(r.seqs) - 1)
from ingest.commit_run r join ingest.ledger l on l.ledger_id = r.ledger_id
join ingest.batch b on b.batch = r.batch
"""
