"""What a store has to offer to the consumer loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from edge_agent.contract.errors import Retryable
from stream.clients import Source
from stream.topics import Partition, Record


class StaleOffset(Retryable):
    """The stored offset is not the expected one: another member wrote since the store was asked."""


class Store(Protocol):
    """Keeps records and offsets together. All calls come from one thread, one at a time."""

    def assigned(self, partitions: Sequence[Partition], source: Source) -> Mapping[Partition, int | None]:
        """Return the next offset of each partition as it is stored; ``None``: begin at the beginning.

        ``None`` when the partition was never seen, or was stored from another ``source``. ``Retryable`` when the
        store is away: the same call comes again.
        """

    def write(self, records: Sequence[Record], next_offsets: Mapping[Partition, int]) -> None:
        """Commit ``records`` and ``next_offsets`` in one transaction.

        ``Retryable``: nothing was committed, and the same call comes again (without the partitions that were revoked
        meanwhile). ``StaleOffset``: nothing was committed, :meth:`assigned` comes next.
        """

    def lost(self, partition: Partition, stored: int, log_start: int) -> None:
        """Record that ``stored`` … ``log_start - 1`` are gone; may come again until a later offset is stored."""

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """Forget ``partitions``: they may be somebody else's now. Does no I/O and does not fail."""

    def idle(self) -> None:
        """Do what is due by the clock.

        Called at least once a second while the store is not being retried; every few seconds while a new client
        looks for Kafka.
        """
