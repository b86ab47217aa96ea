"""Days whose accounts changed, for the jobs that compute from them: each reads on from where it has come to.

The energy job alone writes the marks, each in the transaction that changed the quarter-hours, so that their numbers
follow the order of commits: nothing smaller can appear behind a number that was read. A consumer reads a piece,
computes, and moves on in one transaction; when it dies before that, it reads the piece again. What it computes must
therefore be the same whether it is computed once or twice.

A new consumer gets its row in energy.consumer by a migration, with 0: it then meets the marks that are still there,
and has to compute by itself what is older.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, NamedTuple

from warehouse.energy.sources import SQL
from warehouse.postgres import Connection, statement

PIECE: Final = 10_000
"""Days read at once."""


class ChangedDay(NamedTuple):
    """A day of a register in which a quarter-hour was added, changed, taken away, or given to another holder."""

    change_id: int
    meter_id: int
    feed_in: bool
    day: date
    changed_at: datetime


def changed_days(conn: Connection, consumer: str, limit: int = PIECE) -> list[ChangedDay]:
    """Return what ``consumer`` has not dealt with, in order, at most ``limit`` days; empty when nothing is left."""
    rows = conn.execute(statement(SQL, "changed_read.sql"), {"consumer": consumer, "limit": limit})
    return [ChangedDay(*row) for row in rows]


def move_on(conn: Connection, consumer: str, through: int) -> None:
    """Say that ``consumer`` has dealt with everything up to change ``through``; in the transaction of its writes."""
    moved = conn.execute(statement(SQL, "changed_move.sql"), {"consumer": consumer, "through": through})
    if moved.rowcount != 1:
        raise LookupError(f"energy.consumer has no row for {consumer}; a migration puts it there")
