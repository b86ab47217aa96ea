"""What is kept of records and readings that cannot be stored, or not yet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from psycopg.types.json import Jsonb

from stream.clients import Source
from stream.topics import Record
from warehouse.postgres import Connection, statement, text
from warehouse.sink.days import touch_refused
from warehouse.sink.intake import Refused, Told
from warehouse.sink.readings import Rejected

_SQL: Final = "warehouse.sink"


def bury(connection: Connection, refused: Sequence[Refused], source: Source, batch: int) -> None:
    """Keep records that nothing can be made of, whole, with the reason; safe to repeat."""
    if not refused:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            statement(_SQL, "dead_letter_add.sql"),
            [
                {
                    **_envelope(one.record, source),
                    "reason": text(one.reason)[:100],
                    "detail": text(one.detail)[:2_000],
                    "gateway": one.gateway,
                    "epoch": None if one.identity is None else one.identity.epoch,
                    "seq": None if one.identity is None else one.identity.seq,
                    "batch": batch,
                }
                for one in refused
            ],
        )


def reject(connection: Connection, rejected: Sequence[Rejected], batch: int) -> set[int]:
    """Keep single readings with the reason; return the messages that added some."""
    if not rejected:
        return set()
    touch_refused(connection, rejected)
    added = connection.execute(
        statement(_SQL, "reading_rejected_add.sql"),
        {
            "messages": [one.message for one in rejected],
            "names": [one.name for one in rejected],
            "series_ids": [one.series_id for one in rejected],
            "t_ms": [one.t_ms for one in rejected],
            "values": [None if one.value is None else json.dumps(one.value) for one in rejected],
            "q": [one.q for one in rejected],
            "reasons": [one.reason for one in rejected],
            "details": [text(one.detail) for one in rejected],
            "batch": batch,
        },
    )
    return {message for (message,) in added}


def park(connection: Connection, told: Sequence[Told], source: Source, batch: int, most: int) -> int:
    """Keep messages until their birth comes, at most ``most`` per gateway; return how many there was no room for.

    Parked messages are not settled: what is not kept here is sent again by its agent.
    """
    if not told:
        return 0
    counts = Counter[str]()
    for gateway, count in connection.execute(
        statement(_SQL, "parked_count.sql"), {"gateways": sorted({one.gateway for one in told})}
    ):
        counts[gateway] = count
    kept: list[Told] = []
    for one in told:
        if counts[one.gateway] < most:
            counts[one.gateway] += 1
            kept.append(one)
    with connection.cursor() as cursor:
        cursor.executemany(
            statement(_SQL, "parked_add.sql"),
            [
                {
                    **_envelope(one.record, source),
                    "gateway": one.gateway,
                    "digest": one.telemetry.birth,
                    "epoch": one.telemetry.epoch,
                    "seq": one.telemetry.seq,
                    "batch": batch,
                }
                for one in kept
            ],
        )
    return len(told) - len(kept)


def unpark(connection: Connection, most: int) -> list[Record]:
    """Take out messages whose birth is known by now, at most ``most``."""
    rows = connection.execute(statement(_SQL, "parked_take.sql"), {"most": most})
    return [
        Record(topic, partition, offset, bytes(key), bytes(value), headers_from(headers), timestamp_ms)
        for _, topic, partition, offset, key, value, headers, timestamp_ms in rows
    ]


def headers_to(headers: Mapping[str, bytes]) -> dict[str, Any]:
    """Return headers as JSON: text where they are text, ``{"hex": …}`` where not; nothing is lost."""
    found: dict[str, Any] = {}
    for name, value in headers.items():
        try:
            plain = value.decode()
        except UnicodeDecodeError:
            plain = "\0"
        found[text(name)] = {"hex": value.hex()} if "\0" in plain else plain
    return found


def headers_from(stored: Mapping[str, Any]) -> dict[str, bytes]:
    """Undo :func:`headers_to`."""
    return {
        name: value.encode() if isinstance(value, str) else bytes.fromhex(value["hex"])
        for name, value in stored.items()
    }


def _envelope(record: Record, source: Source) -> dict[str, Any]:
    return {
        "topic_id": source.topic_ids.get(record.topic, ""),
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key or b"",
        "value": record.value or b"",
        "headers": Jsonb(headers_to(record.headers)),
        "timestamp_ms": record.timestamp_ms,
    }
