"""One client's life in the group: which partitions are ours, what was read of them, what is to be written.

While a batch is being written in a thread of its own (:mod:`stream.flight`), the next one is read and prepared here.
Everything else that is asked of the store waits until that write has landed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Final, Generic

from edge_agent.contract.errors import Retryable
from stream.announcement import Announcement
from stream.clients import Consumer, PositionLost, Source
from stream.flight import Flight
from stream.health import IDLE_EVERY_S, Health
from stream.position import Verdict, starting_point
from stream.settings import ConsumerSettings
from stream.store import P, StaleOffset, Store
from stream.topics import Partition, Record
from stream.unwritten import Unwritten

log = logging.getLogger(__name__)

LANDING_S: Final = 0.02
"""How late the end of a write may be seen while the next one waits for it."""
LONG_WRITE_S: Final = 5.0
"""A write that takes longer is waited for without polling: so Kafka gives the partitions of a member that is stuck to
another, after ``max_poll_interval_s``."""
REPLACE_AFTER: Final = 20
"""Polls that failed in a row until the client is replaced. Sooner would cost more than it mends: the old member keeps
its partitions for a session time-out, while kafka-python finds a Kafka that was restarted by itself."""


class Membership(Generic[P]):
    """Reads with ``consumer`` until told to stop, or until the client is broken (``Retryable``)."""

    def __init__(
        self, settings: ConsumerSettings, store: Store[P], consumer: Consumer, topics: Sequence[str], health: Health
    ) -> None:
        self._settings = settings
        self._store = store
        self._consumer = consumer
        self._topics = topics
        self._health = health
        self._stop = threading.Event()
        self._failed_polls = 0
        self._source: Source | None = None
        self._unsettled: set[Partition] = set()
        """Ours, held, and the store has not been asked yet."""
        self._settled: set[Partition] = set()
        """Ours and being read."""
        self._cuts: dict[Partition, int] = {}
        self._unwritten = Unwritten(settings, store.prepare)
        self._flight = Flight(store)
        self._retry_at_mono_s = 0.0
        self._paused = False
        self._announcement = Announcement(consumer, health.group)

    def run(self, stop: threading.Event) -> None:
        """Join the group, read and write."""
        self._stop = stop
        self._consumer.subscribe(self._topics)
        while not stop.is_set():
            now = self._health.now_mono_s()
            if self._may_read(now):
                self._poll()
            else:
                self._flight.wait(IDLE_EVERY_S)
            now = self._health.now_mono_s()
            if self._flight.done:
                self._land()
            if now >= self._retry_at_mono_s:
                if not (self._paused or self._flight.under_way):
                    self._health.idle()
                self._proceed(now)
            self._announcement.tell(now)
            self._health.report(len(self._settled))

    def close(self) -> None:
        """Wait for the write that is under way and leave the group.

        What Kafka was not told for its display of lag is told if it answers at once.
        """
        writing = self._unwritten.first if self._flight.under_way else None
        try:
            self._flight.land()
            if writing is not None:
                self._announcement.owe(writing.next_offsets)
        except Retryable as error:
            log.info("event=last_write_failed group=%s error=%s", self._health.group, error)
        finally:
            self._flight.close()
            self._leave()

    def _leave(self) -> None:
        self._announcement.tell_all()
        try:
            self._consumer.close()
        except Retryable as error:
            log.info("event=left_without_goodbye group=%s error=%s", self._health.group, error)
        owned = self._settled | self._unsettled
        if owned:
            self._store.revoked(sorted(owned))

    def _may_read(self, now: float) -> bool:
        """False while a write has to end first."""
        if not self._flight.under_way:
            return True
        enough = self._unwritten.full and not self._unwritten.room
        return not enough and self._flight.age_s(now) < LONG_WRITE_S

    def _proceed(self, now: float) -> None:
        """Settle what is ours, have one batch written and the next one ready."""
        try:
            if self._unsettled:
                self._settle()
        except Retryable as error:
            self._store_away(error)
            return
        self._take_off(now)
        self._unwritten.make_ready(now)
        self._take_off(now)

    def _take_off(self, now: float) -> None:
        batch = self._unwritten.first
        if batch is not None and not self._flight.under_way:
            self._flight.start(batch, now)

    def _land(self) -> None:
        """Wait for the end of the write that is under way, if there is one, and take note of what came of it."""
        batch = self._unwritten.first
        if batch is None or not self._flight.under_way:
            return
        try:
            self._flight.land()
        except StaleOffset as error:
            self._retry_at_mono_s = self._health.now_mono_s() + self._health.failed("stale_offset", error)
            self._start_over(self._settled)
        except Retryable as error:
            self._store_away(error)
        else:
            self._unwritten.wrote()
            self._announcement.owe(batch.next_offsets)
            self._health.wrote(len(batch.prepared.records))
            self._works()

    def _store_away(self, error: Retryable) -> None:
        self._retry_at_mono_s = self._health.now_mono_s() + self._health.failed("store_away", error)
        self._consumer.pause()
        self._paused = True

    def _poll(self) -> None:
        now = self._health.now_mono_s()
        wait_s = IDLE_EVERY_S
        if now < self._retry_at_mono_s:
            wait_s = min(wait_s, self._retry_at_mono_s - now)
        elif self._unwritten.full:
            wait_s = LANDING_S
        elif (due_in_s := self._unwritten.due_in_s(now)) is not None:
            wait_s = min(wait_s, due_in_s)
        found: list[Record] = []
        lost: PositionLost | None = None
        try:
            found = self._consumer.poll(wait_s, max(1, self._unwritten.room))
        except PositionLost as error:
            lost = error
        except Retryable as error:
            self._failed_polls += 1
            if self._failed_polls >= REPLACE_AFTER:
                raise
            self._stop.wait(min(IDLE_EVERY_S, self._health.failed("kafka_away", error)))
        else:
            self._failed_polls = 0
        self._hear()
        if lost is not None:
            log.error("event=position_lost group=%s error=%s", self._health.group, lost)
            self._cuts |= {place: at for place, at in lost.diverged.items() if at is not None}
            self._start_over(self._settled)
        self._compare_source()
        fresh = [record for record in found if (record.topic, record.partition) in self._settled]
        self._unwritten.add(fresh, self._health.now_mono_s())

    def _hear(self) -> None:
        """Take note of what the group gave and took during the poll."""
        for ours, partitions in self._consumer.changes():
            if not partitions:
                continue
            event = "assigned" if ours else "revoked"
            log.info("event=%s group=%s partitions=%s", event, self._health.group, _names(partitions))
            self._land()
            self._drop(set(partitions))
            self._settled.difference_update(partitions)
            if ours:
                self._unsettled.update(partitions)
            else:
                self._unsettled.difference_update(partitions)
                self._store.revoked(partitions)

    def _compare_source(self) -> None:
        """Start over with the topics that are other logs than when the store was asked."""
        before, found = self._source, self._consumer.source(self._topics)
        if before is None or found is None or found == before:
            return
        self._source = found
        changed = {
            place
            for place in self._settled
            if found.cluster_id != before.cluster_id or found.topic_ids[place.topic] != before.topic_ids[place.topic]
        }
        if changed:
            log.error("event=log_replaced group=%s partitions=%s", self._health.group, _names(changed))
            self._start_over(changed)

    def _start_over(self, partitions: Iterable[Partition]) -> None:
        """Forget what was read of ``partitions`` and ask the store again before anything else is read of them."""
        self._land()
        again = set(partitions)
        self._drop(again)
        self._consumer.hold(sorted(again))
        self._settled -= again
        self._unsettled |= again

    def _drop(self, gone: set[Partition]) -> None:
        self._unwritten.drop(gone)
        self._announcement.forget(gone)

    def _settle(self) -> None:
        """Ask the store where to begin and release the partitions there; they came after the last write had landed."""
        source = self._consumer.source(self._topics)
        if source is None:
            raise Retryable(f"not all of {', '.join(self._topics)} exist: g60 stream topics ensure")
        partitions = sorted(self._unsettled)
        stored = self._store.assigned(partitions, source)
        bounds = self._consumer.bounds(partitions)
        for place in partitions:
            self._consumer.release(place, self._begin(place, stored[place], *bounds[place]))
            self._unsettled.discard(place)
            self._settled.add(place)
        self._source = source
        self._works()

    def _begin(self, place: Partition, stored: int | None, log_start: int, log_end: int) -> int:
        verdict, offset = starting_point(stored, log_start, log_end, self._cuts.pop(place, None))
        if verdict is Verdict.LOST and stored is not None:
            self._store.lost(place, stored, log_start)
        if offset is None:
            since_ms = time.time_ns() // 1_000_000 - int(self._settings.rewind_s * 1000)
            found = self._consumer.first_since(place, since_ms)
            offset = log_end if found is None else found
        log.log(
            logging.ERROR if verdict in (Verdict.LOST, Verdict.CUT) else logging.DEBUG,
            "event=begins group=%s topic=%s partition=%d verdict=%s offset=%d stored=%s log_start=%d log_end=%d",
            *(self._health.group, place.topic, place.partition, verdict, offset, stored, log_start, log_end),
        )
        return offset

    def _works(self) -> None:
        """Go back to normal after something that may have failed before did not."""
        self._health.works()
        if self._paused and not self._unsettled:
            self._consumer.resume(sorted(self._settled))
            self._paused = False


def _names(partitions: Iterable[Partition]) -> str:
    return ",".join(f"{place.topic}-{place.partition}" for place in sorted(partitions))
