"""Looks at logs from outside any group: where they begin and end, and how old a record is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from edge_agent.contract.errors import Retryable
from stream.clients.consumer import Consumer, Source, open_consumer
from stream.topics import MAX_RECORD_BYTES, Partition

READ_S: Final = 2.0
"""How long one record may take to come."""


class Bounds(NamedTuple):
    """Where a log begins and ends."""

    start: int
    end: int


class Watch:
    """Watches all partitions of ``topics`` with a client of its own; opened at the first question. One thread."""

    def __init__(self, bootstrap: str, client_id: str, topics: Sequence[str], group: str | None = None) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._group = group or client_id
        self._topics = tuple(topics)
        self._open: Consumer | None = None
        self._places: tuple[Partition, ...] = ()

    def source(self) -> Source:
        """Return the identity of the logs; ``Retryable`` while one is missing."""
        consumer = self._consumer()
        found = consumer.source(self._topics)
        if found is None:
            self.close()
            raise Retryable(f"not all of {', '.join(self._topics)} exist: g60 stream topics ensure")
        return found

    def bounds(self) -> Mapping[Partition, Bounds]:
        """Return where each log begins and ends; ``Retryable`` when Kafka does not answer."""
        consumer = self._consumer()
        return {place: Bounds(*found) for place, found in consumer.bounds(self._places).items()}

    def committed(self) -> Mapping[Partition, int | None]:
        """Return the offsets that Kafka was told by ``group``, which it does not join; ``None`` where it told none."""
        consumer = self._consumer()
        return {place: consumer.committed(place) for place in self._places}

    def age_s(
        self, place: Partition, offset: int, now_s: Callable[[], float] = time.time, read_s: float = READ_S
    ) -> float | None:
        """Return how long ago the record at ``offset`` was appended; ``None`` when it does not come in time."""
        consumer = self._consumer()
        consumer.release(place, offset)
        try:
            until_mono_s = time.monotonic() + read_s
            while (left_s := until_mono_s - time.monotonic()) > 0:
                for record in consumer.poll(left_s, 1):
                    if record.place == place:
                        return max(0.0, now_s() - record.timestamp_ms / 1000)
            return None
        finally:
            consumer.hold([place])

    def close(self) -> None:
        """Disconnect; the next question connects again."""
        if self._open is not None:
            self._open.close(1.0)
            self._open = None

    def _consumer(self) -> Consumer:
        if self._open is None:
            consumer = open_consumer(self._bootstrap, self._client_id, self._group, fetch_bytes=MAX_RECORD_BYTES)
            try:
                self._places = tuple(place for topic in self._topics for place in consumer.partitions_of(topic))
                consumer.assign(self._places)
                consumer.hold(self._places)
            except BaseException:
                consumer.close(1.0)
                raise
            self._open = consumer
        return self._open
