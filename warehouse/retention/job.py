"""Compresses what has come to rest and drops what may go, piece by piece, each in a transaction with its record.

On plain PostgreSQL nothing is compressed. Compression is done here and by no policy of TimescaleDB, so that it needs no
scheduler and ``ingest.retention_run`` tells what was done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from psycopg import errors

from warehouse.postgres import Connection, alone_or_not, statement
from warehouse.retention.plan import SQL, Piece, count, pieces, speaks_against

_LOCK: Final = 0x6730_0090
"""Advisory lock: one run at a time in a database."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a run came to."""

    compressed: int = 0
    saved: int = 0
    """Bytes that compression freed."""
    dropped: int = 0
    readings: int = 0
    """Readings that were dropped."""
    refused: int = 0
    """Pieces that are old enough and stay."""
    failed: int = 0
    """Pieces that somebody else had locked."""


def run(
    connection: Connection, now: datetime, go_on: Callable[[], bool] = lambda: True, *, all_again: bool = False
) -> Done | None:
    """Do what the rules ask for, oldest first, as long as ``go_on``; None when another run is at work.

    What something kept from being dropped is looked at once a day, with ``all_again`` now.
    """
    with alone_or_not(connection, _LOCK) as ours:
        return _run(connection, now, go_on, all_again=all_again) if ours else None


def _run(connection: Connection, now: datetime, go_on: Callable[[], bool], *, all_again: bool) -> Done:
    done = Done()
    for piece in pieces(connection):
        if not go_on():
            break
        try:
            if piece.old(now) and (all_again or piece.rested(now)):
                dropped = _drop(connection, piece)
                if dropped is not None:
                    done = replace(done, dropped=done.dropped + 1, readings=done.readings + dropped)
                    continue
                done = replace(done, refused=done.refused + 1)
            if piece.to_be_compressed(now):
                freed = _compress(connection, piece)
                done = replace(done, compressed=done.compressed + 1, saved=done.saved + freed)
        except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
            _record(connection, piece, "failed", error=str(error).strip())
            done = replace(done, failed=done.failed + 1)
    return done


def _compress(connection: Connection, piece: Piece) -> int:
    with connection.transaction():
        connection.execute(statement(SQL, "lock_timeout.sql"))
        connection.execute(statement(SQL, "compress.sql"), piece.place())
        return piece.size - _record(connection, piece, "compressed")


def _drop(connection: Connection, piece: Piece) -> int | None:
    """Drop ``piece`` and return how many readings went with it; None when something forbids it, which is recorded."""
    refusals = speaks_against(connection, piece)
    if not refusals:
        with connection.transaction():
            connection.execute(statement(SQL, "lock_timeout.sql"))
            # From here on no sink stores anything: what was true is looked at again, and stays true.
            connection.execute(statement(SQL, "watermark_hold.sql"))
            refusals = speaks_against(connection, piece)
            if not refusals:
                readings = count(connection, piece)
                _record(connection, piece, "dropped", readings=readings)
                connection.execute(statement(SQL, "drop.sql"), piece.place())
                return readings
    told = "; ".join(f"{refusal.reason}: {refusal.detail}" for refusal in refusals)
    with connection.transaction():
        connection.execute(statement(SQL, "kept_forget.sql"), piece.place())
        _record(connection, piece, "kept", error=told)
    return None


def _record(
    connection: Connection, piece: Piece, action: str, *, readings: int | None = None, error: str | None = None
) -> int:
    """Write down what was done and return the bytes that are left."""
    told = {"action": action, "bytes_before": piece.size, "readings": readings, "error": error}
    row = connection.execute(statement(SQL, "recorded.sql"), {**piece.place(), **told}).fetchone()
    return 0 if row is None else int(row[0])
