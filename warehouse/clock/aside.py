"""Readings that wait for a right time: stored as doubtful, displaced at their wrong time, or refused for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from psycopg.sql import SQL, Composed, Identifier

from edge_agent.contract.birth import Kind
from edge_agent.contract.quality import Quality
from warehouse.postgres import Connection, statement
from warehouse.sink.readings import AHEAD_MS, EARLIEST_MS

_SQL: Final = "warehouse.clock"
_NAMES: Final = {
    kind: {
        "reading": Identifier("ingest", f"reading_{kind}"),
        "v": Identifier("v_float" if kind is Kind.GAUGE else "v_int"),
        "type": SQL("float8") if kind is Kind.GAUGE else SQL("int8"),
    }
    for kind in Kind
}


class Origin(StrEnum):
    """Where a reading stood before a repair."""

    STORED = "stored"
    """In its reading table, with quality ``CLOCK_UNSYNCED``."""
    REPLACED = "replaced"
    """In ``ingest.reading_replaced``: another reading has the same series and wrong time."""
    REJECTED = "rejected"
    """In ``ingest.reading_rejected``, with reason ``time_past`` or ``time_future``."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which readings of a gateway are meant."""

    gateway: str
    from_ms: int
    """From this time on, as the gateway's clock had it, UTC milliseconds."""
    to_ms: int
    """Before this time."""
    arrived_from: datetime | None = None
    """Stored or refused from this moment on."""
    arrived_to: datetime | None = None
    """Stored or refused before this moment."""


class Aside(NamedTuple):
    """One reading that waits."""

    origin: Origin
    rejected_id: int | None
    t_ms: int
    value: int | float | None
    q: int
    message: int


class Heap(NamedTuple):
    """How many wait in one place, of one life of the gateway's buffer."""

    origin: Origin
    reason: str
    epoch: int
    readings: int
    first_ms: int
    last_ms: int
    arrived_first: datetime | None
    arrived_last: datetime | None


def sql(name: str, kind: Kind) -> Composed:
    """Return a statement of this room about the readings of one kind."""
    return statement(_SQL, name).format(**_NAMES[kind])


def series_of(connection: Connection, gateway: str) -> list[tuple[int, Kind]]:
    """Return the series of a gateway, and what they are."""
    found = connection.execute(statement(_SQL, "gateway_series.sql"), {"gateway": gateway})
    return [(series_id, Kind(kind)) for series_id, kind in found]


def piece(connection: Connection, span: Span, shift_ms: int, series_id: int, kind: Kind, most: int) -> list[Aside]:
    """Return the first ``most`` readings of a series that wait and whose new time is possible."""
    parameters = _parameters(span, shift_ms, series_id, possible=True) | {"most": most}
    rows = connection.execute(sql("aside_piece.sql", kind), parameters)
    return [Aside(Origin(origin), *rest) for origin, *rest in rows]


def count(
    connection: Connection, span: Span, shift_ms: int, series_id: int, kind: Kind, *, possible: bool
) -> Mapping[Origin, int]:
    """Return how many readings of a series wait whose new time is possible, or is not."""
    counting = SQL("SELECT p.origin, count(*) FROM ({piece}) AS p GROUP BY p.origin").format(
        piece=sql("aside_piece.sql", kind)
    )
    parameters = _parameters(span, shift_ms, series_id, possible=possible) | {"most": None}
    return {Origin(origin): found for origin, found in connection.execute(counting, parameters)}


def heaps(connection: Connection, gateway: str, from_ms: int, to_ms: int) -> Iterator[Heap]:
    """Yield what waits of one gateway."""
    found: dict[tuple[Origin, str, int], Heap] = {}
    for kind in Kind:
        rows = connection.execute(
            sql("aside.sql", kind),
            {
                "gateway": gateway,
                "kind": str(kind),
                "doubtful": int(Quality.CLOCK_UNSYNCED),
                "from_ms": from_ms,
                "to_ms": to_ms,
            },
        )
        for origin, *rest in rows:
            heap = Heap(Origin(origin), *rest)
            key = heap[:3]
            found[key] = _together(found[key], heap) if key in found else heap
    yield from (found[key] for key in sorted(found, key=lambda key: (key[2], key[0], key[1])))


def _together(one: Heap, other: Heap) -> Heap:
    firsts = [at for at in (one.arrived_first, other.arrived_first) if at is not None]
    lasts = [at for at in (one.arrived_last, other.arrived_last) if at is not None]
    return one._replace(
        readings=one.readings + other.readings,
        first_ms=min(one.first_ms, other.first_ms),
        last_ms=max(one.last_ms, other.last_ms),
        arrived_first=min(firsts, default=None),
        arrived_last=max(lasts, default=None),
    )


def _parameters(span: Span, shift_ms: int, series_id: int, *, possible: bool) -> dict[str, Any]:
    return {
        "series_id": series_id,
        "from_ms": span.from_ms,
        "to_ms": span.to_ms,
        "arrived_from": span.arrived_from,
        "arrived_to": span.arrived_to,
        "shift_ms": shift_ms,
        "doubtful": int(Quality.CLOCK_UNSYNCED),
        "earliest_ms": EARLIEST_MS,
        "ahead_ms": AHEAD_MS,
        "possible": possible,
    }
