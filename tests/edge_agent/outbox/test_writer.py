"""The writing thread: group commits, composing in time, and waiting while nothing can be written."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from edge_agent.contract.errors import PulseError, Retryable
from edge_agent.contract.event import Event, EventKind
from edge_agent.outbox.batches import Bounds
from edge_agent.outbox.intake import Compression, Intake
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.writer import PATIENCE_S, Batching, Question, Waiting, Writer
from edge_agent.sources import Poll
from tests.edge_agent.outbox.models import MANY_BYTES, NOW_MS, birth, everything, gauges, marked, opened, pending_times
from tests.edge_agent.publisher.fakes import MovedClock

LONG_S: Final = 3_600.0
SOON_S: Final = 20.0
Settled = tuple[tuple[int, ...], PulseError | None]


class Desk:
    """A writer in a thread, and what it said."""

    def __init__(self, path: Path, batching: Batching, max_bytes: int = MANY_BYTES) -> None:
        self.path = path
        self.clock = MovedClock()
        self.settled: queue.SimpleQueue[Settled] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.composed = threading.Semaphore(0)
        self.writer: Writer[int] = Writer(
            batching, self.clock, self._settled, lambda _, value: self.answers.put(value), self.composed.release
        )
        self.outbox = Outbox(path, max_bytes, now_ms=lambda: NOW_MS)
        self.thread = threading.Thread(target=self._run)
        self.error: Exception | None = None
        self.prepare: Callable[[Intake], None] = lambda _: None

    def _settled(self, tickets: Sequence[int], error: PulseError | None) -> None:
        self.settled.put((tuple(tickets), error))

    def _run(self) -> None:
        with self.outbox, self.outbox.intake(Bounds(1_000, 16 << 10), Compression.NONE) as intake:
            intake.adopt(birth())
            self.prepare(intake)
            try:
                self.writer.run(intake)
            except Retryable as error:
                self.error = error

    def put(self, ticket: int, poll: Poll) -> None:
        self.writer.put(Waiting(poll, ticket, self.clock.mono_s()))

    def finish(self) -> None:
        self.writer.stop()
        self.thread.join(SOON_S)
        assert not self.thread.is_alive()


def test_polls_that_wait_together_share_a_commit_and_are_settled_after_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "o.db", Batching(LONG_S, 10_000, 1 << 20))
    for ticket in range(5):
        desk.put(ticket, gauges(ticket * 10, 10))
    desk.thread.start()
    assert desk.settled.get(timeout=SOON_S) == ((0, 1, 2, 3, 4), None)
    assert sorted(pending_times(desk.path)) == list(range(50))
    desk.finish()
    assert pending_times(desk.path) == [], "stopping composes"
    assert len(everything(desk.path)) == 1


def test_messages_are_made_in_time_and_when_there_is_enough(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "o.db", Batching(0.05, 1_000, 1 << 20))
    desk.thread.start()
    desk.put(1, gauges(0, 1_000))
    assert desk.composed.acquire(timeout=SOON_S), "enough readings, although no time passed"
    desk.put(2, gauges(1_000, 1))
    desk.settled.get(timeout=SOON_S)
    desk.settled.get(timeout=SOON_S)
    assert not desk.composed.acquire(blocking=False)
    desk.clock.forward(0.1)
    desk.put(3, gauges(1_001, 1))
    assert desk.composed.acquire(timeout=SOON_S), "in time"
    desk.finish()
    assert len(everything(desk.path)) == 2


def test_what_a_crash_left_pending_is_composed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    with opened(path) as (_, intake, _):
        intake.adopt(birth())
        intake.record([gauges(0, 7)])
    desk = Desk(path, Batching(LONG_S, 10_000, 1 << 20))
    desk.thread.start()
    assert desk.composed.acquire(timeout=SOON_S)
    desk.finish()


def test_a_question_is_answered_after_what_was_put_before_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "o.db", Batching(LONG_S, 10_000, 1 << 20))
    desk.writer.put(Question("place", 0))
    desk.thread.start()
    assert desk.answers.get(timeout=SOON_S) is None
    desk.put(1, marked(gauges(0, 1), "page 7"))
    desk.writer.put(Question("place", 0))
    assert desk.answers.get(timeout=SOON_S) == "page 7"
    desk.finish()


def test_events_wake_the_publisher(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "o.db", Batching(LONG_S, 10_000, 1 << 20))
    desk.thread.start()
    desk.writer.put(Event(kind=EventKind.STARTED, at=1))
    assert desk.composed.acquire(timeout=SOON_S)
    desk.finish()


def test_a_poll_waits_while_nothing_can_be_written_and_is_written_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound of the file is the full disk here: SQLite says SQLITE_FULL for both."""
    desk = Desk(tmp_path / "o.db", Batching(LONG_S, 10**6, 1 << 30))
    found: list[Intake] = []

    def fill(intake: Intake) -> None:
        intake._database.pragma("main.max_page_count = 1")
        found.append(intake)

    desk.prepare = fill
    record = Intake.record
    tries = threading.Semaphore(0)

    def counted(intake: Intake, polls: Sequence[Poll], events: Sequence[Event] = ()) -> int:
        tries.release()
        return record(intake, polls, events)

    monkeypatch.setattr(Intake, "record", counted)
    desk.thread.start()
    desk.put(1, gauges(0, 2_000))
    for _ in range(4):
        assert tries.acquire(timeout=SOON_S)
    assert desk.settled.empty()

    desk.clock.forward(PATIENCE_S)
    tickets, error = desk.settled.get(timeout=SOON_S)
    assert tickets == (1,)
    assert isinstance(error, Retryable), "its source is told"

    desk.put(2, gauges(5_000, 2_000))
    for _ in range(4):
        assert tries.acquire(timeout=SOON_S)
    monkeypatch.setattr(
        Intake,
        "record",
        lambda intake, polls, events=(): (
            intake._database.bound(MANY_BYTES),
            record(intake, polls, events),
        )[1],
    )
    assert desk.settled.get(timeout=SOON_S) == ((2,), None)
    desk.finish()
    assert desk.error is None


def test_after_the_end_nothing_is_taken_and_nobody_waits_for_ever(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "o.db", Batching(LONG_S, 10**6, 1 << 30))
    desk.prepare = lambda intake: intake._database.pragma("main.max_page_count = 1")
    desk.put(1, gauges(0, 20_000))
    desk.thread.start()
    desk.finish()
    tickets, error = desk.settled.get(timeout=SOON_S)
    assert tickets == (1,)
    assert isinstance(error, Retryable)
    with pytest.raises(Retryable, match="ended"):
        desk.put(2, gauges(0, 1))


def test_damage_ends_the_writer(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "o.db", Batching(LONG_S, 10_000, 1 << 20))

    def spoil(intake: Intake) -> None:
        intake.record([gauges(0, 3_000)])
        intake._database.pragma("wal_checkpoint(TRUNCATE)")
        found = bytearray(desk.path.read_bytes())
        found[4096:] = b"\x55" * (len(found) - 4096)
        desk.path.write_bytes(found)
        intake._database.pragma("main.cache_size = 0")
        intake._database.pragma("main.shrink_memory")

    desk.prepare = spoil
    desk.put(1, gauges(0, 3_000))
    desk.thread.start()
    tickets, error = desk.settled.get(timeout=SOON_S)
    assert tickets == (1,)
    assert error is not None
    desk.thread.join(SOON_S)
    assert type(desk.error).__name__ == "OutboxDamaged"
