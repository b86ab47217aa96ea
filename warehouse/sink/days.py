"""What a write means to those who count: which days of which gateways it touches, and how many readings it brings.

Whoever stores, moves or takes away readings marks their days (``ingest.ledger.touched``) in the same transaction, so
that they are counted again. In a quiet minute that is one look at each ledger row and no write, because the day is
marked already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from typing import Final

import numpy as np

from warehouse.postgres import Connection, statement
from warehouse.sink.flat import Ints
from warehouse.sink.readings import EARLIEST_MS, Columns, Rejected
from warehouse.times import DAY_MS, SHANGHAI_MS

_SQL: Final = "warehouse.sink"
_DAY_BITS: Final = 24
"""Enough for 45 000 years of days; 39 are left for the ledger row."""


def touch(connection: Connection, columns: Iterable[Columns]) -> None:
    """Mark the days on which these readings lie."""
    touch_days(connection, days_of(columns))


def touch_refused(connection: Connection, rejected: Iterable[Rejected]) -> None:
    """Mark the days on which these refused readings lie, where their time can be believed."""
    touch_days(
        connection,
        {
            (one.message >> 40, (one.t_ms + SHANGHAI_MS) // DAY_MS)
            for one in rejected
            if one.series_id is not None and EARLIEST_MS <= one.t_ms < DAY_MS << _DAY_BITS
        },
    )


def touch_days(connection: Connection, days: Iterable[tuple[int, int]]) -> None:
    """Mark pairs of ledger row and day; days of Asia/Shanghai count from 1970-01-01, those ahead are left out."""
    pairs = sorted(days)
    if pairs:
        connection.execute(
            statement(_SQL, "touch.sql"),
            {"ledger_ids": [ledger_id for ledger_id, _ in pairs], "days": [day for _, day in pairs]},
        )


def days_of(columns: Iterable[Columns]) -> set[tuple[int, int]]:
    """Return ledger row and day of every reading, each pair once."""
    found: set[tuple[int, int]] = set()
    for one in columns:
        keys = (one.message >> 40 << _DAY_BITS) | (one.t_ms + SHANGHAI_MS) // DAY_MS
        firsts = np.unique(keys[_starts(keys)]).tolist()
        found.update((key >> _DAY_BITS, key & ((1 << _DAY_BITS) - 1)) for key in firsts)
    return found


def readings_of(columns: Iterable[Columns], again: Set[int]) -> dict[int, int]:
    """Return by ledger row how many readings came, without those of the messages ``again``."""
    found = Counter[int]()
    known = np.fromiter(again, np.int64, len(again))
    for one in columns:
        message = one.message[~np.isin(one.message, known)] if len(known) else one.message
        ledger_ids = message >> 40
        starts = _starts(ledger_ids)
        lengths = np.diff(starts, append=len(ledger_ids))
        for ledger_id, length in zip(ledger_ids[starts].tolist(), lengths.tolist(), strict=True):
            found[ledger_id] += length
    return dict(found)


def _starts(keys: Ints) -> Ints:
    """Return where a run of equal keys begins. Columns are sorted by series and time, so that these are few."""
    return np.flatnonzero(np.diff(keys, prepend=-1))
