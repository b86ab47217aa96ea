"""The job that counts completeness: expected, received, late, rejected and replaced readings by series and day.

1. It learns which days are due. Whoever stores readings marks their days in the gateway's ledger row, in the same
   transaction; the job takes the marks away under the row's lock and puts the days down in ``ingest.count_due``. A mark
   that is made later is seen the next time, whatever the order of commits. Days are also due because time passed, a
   gateway said another birth, or the registry bound it otherwise.
2. It counts them piece by piece, the longest known first, each in a transaction that also crosses it off. Dying
   anywhere leaves the rest to the next run; counting again what was counted changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from warehouse.ledger.expectation import Stretch, promised
from warehouse.ledger.pieces import Counted, Due, Piece, pieces
from warehouse.postgres import Connection, alone_or_not, statement
from warehouse.times import midnight, to_ms

LATE: Final = timedelta(minutes=15)
"""A reading is late when it was committed longer than this after it was taken: its quarter-hour may be accounted."""
GRACE: Final = timedelta(minutes=2)
"""Time that a reading has to arrive; until then nothing is expected."""
FRESH: Final = timedelta(minutes=15)
"""A day that lasts is counted again after this time even where nothing comes."""

_SQL: Final = "warehouse.ledger"
_LOCK: Final = 0x6730_0031
"""Advisory lock: one run at a time in a database."""
_ROWS_AT_ONCE: Final = 500
"""Ledger rows whose marks are taken under one lock: sinks wait for so many."""
_DAYS_AT_ONCE: Final = 5_000
_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    days: int
    """Days of gateways that it has counted."""
    left: int
    """Days of gateways that are still due."""
    readings: int
    """Readings in what it has counted."""


def count(
    connection: Connection,
    now: datetime,
    *,
    go_on: Callable[[], bool] = lambda: True,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Progress | None:
    """Count what is due at ``now``; return how far it came, ``None`` when another run is at work.

    Before each piece (about a second) ``go_on`` is asked whether to; what is left stays due. ``tell`` hears after each.
    """
    with alone_or_not(connection, _LOCK) as ours:
        if not ours:
            return None
        _learn(connection, now)
        return _count_due(connection, now, go_on, tell)


def _learn(connection: Connection, now: datetime) -> None:
    """Put down the days that are due."""
    after = 0
    while True:
        with connection.transaction():
            rows = connection.execute(
                statement(_SQL, "due_touched.sql"), {"after": after, "most": _ROWS_AT_ONCE}
            ).fetchall()
            _take(connection, rows, now)
        if len(rows) < _ROWS_AT_ONCE:
            break
        after = rows[-1][0]
    connection.execute(
        statement(_SQL, "due_expected.sql"), {"now": now, "stale": now - FRESH, "grace": GRACE}, prepare=False
    )


def _take(connection: Connection, rows: Sequence[tuple[int, str, str | None]], now: datetime) -> None:
    """Take the marks of locked ledger rows away and put them down; no mark at all means every day."""
    if not rows:
        return
    known = [(gateway, touched) for _, gateway, touched in rows if touched is not None]
    everything = sorted({gateway for _, gateway, touched in rows if touched is None})
    connection.execute(
        statement(_SQL, "due_taken.sql"),
        {
            "ledger_ids": [ledger_id for ledger_id, _, _ in rows],
            "gateways": [gateway for gateway, _ in known],
            "touched": [touched for _, touched in known],
            "now": now,
        },
    )
    if everything:
        connection.execute(statement(_SQL, "due_all.sql"), {"gateways": everything, "now": now})


def _count_due(
    connection: Connection, now: datetime, go_on: Callable[[], bool], tell: Callable[[Progress], None]
) -> Progress:
    left = connection.execute(statement(_SQL, "due_count.sql")).fetchone()
    progress = Progress(0, 0 if left is None else int(left[0]), 0)
    while progress.left > 0:
        found = connection.execute(statement(_SQL, "due_next.sql"), {"most": _DAYS_AT_ONCE}).fetchall()
        due = [Due(*row) for row in found]
        for piece in pieces(due, _series(connection, {one.gateway for one in due})):
            if not go_on():
                return progress
            readings = _count_piece(connection, piece, now)
            progress = Progress(
                progress.days + len(piece.done), progress.left - len(piece.done), progress.readings + readings
            )
            tell(progress)
    return progress


def _series(connection: Connection, gateways: set[str]) -> dict[str, list[Counted]]:
    series: dict[str, list[Counted]] = defaultdict(list)
    for gateway, *rest in connection.execute(statement(_SQL, "series.sql"), {"gateways": sorted(gateways)}):
        series[gateway].append(Counted(*rest))
    return series


def _count_piece(connection: Connection, piece: Piece, now: datetime) -> int:
    start, end = midnight(piece.day), midnight(piece.day + timedelta(days=1))
    with connection.transaction():
        stretches = [
            Stretch(*row)
            for row in connection.execute(
                statement(_SQL, "stretches.sql"),
                {"gateways": sorted(piece.gateways), "from": start, "to": end},
                prepare=False,
            )
        ]
        expected = promised(stretches, now - GRACE)
        # Without statistics of fresh partitions the planner would join a million readings row by row.
        connection.execute("SET LOCAL enable_nestloop = off")
        row = connection.execute(
            statement(_SQL, "count.sql"),
            {
                "gauges": piece.series["gauge"],
                "registers": piece.series["register"],
                "states": piece.series["state"],
                "series": list(chain.from_iterable(piece.series.values())),
                "stretches": [one.series_id for one in stretches],
                "since": [one.since for one in stretches],
                "until": [one.until for one in stretches],
                "promised_series": list(expected),
                "promised": list(expected.values()),
                "day": piece.day,
                "from": start,
                "to": end,
                "from_ms": to_ms(start),
                "to_ms": to_ms(end),
                "late": LATE,
                "now": now,
            },
            prepare=False,
        ).fetchone()
        connection.execute(statement(_SQL, "due_done.sql"), {"day": piece.day, "gateways": piece.done})
    return 0 if row is None else int(row[0])
