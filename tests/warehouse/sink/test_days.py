"""What a write leaves for those who count: days, numbers of readings, repetitions, and births said."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.sink.feed import T0, Log, birth, sink, telemetry, write
from warehouse.postgres import Connection
from warehouse.sink.days import days_of, readings_of
from warehouse.sink.readings import Columns

OF = birth()
DAY_MS = 86_400_000


def columns(rows: list[tuple[int, int]]) -> Columns:
    """Rows of message and time."""
    message, t_ms = np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.int64)
    empty = np.zeros(len(rows))
    return Columns(empty.astype(np.int32), t_ms, empty, None, empty.astype(np.int16), message)


@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, (1 << 63) - 1), st.integers(0, 1 << 45)), min_size=1, max_size=30), max_size=3
    ),
    st.data(),
)
def test_days_and_numbers_are_those_of_the_rows(tables: list[list[tuple[int, int]]], data: st.DataObject) -> None:
    rows = [row for table in tables for row in table]
    again = data.draw(st.sets(st.sampled_from([message for message, _ in rows]))) if rows else set()
    found = [columns(table) for table in tables]
    assert days_of(found) == {(message >> 40, (t_ms + 28_800_000) // DAY_MS) for message, t_ms in rows}
    counted: dict[int, int] = {}
    for message, _ in rows:
        if message not in again:
            counted[message >> 40] = counted.get(message >> 40, 0) + 1
    assert readings_of(found, again) == counted


def touched(connection: Connection) -> list[str]:
    found = connection.execute("select touched::text from ingest.ledger order by ledger_id").fetchall()
    return [text for (text,) in found]


@pytest.mark.parametrize(("t_ms", "day"), [(1_790_006_399_999, "2026-09-21"), (1_790_006_400_000, "2026-09-22")])
def test_a_day_begins_at_midnight_of_shanghai(warehouse: str, connection: Connection, t_ms: int, day: str) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF), log.message(telemetry(OF, 1, {"p": [(t_ms, 1)]})))
    first = date.fromisoformat(day)
    assert touched(connection) == [f"{{[{first},{date.fromordinal(first.toordinal() + 1)})}}"]


def test_days_ahead_and_times_that_cannot_be_believed_mark_nothing(warehouse: str, connection: Connection) -> None:
    log = Log()
    far = 4_000_000_000_000
    with sink(warehouse) as store:
        bad = telemetry(
            OF, 1, {"e": [(T0, -1), (T0 - DAY_MS, -1), (far, -1), (5, -1)], "p": [(far, 1)], "none": [(1, 1)]}
        )
        write(store, log.birth(OF), log.message(bad))
    assert touched(connection) == ["{[2026-09-20,2026-09-22)}"]


def test_what_is_marked_is_not_written_again_and_null_stays_everything(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        write(store, log.birth(OF), log.message(telemetry(OF, 1, {"p": [(T0, 1)]})))
        connection.execute("update ingest.ledger set touched = null")
        write(store, log.message(telemetry(OF, 2, {"p": [(T0 + 1, 1)]})))
    assert connection.execute("select touched from ingest.ledger").fetchall() == [(None,)]


def test_readings_are_counted_once_and_repetitions_apart(warehouse: str, connection: Connection) -> None:
    log = Log()
    one, two = (telemetry(OF, seq, {"p": [(T0 + seq, 1), (T0 + seq + 10, 1)]}) for seq in (1, 2))
    with sink(warehouse) as store:
        write(store, log.birth(OF), log.message(one), log.message(one))
        write(store, log.message(one), log.message(two), log.message(two))
    counted = connection.execute("select readings, repeated, stored_count from ingest.ledger_status").fetchall()
    assert counted == [(4, 3, 2)]


def test_a_birth_is_said_when_it_is_another_one_than_before(warehouse: str, connection: Connection) -> None:
    log, other = Log(), birth(agent="other")
    with sink(warehouse) as store:
        write(store, log.birth(OF))
        write(store, log.birth(OF), log.birth(OF))
        again = [log.birth(other), log.birth(OF), log.birth(OF), log.birth(other)]
        write(store, *again)
        write(store, again[0])
    said = connection.execute(
        "select b.agent from ingest.birth_said s join ingest.birth b using (birth_id) order by s.said_at"
    ).fetchall()
    assert said == [("",), ("other",), ("",), ("other",)]
