"""What was read and is not written yet: bounded by records, bytes and time. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic

from stream.settings import ConsumerSettings
from stream.store import P
from stream.topics import Partition, Record

READY_AHEAD: Final = 2
"""Batches that are prepared: one is being written, the next one waits for it."""


@dataclass(frozen=True, slots=True)
class Batch(Generic[P]):
    """What one write gets."""

    prepared: P
    next_offsets: Mapping[Partition, int]


class Unwritten(Generic[P]):
    """Records in the order they were read: the first of them in prepared batches, the others as they came."""

    def __init__(self, settings: ConsumerSettings, prepare: Callable[[Sequence[Record]], P]) -> None:
        self._settings = settings
        self._prepare = prepare
        self._ready: deque[Batch[P]] = deque()
        self._read: deque[Record] = deque()
        self._read_bytes = 0
        self._due_at_mono_s = 0.0
        self._left_due_at_mono_s = 0.0

    @property
    def first(self) -> Batch[P] | None:
        """The batch to be written now, the same until :meth:`wrote` or :meth:`drop`; ``None`` when none is ready."""
        return self._ready[0] if self._ready else None

    @property
    def full(self) -> bool:
        """True when no further batch is prepared before one is written."""
        return len(self._ready) >= READY_AHEAD

    @property
    def room(self) -> int:
        """How many records may be read now."""
        if self._read_bytes >= self._settings.max_bytes:
            return 0
        return max(0, self._settings.max_records - len(self._read))

    def add(self, records: Sequence[Record], now_mono_s: float) -> None:
        """Take in what was read."""
        if records and not self._read:
            self._due_at_mono_s = now_mono_s + self._settings.max_wait_ms / 1000
        self._read.extend(records)
        self._read_bytes += sum(record.size for record in records)

    def due_in_s(self, now_mono_s: float) -> float | None:
        """Return after how long the records that are not prepared have waited enough; ``None`` when there are none.

        While a batch is ready, those that it left over wait as if they had come after it: there may be more by then.
        """
        if not self._read:
            return None
        due_at_mono_s = max(self._due_at_mono_s, self._left_due_at_mono_s) if self._ready else self._due_at_mono_s
        return max(0.0, due_at_mono_s - now_mono_s) if self.room else 0.0

    def make_ready(self, now_mono_s: float) -> None:
        """Prepare what is due, up to :data:`READY_AHEAD` batches."""
        while not self.full and self.due_in_s(now_mono_s) == 0.0:
            records = self._next()
            prepared = self._prepare(records)
            left = records[len(prepared.records) :]
            self._read.extendleft(reversed(left))
            self._left_due_at_mono_s = now_mono_s + self._settings.max_wait_ms / 1000
            self._read_bytes += sum(record.size for record in left)
            self._ready.append(Batch(prepared, _offsets_after(prepared.records)))

    def wrote(self) -> None:
        """Forget the first batch: it is stored."""
        self._ready.popleft()

    def drop(self, gone: Iterable[Partition]) -> None:
        """Forget the records of ``gone``; what was prepared together with them is prepared again."""
        places = set(gone)
        if any(places & batch.next_offsets.keys() for batch in self._ready):
            self._read.extendleft(
                record for batch in reversed(self._ready) for record in reversed(batch.prepared.records)
            )
            self._ready.clear()
            self._due_at_mono_s = 0.0
        self._read = deque(record for record in self._read if record.place not in places)
        self._read_bytes = sum(record.size for record in self._read)

    def _next(self) -> list[Record]:
        """Take out the next records, at least one and no more than a write may have."""
        records: list[Record] = []
        size = 0
        while self._read and len(records) < self._settings.max_records:
            if records and size + self._read[0].size > self._settings.max_bytes:
                break
            record = self._read.popleft()
            records.append(record)
            size += record.size
        self._read_bytes -= size
        return records


def _offsets_after(records: Sequence[Record]) -> dict[Partition, int]:
    """Return where reading goes on after ``records``, which are in order within each partition."""
    lasts = {(record.topic, record.partition): record.offset for record in records}
    return {Partition(*place): offset + 1 for place, offset in lasts.items()}
