"""What Kafka has of the telemetry."""

from __future__ import annotations

from itertools import chain
from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition

from stream.topics import TELEMETRY


class Appended:
    """Looks at the topic while it is entered; belongs to no group."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._places = [TopicPartition(TELEMETRY.name, number) for number in range(TELEMETRY.partitions)]
        self._consumer: Any = None

    def __enter__(self) -> Self:
        self._consumer = KafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def count(self) -> int:
        """Return how many records there are."""
        return sum(self._consumer.end_offsets(self._places).values())

    def span(self) -> tuple[int, int, float]:
        """Return when the first and the last record were appended (Kafka's UTC milliseconds), and their mean bytes."""
        consumer = self._consumer
        consumer.assign(self._places)
        consumer.seek_to_beginning(*self._places)
        ends = consumer.end_offsets(self._places)
        times: list[int] = []
        size = 0
        while any(consumer.position(place) < end for place, end in ends.items()):
            for record in chain.from_iterable(consumer.poll(timeout_ms=500).values()):
                times.append(record.timestamp)
                size += len(record.value)
        return min(times), max(times), size / len(times)
