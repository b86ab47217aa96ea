"""Marks results whose inputs changed after they were computed; a run that computes them again takes the marks away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from warehouse.energy.changed import PIECE, changed_days, move_on
from warehouse.indicators.catalogue import SQL
from warehouse.postgres import Connection, alone_or_not, statement

RUN_LOCK: Final = 0x6730_0025
"""Advisory lock of whoever computes or marks results: a mark is never set while a run is looking at what it is for."""
CONSUMER: Final = "indicators"
"""Its row in energy.consumer."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What was looked at, and how many results got a mark or a wider one."""

    changes: int
    results: int


def mark_due(conn: Connection, piece: int = PIECE) -> Marked | None:
    """Mark every result that is made from energy accounts of a day that changed since the last call.

    ``None``, and nothing is done, while a run computes: what it sees of the changes cannot be told from outside, so
    that marks are set after it. It may thus happen that a result is marked for a change that it knows; the next run
    then finds nothing different and takes the mark away.
    """
    changes = results = 0
    with alone_or_not(conn, RUN_LOCK) as free:
        if not free:
            return None
        while True:
            with conn.transaction():
                seen = changed_days(conn, CONSUMER, piece)
                if not seen:
                    return Marked(changes, results)
                first: dict[date, datetime] = {}
                for one in seen:
                    first[one.day] = min(one.changed_at, first.get(one.day, one.changed_at))
                added = conn.execute(
                    statement(SQL, "due_add.sql"), {"days": list(first), "changed_at": list(first.values())}
                )
                move_on(conn, CONSUMER, seen[-1].change_id)
            changes += len(seen)
            results += added.rowcount
