"""The watch on the ledger: holes get an age, and a hole that closes is seen to close.

The ledger says what is missing now; ``ingest.hole`` remembers since when, and what became of it. What a gateway says
it has, with nothing after it having come, is in flight and no hole: it becomes one when a later message comes, when its
epoch ends, or after ``PATIENCE``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from warehouse.postgres import Connection, statement, translated

PATIENCE: Final = timedelta(minutes=10)
"""How long messages may be in flight. A gateway sends them again after a minute or so, ten times in this time."""
KEPT: Final = timedelta(days=400)
"""How long a closed hole is remembered: a year, and the month in which somebody reports on it."""

_SQL: Final = "warehouse.ledger"
_LOCK: Final = 0x6730_0030
"""Advisory lock: one watch at a time in a database."""


@dataclass(frozen=True, slots=True)
class Watched:
    """How things stand after a look."""

    open: int
    """Holes that may still close."""
    lost: int
    """Holes that will not."""
    closed: int
    """Holes, or parts of holes, that closed since the look before."""
    closed_messages: int
    """Messages in these."""


def watch(connection: Connection, now: datetime) -> Watched:
    """Bring ``ingest.hole`` up to the ledger; ``now`` is what new holes are seen at. Safe to repeat at any time."""
    with translated(), connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        row = connection.execute(statement(_SQL, "holes_follow.sql"), {"now": now, "old": now - PATIENCE}).fetchone()
        if row is None:
            raise LookupError("a SELECT without FROM gives one row")
        watched = Watched(*row)
        if watched.closed:
            connection.execute(statement(_SQL, "holes_join.sql"), {"now": now})
        connection.execute(statement(_SQL, "holes_forget.sql"), {"before": now - KEPT})
    return watched
