"""What could be compressed and what dropped now, and what speaks against it; changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from psycopg.sql import Identifier

from warehouse.postgres import Connection, statement

SQL: Final = "warehouse.retention"
AGAIN: Final = timedelta(hours=1)
"""A piece that could not be compressed, or got late readings afterwards, is tried again after this time."""
LOOK_AGAIN: Final = timedelta(days=1)
"""A piece that something keeps from being dropped is looked at again after this time: it may have to be read."""


class Compressed(StrEnum):
    """How a piece stands."""

    NO = "no"
    YES = "yes"
    PARTLY = "partly"
    """Late readings came after it had been compressed."""
    NEVER = "never"
    """Plain PostgreSQL does not compress."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk or monthly partition of a reading table, with the table's rule."""

    reading: str
    """The table, without its schema."""
    compress_after: timedelta
    keep: timedelta | None
    """None: for ever."""
    name: str
    from_t: datetime
    to_t: datetime
    compressed: Compressed
    size: int
    """Bytes with indexes."""
    tried_at: datetime | None
    """When it was last compressed, or that failed."""
    kept_at: datetime | None
    """When something last kept it from being dropped."""

    def to_be_compressed(self, now: datetime) -> bool:
        """Return whether its rule wants it compressed and it is not."""
        rested = self.tried_at is None or self.tried_at <= now - AGAIN
        return (
            self.compressed in (Compressed.NO, Compressed.PARTLY) and self.to_t <= now - self.compress_after and rested
        )

    def old(self, now: datetime) -> bool:
        """Return whether its rule allows dropping it."""
        return self.keep is not None and self.to_t <= now - self.keep

    def rested(self, now: datetime) -> bool:
        """Return whether nothing was found to keep it for a while."""
        return self.kept_at is None or self.kept_at <= now - LOOK_AGAIN

    def place(self) -> dict[str, object]:
        """Return what the statements need of it."""
        return {"reading": self.reading, "piece": self.name, "from_t": self.from_t, "to_t": self.to_t}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a piece that is old enough stays."""

    reason: str
    """Short stable word; docs/retention.md says what to do about each."""
    detail: str


def pieces(connection: Connection) -> list[Piece]:
    """Return every piece of every reading table, oldest first in each."""
    return [_piece(*row) for row in connection.execute(statement(SQL, "pieces.sql"))]


def _piece(
    reading: str,
    compress_after_days: int,
    keep_days: int | None,
    name: str,
    from_t: datetime,
    to_t: datetime,
    *rest: Any,
) -> Piece:
    compressed, size, tried_at, kept_at = rest
    keep = None if keep_days is None else timedelta(days=keep_days)
    compress_after = timedelta(days=compress_after_days)
    state = Compressed(compressed)
    return Piece(reading, compress_after, keep, name, from_t, to_t, state, size, tried_at, kept_at)


def speaks_against(connection: Connection, piece: Piece) -> list[Refusal]:
    """Return everything that forbids dropping ``piece``; what stands in it is read only when nothing else does."""
    found = [Refusal(*row) for row in connection.execute(statement(SQL, "speaks_against.sql"), piece.place())]
    if not found:
        unsynced = count(connection, piece, "unsynced.sql")
        if unsynced:
            found.append(Refusal("unsynced", f"{unsynced} readings have the time of a clock that was not set"))
    return found


def count(connection: Connection, piece: Piece, name: str = "readings.sql") -> int:
    """Count readings of ``piece`` by the statement ``name``."""
    query = statement(SQL, name).format(reading=Identifier("ingest", piece.reading))
    row = connection.execute(query, piece.place()).fetchone()
    return 0 if row is None else int(row[0])


def plan(connection: Connection, found: Iterable[Piece], now: datetime) -> Iterator[tuple[Piece, list[Refusal]]]:
    """Give those of the pieces that are old enough to be dropped, with what speaks against it."""
    for piece in found:
        if piece.old(now):
            yield piece, speaks_against(connection, piece)
