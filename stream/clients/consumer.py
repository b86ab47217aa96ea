"""The consumer: where to begin is said by its owner, never by Kafka."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.errors import KafkaError, LogTruncationError, OffsetOutOfRangeError
from kafka.structs import OffsetAndMetadata

from edge_agent.contract.errors import PulseError
from stream.clients.faults import translate, translated
from stream.clients.opening import forbid_creation, opening
from stream.topics import MAX_RECORD_BYTES, Partition, Record

LOOKUP_TIMEOUT_S: Final = 3.0
"""How long a question for log starts and ends may take."""


@dataclass(frozen=True, slots=True)
class Source:
    """Which log an offset belongs to: another cluster, or a topic made anew, is another log."""

    cluster_id: str
    topic_ids: Mapping[str, str]


class Watcher(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """Hears of assignments on kafka-python's I/O thread, while the consumer's owner waits in ``poll`` or ``close``.

    New partitions are paused before anything is fetched, and get a position so that kafka-python does not look for a
    committed one (and, finding none, raises); :meth:`Consumer.poll` then tells its owner.
    """

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Note what is no longer ours, and see the join through that has begun with this.

        kafka-python 3.0.12 begins one when topics vanish, and gives it up without a word when they are back before
        the group has let it in (made anew, or Kafka restarted and not ready): it then has no partitions for good.
        """
        self._consumer._changes.append((False, _partitions(revoked)))
        self._consumer._inner._coordinator.request_rejoin()

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Hold what is ours now and note it."""
        partitions = _partitions(assigned)
        self._consumer.hold(partitions)
        self._consumer._changes.append((True, partitions))


class Consumer:
    """Reads records; where to begin is said by its owner, never by Kafka."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._changes: list[tuple[bool, tuple[Partition, ...]]] = []
        self._cluster = forbid_creation(inner)

    def subscribe(self, topics: Sequence[str]) -> None:
        """Join the group for ``topics``; :meth:`poll` does the joining.

        The topics are looked up first: a member that leads its group before it knows them gives everybody nothing,
        and one that is then killed hands just that on to whoever comes back under its name.
        """
        self._inner.subscribe(list(topics), listener=Watcher(self))
        for topic in topics:
            self.partitions_of(topic)

    def assign(self, partitions: Sequence[Partition]) -> None:
        """Read ``partitions`` without a group; each needs a :meth:`seek` before the next :meth:`poll`."""
        self._inner.assign([TopicPartition(*partition) for partition in partitions])

    def partitions_of(self, topic: str) -> tuple[Partition, ...]:
        """Return the partitions of ``topic``; empty when it does not exist."""
        with translated(f"partitions of {topic}"):
            found = self._inner.partitions_for_topic(topic) or ()
        return tuple(Partition(topic, number) for number in sorted(found))

    def poll(self, timeout_s: float, max_records: int) -> list[Record]:
        """Return up to ``max_records`` records, in order within each partition.

        ``PositionLost`` when a position is not in the log; nothing was returned and it is raised again until a seek.
        """
        with translated("poll"):
            try:
                found = self._inner.poll(timeout_ms=int(timeout_s * 1000), max_records=max_records)
            except (LogTruncationError, OffsetOutOfRangeError):
                # Perhaps it is another log: have its identity asked now, not when the present answer is too old.
                self._cluster.request_update()
                raise
        return [_record(raw) for batch in found.values() for raw in batch]

    def changes(self) -> list[tuple[bool, tuple[Partition, ...]]]:
        """Return and forget what was assigned (True) and revoked (False) since the last call, in order."""
        found, self._changes = self._changes, []
        return found

    def hold(self, partitions: Sequence[Partition]) -> None:
        """Fetch nothing from ``partitions`` until they are released at an offset; see :meth:`_ours`."""
        places = self._ours(partitions)
        for place in places:
            self._inner.seek(place, 0)
        self._inner.pause(*places)

    def release(self, partition: Partition, offset: int) -> None:
        """Go on with ``partition`` at ``offset``; see :meth:`_ours`."""
        for place in self._ours([partition]):
            self._inner.seek(place, offset)
            self._inner.resume(place)

    def pause(self) -> None:
        """Fetch nothing; :meth:`poll` then only keeps the membership alive."""
        self._inner.pause(*self._inner.assignment())

    def resume(self, partitions: Sequence[Partition]) -> None:
        """Go on with ``partitions`` where they were; see :meth:`_ours`."""
        self._inner.resume(*self._ours(partitions))

    def _ours(self, partitions: Sequence[Partition]) -> list[Any]:
        """Return ``partitions`` without those that the last poll took away; :meth:`changes` tells which these are."""
        assigned = self._inner.assignment()
        return [place for partition in partitions if (place := TopicPartition(*partition)) in assigned]

    def bounds(self, partitions: Sequence[Partition]) -> dict[Partition, tuple[int, int]]:
        """Return log start and log end of each partition."""
        places = [TopicPartition(*partition) for partition in partitions]
        if not places:
            return {}
        timeout_ms = int(LOOKUP_TIMEOUT_S * 1000)
        with translated("log bounds"):
            starts = self._inner.beginning_offsets(places, timeout_ms=timeout_ms)
            ends = self._inner.end_offsets(places, timeout_ms=timeout_ms)
        return {
            partition: (int(starts[place]), int(ends[place]))
            for partition, place in zip(partitions, places, strict=True)
        }

    def first_since(self, partition: Partition, t_ms: int) -> int | None:
        """Return the offset of the first record appended at ``t_ms`` or later; ``None`` when there is none."""
        place = TopicPartition(*partition)
        with translated("offset by time"):
            found = self._inner.offsets_for_times({place: t_ms}, timeout_ms=int(LOOKUP_TIMEOUT_S * 1000))[place]
        return None if found is None else int(found.offset)

    def source(self, topics: Sequence[str]) -> Source | None:
        """Return the identity of the logs as last heard from Kafka; ``None`` while a topic is missing.

        ``ClusterMetadata.topic_id`` is public in kafka-python, the way from a consumer to it is not.
        """
        cluster_id = self._cluster.cluster_id
        ids = {topic: self._cluster.topic_id(topic) for topic in topics}
        if not cluster_id or not all(ids.values()):
            return None
        return Source(str(cluster_id), {topic: str(found) for topic, found in ids.items()})

    def position(self, partition: Partition) -> int:
        """Return the offset that comes next; it was set by :meth:`release`."""
        with translated("position"):
            return int(self._inner.position(TopicPartition(*partition), timeout_ms=0))

    def lag(self, partitions: Sequence[Partition]) -> int:
        """Return how many records of ``partitions`` were not read yet, as far as the last answers of Kafka tell."""
        lag = 0
        for partition in partitions:
            highwater = self._inner.highwater(TopicPartition(*partition))
            lag += 0 if highwater is None else max(0, int(highwater) - self.position(partition))
        return lag

    def committed(self, partition: Partition) -> int | None:
        """Return the offset that Kafka has for the group; ``None`` when it has none."""
        with translated("committed offset"):
            found = self._inner.committed(TopicPartition(*partition), timeout_ms=int(LOOKUP_TIMEOUT_S * 1000))
        return None if found is None else int(found)

    def commit_soon(self, offsets: Mapping[Partition, int], failed: Callable[[PulseError], None]) -> None:
        """Tell Kafka ``offsets``; ``failed`` hears, during a later :meth:`poll`, when it would not take them."""

        def heard(_: Any, answer: Any) -> None:
            if isinstance(answer, KafkaError):
                failed(translate(answer, "commit"))

        try:
            self._inner.commit_async(_commits(offsets), callback=heard)
        except KafkaError as error:
            failed(translate(error, "commit"))

    def commit(self, offsets: Mapping[Partition, int], timeout_s: float) -> None:
        """Tell Kafka ``offsets`` and wait for its answer."""
        with translated("commit"):
            self._inner.commit(_commits(offsets), timeout_ms=int(timeout_s * 1000))

    def close(self, timeout_s: float = 2.0) -> None:
        """Leave the group and disconnect; harmless when Kafka is away."""
        with translated("close a consumer"):
            self._inner.close(autocommit=False, timeout_ms=int(timeout_s * 1000))


def open_consumer(
    bootstrap: str,
    client_id: str,
    group: str,
    *,
    instance: str | None = None,
    max_poll_interval_s: float = 300.0,
    session_timeout_s: float = 10.0,
    fetch_bytes: int = 16 << 20,
) -> Consumer:
    """Connect a consumer that commits nothing by itself and refuses to choose a starting point.

    ``instance`` makes it a static member: restarted within ``session_timeout_s`` it gets its partitions back at once.
    ``fetch_bytes`` bounds what waits in memory for each broker.
    """
    with opening(bootstrap, client_id, "connect a consumer") as shared:
        inner = KafkaConsumer(
            **shared,
            group_id=group,
            group_instance_id=instance,
            auto_offset_reset="none",
            enable_auto_commit=False,
            max_poll_interval_ms=int(max_poll_interval_s * 1000),
            session_timeout_ms=int(session_timeout_s * 1000),
            heartbeat_interval_ms=int(min(3.0, session_timeout_s / 3) * 1000),
            fetch_max_bytes=fetch_bytes,
            max_partition_fetch_bytes=max(MAX_RECORD_BYTES, fetch_bytes // 8),
            fetch_max_wait_ms=500,
            metrics_enabled=False,
        )
        return Consumer(inner)


def _partitions(places: Any) -> tuple[Partition, ...]:
    return tuple(sorted(Partition(place.topic, place.partition) for place in places))


def _record(raw: Any) -> Record:
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, dict(raw.headers), raw.timestamp)


def _commits(offsets: Mapping[Partition, int]) -> dict[Any, Any]:
    return {TopicPartition(*partition): OffsetAndMetadata(offset, "", -1) for partition, offset in offsets.items()}
