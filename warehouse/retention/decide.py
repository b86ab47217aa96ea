"""What people decide: how long readings are kept, and through which day figures are final."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from edge_agent.contract.errors import Misconfigured
from warehouse.postgres import Connection, statement
from warehouse.retention.plan import SQL

READINGS: Final = ("reading_gauge", "reading_register", "reading_state")
LEAST_KEEP_DAYS: Final = 62
"""Two months: longer than any buffer of an agent lasts."""


@dataclass(frozen=True, slots=True)
class Word:
    """Who decided something, and by what document."""

    by: str
    document: str


@dataclass(frozen=True, slots=True)
class Rule:
    """How one reading table is kept."""

    reading: str
    compress_after_days: int
    keep_days: int | None
    word: Word


def rules(connection: Connection) -> Iterator[Rule]:
    """Give the rule of each reading table."""
    for reading, compress_after_days, keep_days, by, document in connection.execute(statement(SQL, "rules.sql")):
        yield Rule(reading, compress_after_days, keep_days, Word(by, document))


def keep(connection: Connection, reading: str, keep_days: int | None, word: Word) -> None:
    """Keep readings of a table for so many days after the end of their piece; None for ever."""
    if keep_days is not None and keep_days < LEAST_KEEP_DAYS:
        raise Misconfigured(f"readings are kept for {LEAST_KEEP_DAYS} days at least (至少保留 {LEAST_KEEP_DAYS} 天)")
    _set(connection, reading, word, keep=True, keep_days=keep_days, compress_after_days=None)


def compress_after(connection: Connection, reading: str, days: int, word: Word) -> None:
    """Compress pieces of a table so many days after their end."""
    if days < 1:
        raise Misconfigured("a piece is compressed a day after its end at the earliest (至少一天后才压缩)")
    _set(connection, reading, word, keep=False, keep_days=None, compress_after_days=days)


def _set(connection: Connection, reading: str, word: Word, **rule: object) -> None:
    told = {"reading": reading, "by": word.by, "document": word.document, **rule}
    if connection.execute(statement(SQL, "rule_set.sql"), told).fetchone() is None:
        raise Misconfigured(f"{reading} is none of {', '.join(READINGS)} (没有这张表)")


def final(connection: Connection) -> tuple[date, Word] | None:
    """Return the last day that is final, and by whose word; None when none is."""
    row = connection.execute(statement(SQL, "final_read.sql")).fetchone()
    return None if row is None else (row[0], Word(row[1], row[2]))


def finalise(connection: Connection, through: date, word: Word) -> None:
    """Record that figures through a day are final.

    ``Misconfigured`` when they were final further already, or the energy accounts are not closed through it or have
    marks that reach back into it.
    """
    before = final(connection)
    if before is not None and through <= before[0]:
        raise Misconfigured(f"figures are final through {before[0]} already (此前已定稿)")
    row = connection.execute(statement(SQL, "final_open.sql"), {"through": through}).fetchone()
    closed, marks = (False, 0) if row is None else row
    if not closed:
        raise Misconfigured(f"the energy accounts are not closed through {through} (能源账尚未结算到该日)")
    if marks:
        raise Misconfigured(
            f"{marks} marks of accounts through {through} wait: run g60 warehouse energy close first (尚有待重算的账)"
        )
    connection.execute(statement(SQL, "final_add.sql"), {"through": through, "by": word.by, "document": word.document})
