"""The thread that writes polls: many that wait at once share one commit; between commits messages are composed."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from edge_agent.clock import Clock
from edge_agent.contract.errors import PulseError, Retryable
from edge_agent.contract.event import Event
from edge_agent.outbox.database import OutboxDamaged, OutboxUnavailable
from edge_agent.outbox.events import KEPT_EVENTS
from edge_agent.outbox.intake import Composed, Intake
from edge_agent.outbox.troubles import Troubles
from edge_agent.sources import Poll

_log = logging.getLogger(__name__)

PATIENCE_S: Final = 60.0
"""How long a poll waits while nothing can be written, before its source is told."""
_RETRY_S: Final = 0.5
_REPORT_S: Final = 30.0
"""How often a buffer without new readings is asked whether it has removals to report."""
_COMPLAIN_S: Final = 60.0
_COMMIT_POLLS: Final = 1_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    """A poll to be written; ``ticket`` is given back when it is, or when it will not be."""

    poll: Poll
    ticket: T
    since_mono_s: float


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What was last recorded under ``key``?"""

    key: str
    ticket: T


@dataclass(frozen=True, slots=True)
class Batching:
    """When messages are made of what is pending."""

    every_s: float
    readings: int
    payload_bytes: int


@dataclass(slots=True)
class _Group(Generic[T]):
    waiting: list[Waiting[T]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    questions: list[Question[T]] = field(default_factory=list)
    last: bool = False


class Writer(Generic[T]):
    """Writes what is put to it, in that order, until it is stopped.

    ``settled(tickets, error)`` is called from the writing thread with the tickets of polls that are on disk
    (``error`` is ``None``) or will never be; ``answered(ticket, value)`` with the answer to a question; ``composed()``
    when there is something new to send.
    """

    def __init__(
        self,
        batching: Batching,
        clock: Clock,
        settled: Callable[[Sequence[T], PulseError | None], None],
        answered: Callable[[T, str | None], None],
        composed: Callable[[], None],
    ) -> None:
        self._batching = batching
        self._clock = clock
        self._settled = settled
        self._answered = answered
        self._composed = composed
        self._items: queue.SimpleQueue[Waiting[T] | Question[T] | Event | None] = queue.SimpleQueue()
        self._open = threading.Lock()
        self._closed = False
        self._pending_readings = 0
        self._pending_bytes = 0
        self._compose_mono_s = 0.0
        self._complained_mono_s = -_COMPLAIN_S
        self._unwritable_mono_s: float | None = None
        self._troubles = Troubles()

    def put(self, item: Waiting[T] | Question[T] | Event) -> None:
        """Have ``item`` written; ``Retryable`` when the writer has ended."""
        with self._open:
            if self._closed:
                raise Retryable("the recorder has ended, nothing can be written")
            self._items.put(item)

    def stop(self) -> None:
        """Have everything put so far written and composed, then end."""
        self._items.put(None)

    def run(self, intake: Intake) -> None:
        """Write until stopped.

        ``OutboxDamaged`` ends it, and so does ``OutboxUnavailable`` when it lasts for :data:`PATIENCE_S`; what was not
        on disk by then is settled with an error. A full disk is waited out.
        """
        group: _Group[T] = _Group()
        try:
            self._pending_readings = intake.pending_readings()
            self._compose_mono_s = self._clock.mono_s() + (0.0 if self._pending_readings else _REPORT_S)
            while not (group.last and not group.waiting and not group.events):
                self._collect(group)
                if not self._written(intake, group) and group.last:
                    break
                self._answer(intake, group)
                if group.last or self._compose_due():
                    self._compose(intake)
                group.events += self._troubles.overflow(self._clock.utc_ms(), self._clock.mono_s())
        finally:
            self._close(group)

    def _collect(self, group: _Group[T]) -> None:
        """Wait for something to do and add everything that is there to ``group``."""
        until_s = self._compose_mono_s - self._clock.mono_s()
        if group.waiting or group.events:
            until_s = min(until_s, _RETRY_S)
        try:
            item = self._items.get(timeout=max(until_s, 0.001))
            while True:
                if isinstance(item, Waiting):
                    group.waiting.append(item)
                elif isinstance(item, Question):
                    group.questions.append(item)
                elif item is None:
                    group.last = True
                else:
                    group.events.append(item)
                    del group.events[:-KEPT_EVENTS]
                if len(group.waiting) >= _COMMIT_POLLS:
                    return
                item = self._items.get_nowait()
        except queue.Empty:
            return

    def _written(self, intake: Intake, group: _Group[T]) -> bool:
        """Commit ``group``; False when that is not possible now and its polls have to wait on."""
        if not group.waiting and not group.events:
            return True
        polls = [item.poll for item in group.waiting]
        try:
            try:
                recorded_bytes = intake.record(polls, group.events)
            except Retryable as error:
                if isinstance(error, OutboxDamaged):
                    raise
                # Composing turns pending polls into shorter messages and applies the overflow policy.
                self._compose(intake)
                recorded_bytes = intake.record(polls, group.events)
        except OutboxDamaged:
            raise
        except Retryable as error:
            self._complain(error, len(polls))
            self._troubles.unwritable(self._clock.utc_ms())
            now_mono_s = self._clock.mono_s()
            self._unwritable_mono_s = self._unwritable_mono_s or now_mono_s
            if isinstance(error, OutboxUnavailable) and now_mono_s - self._unwritable_mono_s >= PATIENCE_S:
                raise
            self._give_up_the_impatient(group, error)
            return False
        self._unwritable_mono_s = None
        news = self._troubles.writable(self._clock.utc_ms())
        if polls and not self._pending_readings:
            self._compose_mono_s = self._clock.mono_s() + self._batching.every_s
        self._pending_readings += sum(len(poll.readings) for poll in polls)
        self._pending_bytes += recorded_bytes
        tickets = [item.ticket for item in group.waiting]
        if group.events:
            self._composed()
        group.waiting.clear()
        group.events[:] = news
        if tickets:
            self._settled(tickets, None)
        return True

    def _complain(self, error: Retryable, polls: int) -> None:
        now_mono_s = self._clock.mono_s()
        if now_mono_s - self._complained_mono_s >= _COMPLAIN_S:
            self._complained_mono_s = now_mono_s
            _log.error("outbox.unwritable polls_waiting=%d error=%r (缓冲无法写入，采集等待中)", polls, str(error))

    def _give_up_the_impatient(self, group: _Group[T], error: Retryable) -> None:
        late_mono_s = self._clock.mono_s() - PATIENCE_S
        late = [item for item in group.waiting if item.since_mono_s <= late_mono_s]
        group.waiting[:] = [item for item in group.waiting if item.since_mono_s > late_mono_s]
        if late:
            self._troubles.refused(len(late), sum(len(item.poll.readings) for item in late))
            self._settled([item.ticket for item in late], error)

    def _answer(self, intake: Intake, group: _Group[T]) -> None:
        if group.waiting:
            return  # the answer may be waiting to be written
        for question in group.questions:
            self._answered(question.ticket, intake.bookmark(question.key))
        group.questions.clear()

    def _compose_due(self) -> bool:
        return (
            self._clock.mono_s() >= self._compose_mono_s
            or self._pending_readings >= self._batching.readings
            # Pending polls repeat each series' name: twice the bytes of the messages made of them.
            or self._pending_bytes >= 2 * self._batching.payload_bytes
        )

    def _compose(self, intake: Intake) -> None:
        more, inheriting = True, False
        while more:
            try:
                composed = intake.compose(self._clock.utc_ms())
            except OutboxDamaged:
                raise
            except Retryable as error:
                self._complain(error, 0)
                self._compose_mono_s = self._clock.mono_s() + self._batching.every_s
                return
            more, inheriting = composed.more, composed.inheriting
            _log_composed(composed)
            self._troubles.overflowed(composed.dropped)
            if composed.messages:
                self._composed()
        self._pending_readings = self._pending_bytes = 0
        # What is numbered anew goes step by step, and polls that wait are written in between.
        self._compose_mono_s = self._clock.mono_s() + (0.0 if inheriting else _REPORT_S)

    def _close(self, group: _Group[T]) -> None:
        with self._open:
            self._closed = True
        left = [item.ticket for item in group.waiting] + [item.ticket for item in group.questions]
        while not self._items.empty():
            item = self._items.get_nowait()
            if isinstance(item, Waiting | Question):
                left.append(item.ticket)
        if left:
            self._settled(left, Retryable("the recorder has ended, this was not written"))


def _log_composed(composed: Composed) -> None:
    if composed.dropped:
        reasons = ",".join(sorted({gap.reason for gap in composed.dropped}))
        _log.error(
            "outbox.overflow messages=%d readings=%d reasons=%s (缓冲已满，按策略丢弃未发送的数据)",
            len(composed.dropped),
            sum(gap.readings for gap in composed.dropped),
            reasons,
        )
    if composed.messages:
        _log.debug("outbox.composed messages=%d readings=%d", composed.messages, composed.readings)
