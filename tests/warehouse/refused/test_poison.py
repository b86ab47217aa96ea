"""Poison of every kind in the middle of a partition: what is good around it is stored, and the loop goes on."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.contract.errors import BadRecord
from edge_agent.contract.wire import MAX_MESSAGE_BYTES, decompress
from stream.topics import BIRTHS, EVENTS, REFUSED, STATES, TELEMETRY, Record
from tests.warehouse.sink.feed import EPOCH, T0, Log, birth, offsets_after, sink, telemetry, write
from warehouse.postgres import Connection
from warehouse.sink.store import PostgresStore

OF = birth()


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def numbered(seq: int) -> bytes:
    return telemetry(OF, seq, {"p": [(T0 + seq, seq)]})


def write_all(store: PostgresStore, records: Sequence[Record]) -> None:
    """Write ``records``, as the consumer loop does: what one write does not take comes with the next."""
    while records:
        prepared = store.prepare(records)
        store.write(prepared, offsets_after(prepared.records))
        records = records[len(prepared.records) :]


def body(**changes: Any) -> bytes:
    good = json.loads(numbered(7))
    return json.dumps(good | changes).encode()


DEEP = b'{"v":1,"series":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
MANY_KEYS = b"{" + b",".join(b'"%d":0' % number for number in range(50_000)) + b"}"
POISON = {
    "empty": b"",
    "no JSON": b"\x80\x81 not json",
    "cut": numbered(7)[:-10],
    "NUL": numbered(7).replace(b'"p"', b'"p\\u0000"'),
    "raw NUL": numbered(7).replace(b'"p"', b'"p\x00"'),
    "wrong UTF-8": numbered(7).replace(b'"p"', b'"\xff\xfe"'),
    "lone surrogate": numbered(7).replace(b'"p"', b'"\\ud800"'),
    "deep": DEEP,
    "many keys": MANY_KEYS,
    "huge epoch": body(epoch=1 << 200),
    "huge digits": b'{"v":1,"epoch":' + b"9" * 100_000 + b',"seq":7}',
    "huge time": body(series={"p": {"t": [1 << 70], "v": [1]}}),
    "NaN": numbered(7).replace(b'"v": [7]', b'"v": [NaN]'),
    "1e999": numbered(7).replace(b'"v": [7]', b'"v": [1e999]'),
    "a list": b"[1,2,3]",
    "null": b"null",
    "other version": body(v=2),
    "unknown key": body(extra=1),
    "unequal lengths": body(series={"p": {"t": [T0], "v": [1, 2]}}),
    "too many readings": body(series={"p": {"t": [T0] * 10_001, "v": [1] * 10_001}}),
    "beyond a mebibyte": b" " * (MAX_MESSAGE_BYTES + 1),
}


def test_telemetry_poison_is_a_dead_letter_with_its_bytes(warehouse: str, connection: Connection) -> None:
    log, seq = Log(), 0
    with sink(warehouse) as store:
        write(store, log.birth(OF))
        for poison in POISON.values():
            around = [numbered(seq + 10), numbered(seq + 11), poison, numbered(seq + 12)]
            write(store, *map(log.message, around))
            seq += 3
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(seq,)]
    letters = rows(connection, 'select reason, value from ingest.dead_letter order by "offset"')
    assert [value for _, value in letters] == list(POISON.values())
    reasons = {name: reason for name, (reason, _) in zip(POISON, letters, strict=True)}
    assert set(reasons.values()) == {"not_json", "schema", "version", "too_large"}
    assert (reasons["wrong UTF-8"], reasons["other version"], reasons["beyond a mebibyte"]) == (
        "not_json",
        "version",
        "too_large",
    )
    (end,) = rows(
        connection, "select next_offset from ingest.sink_offset where topic = 'g60.telemetry.v1' and partition = 0"
    )
    assert end == (4 * len(POISON),)


def test_every_channel_takes_every_poison_at_once(warehouse: str, connection: Connection) -> None:
    log = Log()
    poison = [
        log.add(topic, key, value, headers=headers)
        for value in POISON.values()
        for topic, key in ((BIRTHS.name, f"gw/{OF.digest()}"), (STATES.name, "gw"), (EVENTS.name, "gw"))
        for headers in ({}, {"content-encoding": b"gzip"}, {"content-encoding": b"\xff"}, {"received": b"9" * 40})
    ]
    with sink(warehouse) as store:
        write(store, log.birth(OF), log.message(numbered(1)))
        # The largest alone are a write's worth.
        for first in range(0, len(poison), 12):
            write_all(store, poison[first : first + 12])
        write(store, log.message(numbered(2)))
        write(store, log.state(at=T0), log.event(kind="started", at=T0))
    assert rows(connection, "select count(*) from ingest.dead_letter") == [(len(poison),)]
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(2,)]
    assert rows(connection, "select count(*) from ingest.event") == [(1,)]


def test_what_the_bridge_refused_may_be_anything(warehouse: str, connection: Connection) -> None:
    log = Log()
    headers: list[dict[str, bytes]] = [
        {},
        {"reason": b"\xff\x00"},
        {"mqtt-topic": b"g60/v1/\x00\xff"},
        {"reason": b"x" * 5_000, "a\0b": b"\0"},
    ]
    refused = [log.add(REFUSED.name, "gw", b"\x00\xff", headers=found) for found in headers]
    with sink(warehouse) as store:
        write(store, log.birth(OF), *refused, log.message(numbered(1)))
    assert rows(connection, "select value from ingest.dead_letter") == [(b"\x00\xff",)] * len(headers)
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(1,)]


def test_a_poisonous_message_that_comes_with_its_birth(warehouse: str, connection: Connection) -> None:
    """Tried alone it would only wait for its birth; nothing known gets this far, a trigger stands for the unknown."""
    connection.execute(
        """create function ingest.refuse() returns trigger language plpgsql as
           $$ begin if new.v = 2 then raise 'refused' using errcode = '22P05'; end if; return new; end $$;
           create trigger refuse before insert on ingest.reading_gauge for each row execute function ingest.refuse()"""
    )
    log = Log()
    with sink(warehouse) as store:
        write(store, *map(log.message, [numbered(1), numbered(2), numbered(3)]), log.birth(OF))
    assert rows(connection, "select v from ingest.reading_gauge order by 1") == [(1,), (3,)]
    assert rows(connection, "select reason, epoch, seq from ingest.dead_letter") == [("database", EPOCH, 2)]
    assert rows(connection, "select settled::text, rejected::text from ingest.ledger") == [("{[1,4)}", "{[2,3)}")]


def test_poison_that_was_parked_holds_up_nobody(warehouse: str, connection: Connection) -> None:
    """It is met when its birth comes, together with innocent ones and in the write of others."""
    other = birth("gw-2")
    connection.execute(
        """create function ingest.refuse() returns trigger language plpgsql as
           $$ begin if new.v = 2 then raise 'refused' using errcode = '22P05'; end if; return new; end $$;
           create trigger refuse before insert on ingest.reading_gauge for each row execute function ingest.refuse()"""
    )
    log = Log()
    with sink(warehouse) as store:
        write(store, *map(log.message, [numbered(1), numbered(2), numbered(3)]))
        write(store, log.birth(other), log.message(telemetry(other, 1, {"p": [(T0, 9)]}), "gw-2"), log.birth(OF))
        assert rows(connection, "select count(*) from ingest.dead_letter") == [(0,)]
        store.idle()
    assert rows(connection, "select v from ingest.reading_gauge order by 1") == [(1,), (3,), (9,)]
    assert rows(connection, "select reason, epoch, seq from ingest.dead_letter") == [("database", EPOCH, 2)]
    assert rows(connection, "select settled::text, rejected::text from ingest.ledger where gateway = 'gw'") == [
        ("{[1,4)}", "{[2,3)}")
    ]
    assert rows(connection, "select count(*) from ingest.parked_message") == [(0,)]


def test_a_bomb_is_refused_in_little_memory(warehouse: str, connection: Connection) -> None:
    """A gibibyte of zeros packs into a mebibyte; a bomb within a bomb stays packed."""
    one = gzip.compress(bytes(64 << 20), 9)
    zeros = one * 16
    nested = gzip.compress(zeros)
    log, packed = Log(), {"content-encoding": b"gzip"}
    tracemalloc.start()
    try:
        for bomb in (zeros, one):
            with pytest.raises(BadRecord, match="too_large"):
                decompress(bomb, "gzip")
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    with sink(warehouse) as store:
        write(
            store,
            log.birth(OF),
            log.message(numbered(1)),
            *(log.message(value, headers=packed) for value in (zeros, nested, zeros[:-5], zeros[:100])),
            log.message(numbered(2)),
        )
    assert [reason for (reason,) in rows(connection, 'select reason from ingest.dead_letter order by "offset"')] == [
        "too_large",
        "not_json",
        "too_large",
        "not_gzip",
    ]
    assert rows(connection, "select count(*) from ingest.reading_gauge") == [(2,)]


texts = st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
).map(lambda found: json.dumps(found).encode("utf-8", "surrogatepass"))
near = st.fixed_dictionaries(
    {},
    optional={
        key: st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=3)
        for key in ("v", "b", "epoch", "seq", "sent", "series", "dropped", "gateway", "kind", "at", "online", "clock")
    },
).map(lambda found: json.dumps(found).encode("utf-8", "surrogatepass"))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([TELEMETRY.name, BIRTHS.name, STATES.name, EVENTS.name, REFUSED.name]),
            st.binary(max_size=12) | st.just(b"gw"),
            texts | near,
            st.dictionaries(
                st.sampled_from(["received", "content-encoding", "retained", "reason", "mqtt-topic", "x"]),
                st.binary(max_size=8) | st.just(b"gzip"),
                max_size=3,
            ),
        ),
        max_size=12,
    )
)
def test_no_bytes_stop_the_sink(
    warehouse: str, connection: Connection, found: list[tuple[str, bytes, bytes, dict[str, bytes]]]
) -> None:
    connection.execute("truncate ingest.sink_offset")
    ((before,),) = rows(connection, "select count(*) from ingest.batch")
    log = Log()
    records = []
    for topic, key, value, headers in found:
        made = log.add(topic, "gw", value, headers=headers)
        records.append(Record(topic, 0, made.offset, key, value, made.headers, made.timestamp_ms))
    with sink(warehouse) as store:
        write(store, log.birth(OF), *records, log.message(numbered(1)))
    assert rows(connection, "select count(*) from ingest.batch") == [(before + 1,)]
    assert rows(connection, "select v from ingest.reading_gauge") == [(1,)]
