"""The way down: a thread that reads commands from Kafka and keeps how far they were published.

It goes on from the offset committed for the bridge: up to there the MQTT broker acknowledged everything. When the
broker lost our session, it may have lost what it retained too (a restart without persistence); then the topic is read
from its beginning and the last command of each kind and gateway is published again, retained ones only: a request
for births was for its time. Of what is read at once only the last command under each key is published.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from edge_agent.contract.errors import BadRecord, Misconfigured, Retryable
from edge_agent.contract.topics import ROOT, parse_down
from stream.backoff import Backoff
from stream.bridge.progress import Progress
from stream.clients import Consumer, open_consumer
from stream.topics import COMMANDS, Partition, Record

log = logging.getLogger(__name__)

POLL_S: Final = 0.5
COMMIT_EVERY_S: Final = 1.0
AT_ONCE: Final = 5_000
QUIET_POLLS: Final = 4
"""Empty polls after which the end of the log counts as reached: compaction may have taken the records before it."""


class Order(NamedTuple):
    """One command to be published."""

    place: Partition
    offset: int
    topic: str
    payload: bytes
    retain: bool


def order_of(record: Record) -> Order:
    """Return what to publish for a record of the commands topic; ``BadRecord`` when it is no command.

    A record without value (a tombstone) clears what the broker retains.
    """
    topic = f"{ROOT}/{(record.key or b'').decode('utf-8', 'replace').replace('/', '/cmd/', 1)}"
    command = parse_down(topic).command
    if record.value is None and not command.retained:
        raise BadRecord("command", f"{topic} is not retained, there is nothing to clear")
    return Order(record.place, record.offset, topic, record.value or b"", command.retained)


class Downlink:
    """Reads on a thread of its own; :meth:`take`, :meth:`done` and :meth:`replay` are for the bridge's thread."""

    def __init__(self, bootstrap: str, client_id: str, most_queued: int, wake: Callable[[], None]) -> None:
        self._bootstrap = bootstrap
        self._group = f"{client_id}-commands"
        self._wake = wake
        self._orders: queue.Queue[Order] = queue.Queue(most_queued)
        self._finished: deque[tuple[Partition, int]] = deque()
        self._replay = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="downlink", daemon=True)
        self._failure: Misconfigured | None = None
        self.skipped = 0
        """Records that are no commands."""
        self.lag = 0
        """Records not read yet."""

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def end(self) -> None:
        """Ask it to stop, without waiting: it may be looking for Kafka for some seconds."""
        self._stop.set()

    def close(self, timeout_s: float) -> None:
        """Stop reading and commit what is done."""
        self._stop.set()
        self._thread.join(timeout_s)

    def check(self) -> None:
        """Raise ``Misconfigured`` when the thread ended because a person has to act."""
        if self._failure is not None:
            raise self._failure

    def take(self) -> Order | None:
        """Return the next command to publish; ``None`` while there is none."""
        try:
            return self._orders.get_nowait()
        except queue.Empty:
            return None

    def done(self, order: Order) -> None:
        """Note that the MQTT broker answered for ``order``."""
        self._finished.append((order.place, order.offset))

    def replay(self) -> None:
        """Publish again what is retained: the MQTT broker may have forgotten it."""
        self._replay.set()

    def _run(self) -> None:
        backoff = Backoff(0.5, 10.0)
        while not self._stop.is_set():
            try:
                consumer = open_consumer(self._bootstrap, self._group, self._group)
                try:
                    self._follow(consumer, backoff)
                finally:
                    consumer.close(1.0)
            except Misconfigured as error:
                self._failure = error
                self._wake()
                return
            except Retryable as error:
                wait_s = backoff.next_s()
                log.warning("event=commands_not_read wait_s=%.1f error=%s", wait_s, error)
                self._stop.wait(wait_s)

    def _follow(self, consumer: Consumer, backoff: Backoff) -> None:
        partitions = consumer.partitions_of(COMMANDS.name)
        if not partitions:
            raise Retryable(f"topic {COMMANDS.name} does not exist: g60 stream topics ensure")
        consumer.assign(partitions)
        progress = Progress()
        bounds = consumer.bounds(partitions)
        committed = {place: consumer.committed(place) for place in partitions}
        for place, (log_start, log_end) in bounds.items():
            kept = committed[place]
            # An offset outside is one of another log under the same name.
            consumer.release(place, kept if kept is not None and log_start <= kept <= log_end else log_start)
        told: dict[Partition, int] = {}
        while not self._stop.is_set():
            if self._replay.is_set():
                self._replay.clear()
                self._read_again(consumer, progress, partitions)
            self._issue(consumer.poll(POLL_S, AT_ONCE), progress, consumer, partitions)
            backoff.reset()
            self._finish(progress)
            told = self._tell(consumer, progress, told)
            self.lag = consumer.lag(partitions)
        self._finish(progress)
        if progress.safe() != told:
            consumer.commit(progress.safe(), timeout_s=1.0)

    def _read_again(self, consumer: Consumer, progress: Progress, partitions: Sequence[Partition]) -> None:
        """Publish the last retained command of each key among those read before."""
        until = {place: consumer.position(place) for place in partitions}
        for place, (log_start, _) in consumer.bounds(partitions).items():
            consumer.release(place, log_start)
        latest: dict[bytes | None, Record] = {}
        quiet = 0
        while quiet < QUIET_POLLS and not self._stop.is_set():
            if all(consumer.position(place) >= until[place] for place in partitions):
                break
            found = consumer.poll(POLL_S, AT_ONCE)
            quiet = 0 if found else quiet + 1
            latest |= {record.key: record for record in found if record.offset < until[record.place]}
        for place in partitions:
            consumer.release(place, until[place])
        log.info("event=commands_replayed keys=%d", len(latest))
        self._put([order for order in self._orders_of(latest.values()) if order.retain], progress)

    def _issue(
        self, records: Sequence[Record], progress: Progress, consumer: Consumer, partitions: Sequence[Partition]
    ) -> None:
        latest = {record.key: record for record in records}
        self._put(self._orders_of(latest.values()), progress)
        for place in partitions:
            progress.passed(place, consumer.position(place))

    def _orders_of(self, records: Iterable[Record]) -> list[Order]:
        orders = []
        for record in records:
            try:
                orders.append(order_of(record))
            except BadRecord as error:
                self.skipped += 1
                log.warning(
                    "event=command_skipped partition=%d offset=%d error=%s", record.partition, record.offset, error
                )
        return sorted(orders)

    def _put(self, orders: Sequence[Order], progress: Progress) -> None:
        for order in orders:
            progress.begin(order.place, order.offset)
        for order in orders:
            while not self._stop.is_set():
                try:
                    self._orders.put(order, timeout=POLL_S)
                    self._wake()
                    break
                except queue.Full:
                    self._finish(progress)

    def _finish(self, progress: Progress) -> None:
        while self._finished:
            progress.done(*self._finished.popleft())

    def _tell(self, consumer: Consumer, progress: Progress, told: dict[Partition, int]) -> dict[Partition, int]:
        safe = progress.safe()
        if safe != told:
            consumer.commit_soon(safe, lambda error: log.info("event=commands_not_committed error=%s", error))
        return safe
