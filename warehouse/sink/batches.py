"""Batches: the number of a transaction, and what it says about itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stream.clients import Source
from stream.topics import Partition, Record
from warehouse.postgres import Connection, statement

_SQL = "warehouse.sink"


class Begun(NamedTuple):
    """A batch that has begun."""

    batch: int
    closed_ms: float
    """The watermark, UTC milliseconds, may be infinite; it stands still until the batch ends."""


def begin(connection: Connection) -> Begun:
    """Take a number for this transaction and hold the watermark."""
    row = connection.execute(statement(_SQL, "begin.sql")).fetchone()
    if row is None:
        raise LookupError("ingest.watermark has no row; a migration puts it there and nothing may take it away")
    return Begun(*row)


def end(connection: Connection, batch: int, sink: str, records: int, readings: int) -> None:
    """Write down the batch; the last thing before the commit."""
    connection.execute(
        statement(_SQL, "batch_end.sql"),
        {"batch": batch, "sink": sink, "records": records, "readings": readings},
    )


def from_where(
    connection: Connection,
    batch: int,
    records: Sequence[Record],
    following: Mapping[Partition, int],
    source: Source,
) -> None:
    """Write down which part of Kafka the batch was made from; of each partition in order."""
    firsts = {(record.topic, record.partition): record.offset for record in reversed(records)}
    partitions = sorted(following)
    connection.execute(
        statement(_SQL, "batch_source.sql"),
        {
            "batch": batch,
            "topics": [partition.topic for partition in partitions],
            "topic_ids": [source.topic_ids[partition.topic] for partition in partitions],
            "partitions": [partition.partition for partition in partitions],
            "firsts": [firsts.get(partition) for partition in partitions],
            "offsets": [following[partition] for partition in partitions],
        },
    )
