"""Offsets in the database: read at assignment, compared and moved in the transaction that stores the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stream.clients import Source
from stream.store import StaleOffset
from stream.topics import Partition
from warehouse.postgres import Connection, statement

_SQL = "warehouse.sink"


def read(connection: Connection, partitions: Sequence[Partition], source: Source) -> dict[Partition, int | None]:
    """Return the stored offset of each partition; ``None`` where nothing of ``source`` is stored."""
    rows = connection.execute(statement(_SQL, "offset_read.sql"), _places(partitions, source)).fetchall()
    stored = {Partition(topic, partition): int(offset) for topic, partition, offset in rows}
    return {partition: stored.get(partition) for partition in partitions}


def move(
    connection: Connection,
    expected: Mapping[Partition, int | None],
    following: Mapping[Partition, int],
    source: Source,
) -> None:
    """Lock the partitions of ``following`` and move them there; ``StaleOffset`` unless they stand at ``expected``.

    An offset may move back: Kafka can lose the end of a log, and gives its numbers out again.
    """
    partitions = sorted(following)
    places = _places(partitions, source)
    offsets = [following[partition] for partition in partitions]
    rows = connection.execute(statement(_SQL, "offset_lock.sql"), places).fetchall()
    stored = {Partition(topic, partition): int(offset) for topic, partition, offset in rows}
    for partition in partitions:
        if stored.get(partition) != expected[partition]:
            raise _stale(partition, expected[partition], stored.get(partition))
    if stored:
        connection.execute(statement(_SQL, "offset_advance.sql"), {**places, "offsets": offsets})
    fresh = [partition for partition in partitions if partition not in stored]
    if fresh:
        values = {**_places(fresh, source), "offsets": [following[partition] for partition in fresh]}
        claimed = connection.execute(statement(_SQL, "offset_begin.sql"), values).fetchall()
        for partition in set(fresh).difference(Partition(*row) for row in claimed):
            raise _stale(partition, None, "claimed by another sink")


def lost(connection: Connection, partition: Partition, stored: int, log_start: int, source: Source) -> None:
    """Record that ``stored`` … ``log_start - 1`` are gone; safe to repeat."""
    connection.execute(
        statement(_SQL, "offset_lost.sql"),
        {
            "cluster_id": source.cluster_id,
            "topic_id": source.topic_ids[partition.topic],
            "topic": partition.topic,
            "partition": partition.partition,
            "stored": stored,
            "log_start": log_start,
        },
    )


def _places(partitions: Sequence[Partition], source: Source) -> dict[str, Any]:
    return {
        "cluster_id": source.cluster_id,
        "topics": [partition.topic for partition in partitions],
        "topic_ids": [source.topic_ids[partition.topic] for partition in partitions],
        "partitions": [partition.partition for partition in partitions],
    }


def _stale(partition: Partition, expected: int | None, found: object) -> StaleOffset:
    return StaleOffset(f"{partition.topic}-{partition.partition}: expected offset {expected}, stored is {found}")
