"""Moments of a membership that genuine Kafka gives only by luck, with a scripted client in its place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from edge_agent.contract.errors import PulseError, Retryable
from stream.clients import Consumer, PositionLost, Source
from stream.consumer import ConsumerSettings, Partition, Record
from stream.health import Health
from stream.membership import LANDING_S, REPLACE_AFTER, Membership
from tests.stream.eventually import eventually
from tests.stream.ledger import Ledger, LedgerStore, Taken

PLACE = Partition("t", 0)
OLD, NEW = Source("c", {"t": "old"}), Source("c", {"t": "new"})


def records(first: int, count: int, word: bytes = b"") -> list[Record]:
    return [Record("t", 0, offset, b"k", word + b"%d" % offset, {}, 0) for offset in range(first, first + count)]


@dataclass
class Step:
    """What one poll brings."""

    found: list[Record] = field(default_factory=list)
    changes: list[tuple[bool, tuple[Partition, ...]]] = field(default_factory=list)
    source: Source | None = OLD
    error: PulseError | None = None
    then: Callable[[], None] = lambda: None


class Script(Consumer):
    """A client that plays ``steps``, and tells its owner to stop when it is polled again and ``done`` by then."""

    def __init__(
        self, steps: Sequence[Step], bounds: tuple[int, int] = (0, 1000), done: Callable[[], bool] = lambda: True
    ) -> None:
        self.stop = threading.Event()
        self.released: list[int] = []
        self.waits_s: list[float] = []
        self.told: dict[Partition, int] = {}
        self.first: int | None = None
        self._steps = list(steps)
        self._done = done
        self._give_up_mono_s = time.monotonic() + 60
        self._now = Step()
        self._ends = bounds

    def subscribe(self, topics: Sequence[str]) -> None:
        pass

    def poll(self, timeout_s: float, max_records: int) -> list[Record]:
        self.waits_s.append(timeout_s)
        if not self._steps:
            self._now = Step(source=self._now.source)
            time.sleep(min(timeout_s, 0.01))
            if self._done() or time.monotonic() > self._give_up_mono_s:
                self.stop.set()
            return []
        self._now = self._steps.pop(0)
        self._now.then()
        if self._now.error is not None:
            raise self._now.error
        return self._now.found

    def changes(self) -> list[tuple[bool, tuple[Partition, ...]]]:
        return self._now.changes

    def source(self, topics: Sequence[str]) -> Source | None:
        return self._now.source

    def hold(self, partitions: Sequence[Partition]) -> None:
        pass

    def release(self, partition: Partition, offset: int) -> None:
        self.released.append(offset)

    def pause(self) -> None:
        pass

    def resume(self, partitions: Sequence[Partition]) -> None:
        pass

    def bounds(self, partitions: Sequence[Partition]) -> dict[Partition, tuple[int, int]]:
        return dict.fromkeys(partitions, self._ends)

    def first_since(self, partition: Partition, t_ms: int) -> int | None:
        return self.first

    def commit_soon(self, offsets: Mapping[Partition, int], failed: Callable[[PulseError], None]) -> None:
        self.told |= offsets

    def commit(self, offsets: Mapping[Partition, int], timeout_s: float) -> None:
        self.told |= offsets

    def close(self, timeout_s: float = 2.0) -> None:
        pass


MINE = Step(changes=[(True, (PLACE,))])


def play(script: Script, store: LedgerStore, **changed: object) -> None:
    settings = ConsumerSettings.model_validate(
        {"bootstrap": "none", "max_wait_ms": 0, "retry_first_s": 0.001, "retry_most_s": 0.002} | changed
    )
    membership = Membership(settings, store, script, ["t"], Health(settings, store, "g", time.monotonic))
    try:
        membership.run(script.stop)
    finally:
        membership.close()


def test_records_of_a_log_that_replaced_the_old_one_are_not_taken_for_the_old_ones() -> None:
    ledger = Ledger()
    store = LedgerStore(ledger)
    # The new log is longer than the old one was: its records look like the continuation.
    script = Script(
        [MINE, Step(records(0, 5)), Step(records(5, 5, b"n"), source=NEW), Step(records(0, 10, b"n"), source=NEW)]
    )
    play(script, store)
    assert ledger.values() == [b"%d" % n for n in range(5)] + [b"n%d" % n for n in range(10)]
    assert store.sources == [OLD, NEW]
    assert script.released == [0, 0]


def test_a_topic_that_is_missing_for_a_moment_changes_nothing() -> None:
    ledger = Ledger()
    store = LedgerStore(ledger)
    play(Script([MINE, Step(records(0, 2)), Step(source=None), Step(records(2, 2))]), store)
    assert ledger.values() == [b"0", b"1", b"2", b"3"]
    assert store.sources == [OLD]


def test_what_a_revocation_takes_is_not_written() -> None:
    ledger = Ledger(away=True)
    store = LedgerStore(ledger)

    def back() -> None:
        ledger.away = False

    steps = [
        Step(changes=[(True, (PLACE,))], then=back),
        Step(records(0, 3), then=lambda: setattr(ledger, "away", True)),
        Step(changes=[(False, (PLACE,))]),
        Step(then=back),
        Step(then=lambda: time.sleep(0.01)),
    ]
    play(Script(steps), store)
    assert ledger.records == []
    assert store.taken == [(PLACE,)]


def test_a_cut_of_which_kafka_says_where_goes_back_to_it() -> None:
    ledger = Ledger()
    store = LedgerStore(ledger)
    cut = PositionLost({PLACE: 6}, "log truncated")
    script = Script([MINE, Step(records(0, 10)), Step(error=cut), Step(records(6, 5, b"n"))])
    play(script, store)
    assert script.released == [0, 6]
    assert ledger.values()[10:] == [b"n%d" % n for n in range(6, 11)]
    assert ledger.offsets[PLACE] == 11


def test_a_client_that_fails_again_and_again_is_given_up() -> None:
    failing = [Step(error=Retryable("nobody answers")) for _ in range(REPLACE_AFTER + 1)]
    script = Script([MINE, *failing])
    with pytest.raises(Retryable, match="nobody answers"):
        play(script, LedgerStore(Ledger()))
    assert not script.stop.is_set()


def test_a_client_that_fails_now_and_then_is_kept() -> None:
    failing = [Step(error=Retryable("nobody answers")) for _ in range(REPLACE_AFTER - 1)]
    ledger = Ledger()
    steps = [MINE, *failing, Step(records(0, 1)), *failing, Step(records(1, 1))]
    play(Script(steps, done=lambda: ledger.offsets.get(PLACE) == 2), LedgerStore(ledger))
    assert ledger.values() == [b"0", b"1"]


def test_the_next_batch_is_read_and_prepared_while_one_is_being_written() -> None:
    ledger, prepared_next = Ledger(), threading.Event()

    def written_late(records: Sequence[Record]) -> None:
        if records[0].offset == 0:
            assert prepared_next.wait(60)

    class Preparing(LedgerStore):
        def prepare(self, records: Sequence[Record]) -> Taken:
            if records[0].offset == 3:
                prepared_next.set()
            return super().prepare(records)

    steps = [MINE, Step(records(0, 3)), Step(records(3, 4)), Step(records(7, 1))]
    script = Script(steps, done=lambda: ledger.offsets.get(PLACE) == 8)
    play(script, Preparing(ledger, written_late), max_records=4)
    assert ledger.values() == [b"%d" % n for n in range(8)]
    assert prepared_next.is_set()


def test_no_more_than_one_batch_is_prepared_ahead() -> None:
    ledger, prepared, written = Ledger(), list[int](), list[int]()

    class Counting(LedgerStore):
        def prepare(self, records: Sequence[Record]) -> Taken:
            assert len(prepared) - len(written) <= 1
            prepared.append(records[0].offset)
            return super().prepare(records)

    steps = [MINE, *(Step(records(number, 1)) for number in range(20))]
    script = Script(steps, done=lambda: ledger.offsets.get(PLACE) == 20)
    play(script, Counting(ledger, lambda found: written.append(found[0].offset)), max_records=1)
    assert prepared == written == list(range(20))


def test_polls_are_short_while_a_prepared_batch_waits_for_the_end_of_a_write() -> None:
    ledger = Ledger()
    steps = [MINE, Step(records(0, 3)), Step(records(3, 4))]
    script = Script(steps, done=lambda: ledger.offsets.get(PLACE) == 7)

    def slow(found: Sequence[Record]) -> None:
        if found[0].offset == 0:
            eventually(lambda: len(script.waits_s) >= 8, 60)

    play(script, LedgerStore(ledger, slow), max_records=4)
    assert max(script.waits_s[3:8]) <= LANDING_S


def test_what_a_write_does_not_take_comes_with_the_next_one() -> None:
    ledger = Ledger()
    store = LedgerStore(ledger)
    store.most = 4
    play(
        Script([MINE, Step(records(0, 10)), Step(records(10, 1))], done=lambda: ledger.offsets.get(PLACE) == 11), store
    )
    assert ledger.values() == [b"%d" % n for n in range(11)]
    assert max(store.batches) == 4


def test_a_batch_that_was_prepared_during_a_write_that_failed_comes_after_it() -> None:
    ledger, failed = Ledger(), list[int]()

    def fails_once(found: Sequence[Record]) -> None:
        if not failed:
            failed.append(found[0].offset)
            raise Retryable("the database is away")

    store = LedgerStore(ledger, fails_once)
    steps = [MINE, Step(records(0, 3)), Step(records(3, 4))]
    play(Script(steps, done=lambda: ledger.offsets.get(PLACE) == 7), store, max_records=4)
    assert failed == [0]
    assert store.attempts[1] == store.attempts[0]
    assert ledger.values() == [b"%d" % n for n in range(7)]


def test_a_stale_write_takes_what_was_prepared_after_it_along() -> None:
    ledger = Ledger()

    def overtaken(found: Sequence[Record]) -> None:
        if found[0].offset == 3 and ledger.offsets.get(PLACE) == 3:
            with ledger.lock:
                ledger.offsets[PLACE] = 5

    store = LedgerStore(ledger, overtaken)
    script = Script(
        [MINE, Step(records(0, 3)), Step(records(3, 2)), Step(records(5, 2))], done=lambda: len(script.released) == 2
    )
    play(script, store, max_records=3)
    assert script.released == [0, 5]
    assert ledger.values() == [b"0", b"1", b"2"]
    assert ledger.offsets == {PLACE: 5}


def test_a_revocation_during_a_write_is_told_after_it() -> None:
    ledger, told = Ledger(), list[str]()

    def slow(_: Sequence[Record]) -> None:
        time.sleep(0.02)
        told.append("written")

    class Telling(LedgerStore):
        def revoked(self, partitions: Sequence[Partition]) -> None:
            told.append("revoked")
            super().revoked(partitions)

    play(Script([MINE, Step(records(0, 3)), Step(changes=[(False, (PLACE,))])]), Telling(ledger, slow))
    assert told == ["written", "revoked"]
    assert ledger.offsets == {PLACE: 3}


def test_kafka_is_told_the_last_offsets_at_the_end() -> None:
    ledger = Ledger()
    script = Script([MINE, Step(records(0, 3)), Step(records(3, 4))], done=lambda: ledger.offsets.get(PLACE) == 7)
    play(script, LedgerStore(ledger))
    assert script.told == {PLACE: 7}
