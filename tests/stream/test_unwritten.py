"""What waits to be written is bounded, keeps its order, and comes in batches of the right size."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.settings import ConsumerSettings
from stream.topics import MAX_RECORD_BYTES, Partition, Record
from stream.unwritten import READY_AHEAD, Unwritten
from tests.stream.ledger import Taken

PLACES = [Partition("t", number) for number in range(3)]


def record(offset: int, partition: int = 0, size: int = 1) -> Record:
    return Record("t", partition, offset, None, b"x" * size, {}, 0)


def unwritten(most: int | None = None, **changed: object) -> Unwritten[Taken]:
    settings = ConsumerSettings.model_validate({"bootstrap": "none", **changed})
    return Unwritten(settings, lambda records: Taken(records[:most]))


def offsets(waiting: Unwritten[Taken]) -> list[int]:
    assert waiting.first is not None
    return [one.offset for one in waiting.first.prepared.records]


def test_the_first_record_waits_for_more_no_longer_than_it_may() -> None:
    waiting = unwritten(max_wait_ms=200)
    assert waiting.due_in_s(0.0) is None
    waiting.add([record(0)], 10.0)
    waiting.add([record(1)], 10.1)
    assert waiting.due_in_s(10.15) == pytest.approx(0.05)
    waiting.make_ready(10.15)
    assert waiting.first is None
    waiting.make_ready(10.2)
    assert offsets(waiting) == [0, 1]
    assert waiting.due_in_s(11.0) is None


def test_as_many_records_as_a_write_may_have_wait_for_nothing() -> None:
    waiting = unwritten(max_records=3)
    waiting.add([record(0), record(1), record(2)], 0.0)
    assert waiting.room == 0
    waiting.make_ready(0.0)
    assert offsets(waiting) == [0, 1, 2]
    assert waiting.room == 3


def test_as_many_bytes_as_a_write_may_have_wait_for_nothing_and_none_has_more() -> None:
    waiting = unwritten(max_bytes=MAX_RECORD_BYTES)
    third = MAX_RECORD_BYTES // 3
    waiting.add([record(number, size=third) for number in range(5)], 0.0)
    assert waiting.room == 0
    waiting.make_ready(0.0)
    assert offsets(waiting) == [0, 1, 2]


def test_a_record_that_is_larger_than_a_write_may_be_comes_alone() -> None:
    waiting = unwritten(max_bytes=MAX_RECORD_BYTES)
    waiting.add([record(0, size=MAX_RECORD_BYTES + 1), record(1)], 0.0)
    waiting.make_ready(0.0)
    assert offsets(waiting) == [0]


def test_what_a_batch_left_over_waits_for_more_while_that_batch_does() -> None:
    waiting = unwritten(most=3, max_wait_ms=200)
    waiting.add([record(0), record(1), record(2), record(3)], 0.0)
    waiting.make_ready(1.0)
    assert offsets(waiting) == [0, 1, 2]
    assert waiting.due_in_s(1.0) == pytest.approx(0.2)
    waiting.add([record(4)], 1.1)
    assert waiting.due_in_s(1.1) == pytest.approx(0.1)
    waiting.wrote()
    assert waiting.due_in_s(1.1) == 0.0
    waiting.make_ready(1.1)
    assert offsets(waiting) == [3, 4]


def test_nothing_is_prepared_beyond_the_next_batch() -> None:
    waiting = unwritten(max_records=1, max_wait_ms=0)
    waiting.add([record(number) for number in range(9)], 0.0)
    waiting.make_ready(0.0)
    for number in range(READY_AHEAD):
        assert offsets(waiting) == [number]
        waiting.wrote()
    assert waiting.first is None


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), max_size=30),
    st.lists(st.sampled_from(["add", "ready", "wrote", "drop"]), max_size=40),
    st.integers(1, 6),
    st.integers(1, 6),
    st.data(),
)
def test_every_record_is_written_once_and_in_order_or_dropped(
    sent: list[tuple[int, int]], deeds: list[str], most: int, max_records: int, data: st.DataObject
) -> None:
    waiting = unwritten(most, max_records=max_records, max_wait_ms=0)
    records = [record(offset, partition, size) for offset, (partition, size) in enumerate(sent)]
    to_come, written = list(records), list[Record]()
    dropped: set[int] = set()
    for deed in deeds:
        if deed == "add":
            count = data.draw(st.integers(0, 5))
            waiting.add(to_come[:count], 0.0)
            del to_come[:count]
        elif deed == "ready":
            waiting.make_ready(0.0)
        elif deed == "wrote" and waiting.first is not None:
            written += take(waiting, most, max_records)
        elif deed == "drop":
            gone = data.draw(st.integers(0, 2))
            waiting.drop([PLACES[gone]])
            read = len(records) - len(to_come)
            dropped |= {one.offset for one in records[:read] if one.partition == gone and one not in written}
    waiting.add(to_come, 0.0)
    waiting.make_ready(0.0)
    while waiting.first is not None:
        written += take(waiting, most, max_records)
        waiting.make_ready(0.0)
    assert [one.offset for one in written] == [one.offset for one in records if one.offset not in dropped]


def take(waiting: Unwritten[Taken], most: int, max_records: int) -> Sequence[Record]:
    batch = waiting.first
    assert batch is not None
    found = batch.prepared.records
    assert 1 <= len(found) <= min(most, max_records)
    last = {one.place: one.offset for one in found}
    assert batch.next_offsets == {place: offset + 1 for place, offset in last.items()}
    waiting.wrote()
    return found
