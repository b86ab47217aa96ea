"""Reads readings and checkpoints, writes quarter-hours and what is summed up from them; one transaction a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from psycopg import Cursor
from psycopg.rows import TupleRow

from warehouse.energy.account import Interval
from warehouse.energy.sources import FOREVER_MS, SQL, RegisterKey, Track
from warehouse.energy.walk import Reading, in_order
from warehouse.postgres import Connection, statement
from warehouse.times import from_ms

_FETCH: Final = 20_000


class Checkpoint(NamedTuple):
    """What a walk left behind: it depends on readings before ``at_ms`` only."""

    at_ms: int
    last_good_ms: int


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One register's account from a time on, and the checkpoints of its tracks."""

    key: RegisterKey
    from_ms: int
    """Rows from here on that are not among the intervals are taken away."""
    intervals: Sequence[Interval]
    checkpoints: Sequence[tuple[Track, int, Sequence[Checkpoint]]]
    """Track, the time after which its old checkpoints are void, the new ones."""
    to_ms: int = FOREVER_MS
    """Rows from here on stay as they are."""


def resume(conn: Connection, tracks: Sequence[Track], before_ms: Sequence[int]) -> list[Checkpoint | None]:
    """Return for each track its last checkpoint at or before the time given for it."""
    found: list[Checkpoint | None] = [None] * len(tracks)
    rows = conn.execute(
        statement(SQL, "resume.sql"),
        {
            "places": list(range(len(tracks))),
            "meters": [track.key.meter_id for track in tracks],
            "feeds": [track.key.feed_in for track in tracks],
            "registers": [track.name for track in tracks],
            "before_ms": list(before_ms),
        },
    )
    for place, at_ms, last_good_ms in rows:
        found[place] = Checkpoint(at_ms, last_good_ms)
    return found


def first_readings(conn: Connection, tracks: Sequence[Track], from_ms: Sequence[int]) -> list[int | None]:
    """Return for each track the time of its first usable reading at or after the time given for it."""
    found: list[int | None] = [None] * len(tracks)
    for place, t_ms in conn.execute(statement(SQL, "first_reading.sql"), _asked(tracks, from_ms, FOREVER_MS)):
        found[place] = t_ms
    return found


def readings(
    conn: Connection, tracks: Sequence[Track], from_ms: Sequence[int], to_ms: int
) -> Iterator[tuple[int, list[Reading]]]:
    """Give place in ``tracks`` and usable readings, in order, of every track that has any; within a transaction."""
    with conn.cursor(name="g60_energy_readings") as cursor:
        cursor.itersize = _FETCH
        cursor.execute(statement(SQL, "readings.sql"), _asked(tracks, from_ms, to_ms))
        for place, rows in groupby(cursor, key=lambda row: int(row[0])):
            yield place, in_order((t_ms, counts, quality) for _, t_ms, counts, quality in rows)


def _asked(tracks: Sequence[Track], from_ms: Sequence[int], to_ms: int) -> dict[str, list[int]]:
    feeds = [
        (place, feed.series_id, max(feed.from_ms, from_ms[place]), min(feed.to_ms, to_ms))
        for place, track in enumerate(tracks)
        for feed in track.feeds
    ]
    return {
        "places": [feed[0] for feed in feeds],
        "series": [feed[1] for feed in feeds],
        "from_ms": [feed[2] for feed in feeds],
        "to_ms": [feed[3] for feed in feeds],
    }


def write(conn: Connection, batch: Sequence[Recomputed]) -> int:
    """Write accounts and all that is summed up from them, within a transaction; only what differs is touched.

    Returns how many quarter-hours changed. What tells the readings is no matter: a register, or anything else.
    """
    with conn.cursor() as cursor:
        _stage(cursor, [(account.key, account.from_ms, account.to_ms) for account in batch])
        with cursor.copy(statement(SQL, "staged_copy.sql")) as copy:
            for account in batch:
                for interval in account.intervals:
                    copy.write_row(
                        (
                            account.key.meter_id,
                            account.key.feed_in,
                            from_ms(interval.start_ms),
                            interval.energy,
                            interval.quality.value,
                            interval.reason,
                        )
                    )
        changed = _write_staged(cursor, "quarter_write.sql")
        _write_checkpoints(conn, batch)
        return changed


def relabel(conn: Connection, from_ms: Mapping[int, int]) -> int:
    """Give the rows of meters, each from a time on, to whoever had the meter; within a transaction.

    Returns how many quarter-hours changed hands. No reading is read: what a quarter-hour is worth does not depend on
    whose it is.
    """
    keys = [
        (RegisterKey(meter, feed_in), t_ms, FOREVER_MS) for meter, t_ms in from_ms.items() for feed_in in (False, True)
    ]
    with conn.cursor() as cursor:
        _stage(cursor, keys)
        return _write_staged(cursor, "quarter_relabel.sql")


def _stage(cursor: Cursor[TupleRow], ranges: Sequence[tuple[RegisterKey, int, int]]) -> None:
    """Make the temporary tables, and fill those that say which registers, from when until when, and whose they were."""
    cursor.execute(statement(SQL, "staged_make.sql"), prepare=False)  # several statements at once
    cursor.execute(
        statement(SQL, "staged_range.sql"),
        {
            "meters": [key.meter_id for key, _, _ in ranges],
            "feeds": [key.feed_in for key, _, _ in ranges],
            "from_ms": [from_ms for _, from_ms, _ in ranges],
            "to_ms": [to_ms for _, _, to_ms in ranges],
        },
    )
    cursor.execute(statement(SQL, "holding.sql"), {"meters": sorted({key.meter_id for key, _, _ in ranges})})


def _write_staged(cursor: Cursor[TupleRow], quarters: str) -> int:
    """Write the quarter-hours by that statement, then what is summed up from those that changed, each from the last."""
    changed = cursor.execute(statement(SQL, quarters)).fetchone()
    count = 0 if changed is None else int(changed[0])
    if count:
        for each in ("hour_write.sql", "day_write.sql", "month_write.sql", "changed_add.sql"):
            cursor.execute(statement(SQL, each))
    cursor.execute(statement(SQL, "staged_drop.sql"))
    return count


def _write_checkpoints(conn: Connection, batch: Sequence[Recomputed]) -> None:
    void = [(track, after_ms) for account in batch for track, after_ms, _ in account.checkpoints]
    new = [(track, point) for account in batch for track, _, points in account.checkpoints for point in points]
    conn.execute(
        statement(SQL, "checkpoint_write.sql"),
        {
            "meters": [track.key.meter_id for track, _ in void],
            "feeds": [track.key.feed_in for track, _ in void],
            "registers": [track.name for track, _ in void],
            "after_ms": [after_ms for _, after_ms in void],
            "new_meters": [track.key.meter_id for track, _ in new],
            "new_feeds": [track.key.feed_in for track, _ in new],
            "new_registers": [track.name for track, _ in new],
            "at_ms": [point.at_ms for _, point in new],
            "last_good_ms": [point.last_good_ms for _, point in new],
        },
    )
