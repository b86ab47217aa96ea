"""Refused readings stored after all, where today's rules and births no longer refuse them.

A reading keeps the time, value and quality that it came with, and the message that brought it: it is the row that the
sink would have written. Times that a wrong clock gave are not mended here but by :mod:`warehouse.clock.repair`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edge_agent.contract.birth import Kind, check_value
from edge_agent.contract.errors import BadRecord, Retryable
from warehouse.postgres import Connection, statement, text
from warehouse.refused.columns import Row, columns_of
from warehouse.refused.replay import ATTEMPTS, SINK, Replayed, in_the_way, one_replay
from warehouse.refused.which import Which
from warehouse.sink import batches, tables
from warehouse.sink.deferred import settle_deferred
from warehouse.sink.readings import AHEAD_MS, EARLIEST_MS, Columns, Series
from warehouse.sink.tables import Write

PIECE: Final = 2_000
"""Readings in one transaction."""
AMBIGUOUS: Final = "ambiguous_series"
"""The message's birth has no such series, and the gateway's other births mean different ones by the name."""

_SQL: Final = "warehouse.refused"


@dataclass(frozen=True, slots=True)
class _Reading:
    rejected_id: int
    reason: str
    ledger_id: int
    message: int
    name: str
    t_ms: int
    value: int | float | None
    q: int
    at_ms: int
    series: Series | None
    meanings: int


@dataclass(frozen=True, slots=True)
class _Sorted:
    columns: Mapping[Kind, Columns]
    good: list[_Reading]
    still: list[tuple[_Reading, str, str]]


def replay_readings(
    connection: Connection, which: Which, *, rejected_id: int | None = None, dry_run: bool = False
) -> Replayed:
    """Store those refused readings of ``which`` that are good by now; with ``dry_run`` only say what would be done.

    A time counts as too late by the moment of the refusal, not by today's: else waiting would make it right.
    """
    replayed = Replayed()
    deferred = False
    with one_replay(connection):
        for piece in _waiting(connection, which, rejected_id):
            sorted_ = _sort(piece)
            if not dry_run:
                deferred |= _attempt(connection, sorted_)
            replayed.stored.update(reading.reason for reading in sorted_.good)
            replayed.still.update(reason for _, reason, _ in sorted_.still)
        while deferred:
            deferred = settle_deferred(connection, SINK)
    return replayed


def _waiting(connection: Connection, which: Which, rejected_id: int | None) -> Iterator[list[_Reading]]:
    row = connection.execute(statement(_SQL, "readings_last.sql")).fetchone()
    bounds = {"last": 0 if row is None else row[0], "most": PIECE, "rejected_id": rejected_id, "after": 0}
    while True:
        rows = connection.execute(statement(_SQL, "readings_piece.sql"), {**which.parameters(), **bounds}).fetchall()
        if not rows:
            return
        bounds["after"] = rows[-1][0]
        yield [
            _Reading(
                rejected,
                reason,
                ledger_id,
                ledger_id << 40 | seq,
                name,
                t_ms,
                None if value is None else json.loads(value),
                q,
                at_ms,
                None if kind is None or meanings > 1 else Series(series_id, Kind(kind), range_),
                meanings,
            )
            for rejected, reason, ledger_id, seq, name, t_ms, value, q, at_ms, series_id, kind, range_, meanings in rows
        ]


def _sort(piece: Sequence[_Reading]) -> _Sorted:
    """Part ``piece`` into what the sink would store today and what it would refuse."""
    good: list[_Reading] = []
    still: list[tuple[_Reading, str, str]] = []
    rows: dict[Kind, list[Row]] = {}
    for one in piece:
        try:
            series = _judge(one)
        except BadRecord as error:
            still.append((one, error.reason, error.detail))
        else:
            good.append(one)
            rows.setdefault(series.kind, []).append(Row(series.series_id, one.t_ms, one.value, one.q, one.message))
    return _Sorted({kind: columns_of(kind, found) for kind, found in rows.items()}, good, still)


def _judge(one: _Reading) -> Series:
    """Return the series of a reading that is good; else ``BadRecord`` with the sink's reasons, or ``AMBIGUOUS``."""
    if one.meanings > 1:
        raise BadRecord(AMBIGUOUS, f"{one.meanings} series of the gateway were called {one.name}")
    if one.series is None:
        raise BadRecord("unknown_series", f"no birth of the gateway has {one.name}")
    check_value(one.series.spec(), one.value)
    if one.t_ms < EARLIEST_MS:
        raise BadRecord("time_past", f"{one.t_ms} ms is before 2015")
    if one.t_ms > one.at_ms + AHEAD_MS:
        raise BadRecord("time_future", f"{one.t_ms} ms is more than a day after its refusal")
    return one.series


def _attempt(connection: Connection, piece: _Sorted) -> bool:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with in_the_way():
                return _store(connection, piece)
        except Retryable:
            if attempt == ATTEMPTS or connection.broken:
                raise
    raise AssertionError("unreachable")


def _store(connection: Connection, piece: _Sorted) -> bool:
    """Store one piece in one transaction; True when readings were put off."""
    with connection.transaction():
        batch, closed_ms = batches.begin(connection)
        ledger_ids = sorted({one.ledger_id for one in piece.good})
        connection.execute(statement(_SQL, "ledger_lock.sql"), {"ledger_ids": ledger_ids})
        months = tables.months(found.t_ms for found in piece.columns.values())
        connection.execute(statement("warehouse.sink", "month_ensure.sql"), {"months": sorted(months)})
        placed = tables.place(connection, Write(batch, closed_ms, frozenset()), piece.columns)
        if piece.good:
            connection.execute(
                statement(_SQL, "readings_done.sql"),
                {
                    "rejected_ids": [one.rejected_id for one in piece.good],
                    "series_ids": [None if one.series is None else one.series.series_id for one in piece.good],
                    "batch": batch,
                },
            )
        if piece.still:
            connection.execute(
                statement(_SQL, "readings_tried.sql"),
                {
                    "rejected_ids": [one.rejected_id for one, _, _ in piece.still],
                    "reasons": [text(reason)[:100] for _, reason, _ in piece.still],
                    "details": [text(detail)[:2_000] for _, _, detail in piece.still],
                },
            )
        batches.end(connection, batch, SINK, 0, len(piece.good))
    return placed.deferred
