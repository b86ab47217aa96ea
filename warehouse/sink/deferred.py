"""Conflicts that were put off because they would have unpacked too much at once: settled in small pieces."""

from __future__ import annotations

from typing import Final

import numpy as np

from edge_agent.contract.birth import Kind
from warehouse.postgres import Connection, statement
from warehouse.sink import batches, exceptions, tables
from warehouse.sink.readings import Columns
from warehouse.sink.tables import Write

PIECE: Final = 500
"""Readings of one series in one transaction."""
PIECES: Final = 10
"""Pieces settled at one occasion."""

_SQL: Final = "warehouse.sink"


def settle_deferred(connection: Connection, sink: str) -> bool:
    """Settle some of what waits in ``ingest.reading_deferred``; False when nothing is left."""
    return all(_settle_piece(connection, sink) for _ in range(PIECES))


def _settle_piece(connection: Connection, sink: str) -> bool:
    with connection.transaction():
        rows = connection.execute(statement(_SQL, "deferred_take.sql"), {"most": PIECE}).fetchall()
        if not rows:
            return False
        batch, closed_ms = batches.begin(connection)
        connection.execute(statement(_SQL, "deferred_limit.sql"))
        series_ids, t_ms, floats, ints, q, messages, seen, kinds = zip(*rows, strict=True)
        kind = Kind(kinds[0])
        values = floats if kind is Kind.GAUGE else ints
        missing = np.array([value is None for value in values])
        columns = Columns(
            np.array(series_ids, np.int32),
            np.array(t_ms, np.int64),
            np.array([value or 0 for value in values], np.float64 if kind is Kind.GAUGE else np.int64),
            missing if missing.any() else None,
            np.array(q, np.int16),
            np.array(messages, np.int64),
        )
        again = frozenset(message for message, had in zip(messages, seen, strict=True) if had)
        reused = tables.merge(connection, Write(batch, closed_ms, again), kind, columns)
        exceptions.seq_reused(connection, reused, batch)
        batches.end(connection, batch, sink, 0, len(rows))
    return True
