"""What a store has to offer to the consumer loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from edge_agent.contract.errors import Retryable
from stream.clients import Source
from stream.topics import Partition, Record


class StaleOffset(Retryable):
    """The stored offset is not the expected one: another member wrote since the store was asked."""


class Prepared(Protocol):
    """Records made ready to be written."""

    @property
    def records(self) -> Sequence[Record]:
        """The records it was made from."""


P = TypeVar("P", bound=Prepared)


class Store(Protocol[P]):
    """Keeps records and offsets together.

    One call at a time, though not always from the same thread; only :meth:`prepare` is called beside another one.
    """

    def assigned(self, partitions: Sequence[Partition], source: Source) -> Mapping[Partition, int | None]:
        """Return the next offset of each partition as it is stored; ``None``: begin at the beginning.

        ``None`` when the partition was never seen, or was stored from another ``source``. ``Retryable`` when the
        store is away: the same call comes again.
        """

    def prepare(self, records: Sequence[Record]) -> P:
        """Do as much of a write as can be done without I/O, while another write may be under way.

        Takes all of ``records``, or as many of the first ones, at least one, as make a good write; the others come
        again with the next call. What was prepared may never be written.
        """

    def write(self, prepared: P, next_offsets: Mapping[Partition, int]) -> None:
        """Commit ``prepared`` and ``next_offsets`` in one transaction.

        ``Retryable``: nothing was committed, and the same call comes again (when partitions were revoked meanwhile,
        the others' records come again, perhaps with more). ``StaleOffset``: nothing was committed, :meth:`assigned`
        comes next.
        """

    def lost(self, partition: Partition, stored: int, log_start: int) -> None:
        """Record that ``stored`` … ``log_start - 1`` are gone; may come again until a later offset is stored."""

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """Forget ``partitions``: they may be somebody else's now. Does no I/O and does not fail."""

    def idle(self) -> None:
        """Do what is due by the clock.

        Called at least once a second while the store is not being retried and no write takes longer; every few
        seconds while a new client looks for Kafka.
        """
