"""A store in memory: records and offsets change together or not at all, and offsets are compared before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edge_agent.contract.errors import Retryable
from stream.consumer import Partition, Record, Source, StaleOffset


@dataclass
class Ledger:
    """What several members write to, as they would to one database."""

    offsets: dict[Partition, int] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    away: bool = False
    """True: every call fails, as when the database is down."""

    def values(self) -> list[bytes]:
        with self.lock:
            return [record.value or b"" for record in self.records]


@dataclass(frozen=True)
class Taken:
    """Records as they are, which is all that this store has to prepare."""

    records: Sequence[Record]


class LedgerStore:
    """One member's way to the ledger; notes what it was asked."""

    def __init__(self, ledger: Ledger, on_write: Callable[[Sequence[Record]], None] = lambda _: None) -> None:
        self.ledger = ledger
        self.on_write = on_write
        self.most: int | None = None
        """Records that a write takes, at most."""
        self.expected: dict[Partition, int | None] = {}
        self.sources: list[Source] = []
        self.asked: list[tuple[Partition, ...]] = []
        self.taken: list[tuple[Partition, ...]] = []
        self.losses: list[tuple[Partition, int, int]] = []
        self.attempts: list[tuple[tuple[Record, ...], dict[Partition, int]]] = []
        self.batches: list[int] = []
        self.idled = 0

    def assigned(self, partitions: Sequence[Partition], source: Source) -> Mapping[Partition, int | None]:
        with self.ledger.lock:
            self._reach()
            self.sources.append(source)
            self.asked.append(tuple(partitions))
            for place in partitions:
                if self.ledger.ids.get(place.topic, source.topic_ids[place.topic]) != source.topic_ids[place.topic]:
                    self.ledger.offsets.pop(place, None)
            self.ledger.ids |= source.topic_ids
            found = {place: self.ledger.offsets.get(place) for place in partitions}
            self.expected |= found
            return found

    def prepare(self, records: Sequence[Record]) -> Taken:
        return Taken(records[: self.most])

    def write(self, prepared: Taken, next_offsets: Mapping[Partition, int]) -> None:
        records = prepared.records
        self.attempts.append((tuple(records), dict(next_offsets)))
        self.on_write(records)
        with self.ledger.lock:
            self._reach()
            for place in next_offsets:
                if self.ledger.offsets.get(place) != self.expected[place]:
                    raise StaleOffset(f"{place} is not at {self.expected[place]}")
            self.ledger.records.extend(records)
            self.ledger.offsets |= next_offsets
            self.expected |= next_offsets
            self.batches.append(len(records))

    def lost(self, partition: Partition, stored: int, log_start: int) -> None:
        self._reach()
        self.losses.append((partition, stored, log_start))

    def revoked(self, partitions: Sequence[Partition]) -> None:
        self.taken.append(tuple(partitions))
        for place in partitions:
            self.expected.pop(place, None)

    def idle(self) -> None:
        self.idled += 1

    def owned(self) -> set[Partition]:
        return set(self.expected)

    def _reach(self) -> None:
        if self.ledger.away:
            raise Retryable("the database is away")
