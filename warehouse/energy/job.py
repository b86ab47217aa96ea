"""The job that keeps the energy accounts: closes what has passed, and computes again what changed, and only that.

1. In a transaction of its own it moves the watermark and leaves a mark for what that opened. Sinks wait for this
   moment only; a reading that comes later for an earlier time leaves a mark of its own.
2. It reads the marks there are, then the registry, then readings; each register is taken up at a checkpoint before its
   earliest mark. What is computed that way equals what would be computed from the first reading.
3. Of the quarter-hours it writes what differs, and sums up again the hours, days and months of these, and no others,
   in the same transaction. There it also leaves a mark of each day for whoever computes from the accounts
   (:mod:`.changed`): the one way to learn of a change that dying between two transactions cannot lose.
   Of a meter that tells its power only, what lies near the marked samples is integrated anew (:mod:`.powered`).
4. Where only the holder of a meter changed, no reading is read again: rows are given to whoever had the meter.
5. Virtual meters are summed up after all others, where a term of theirs changed (:mod:`.derived`).
6. It deletes the marks it had read. Dying anywhere leaves the marks, and the next run does the work again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from warehouse.energy import derived, powered, store
from warehouse.energy.account import QUARTER_MS, Interval, account, merge
from warehouse.energy.powered import Window
from warehouse.energy.sources import (
    FOREVER_MS,
    SQL,
    PowerTrack,
    RegisterKey,
    Sources,
    Track,
    last_ms,
    quarter_ms,
    read_sources,
)
from warehouse.energy.store import Checkpoint, Recomputed
from warehouse.energy.walk import Reading
from warehouse.postgres import Connection, alone, statement
from warehouse.times import DAY_MS, SHANGHAI_MS, from_ms, to_ms

LOOKAHEAD_MS: Final = 86_400_000
"""How far beyond the closed time a reading is looked for that tells the count at its end."""
GRACE: Final = timedelta(minutes=2)
BATCH: Final = 50
"""Registers in one transaction."""
_RECENT_QUARTERS: Final = (0, 2, 8)
"""Checkpoints before the closed time, beside those at midnight, so that the next run need not go back a day."""
_ENERGY, _INGEST = 0, 1
"""Whose a mark is, as marks.sql tells it; 2 are those of energy.dirty that are for holders only."""
LOCK: Final = 0x6730_0020
"""Advisory lock: one run at a time in a database."""


@dataclass(frozen=True, slots=True)
class CloseReport:
    """What a run came to."""

    closed_through: datetime
    registers: int
    """Registers that were computed, of those that some series tells, or whose power it tells."""
    changed: int
    """Quarter-hours that were added, changed or taken away."""
    refused: tuple[str, ...]
    """Series that cannot be accounted for, and why."""


@dataclass(frozen=True, slots=True)
class _Marks:
    numbers: tuple[list[int], list[int]]
    """Of energy.dirty and of ingest.dirty."""
    all_from_ms: int | None
    meters: dict[int, int]
    series: dict[int, int]
    spans: dict[int, list[Window]]
    """Late readings by series, from the first to the last of each mark."""
    holders: dict[int, int]
    """Meters of which only the holder may have changed."""


def close(conn: Connection, through: datetime) -> CloseReport:
    """Close every quarter-hour that ends by ``through``, a full quarter-hour, and compute what is marked.

    A ``through`` before what is closed already only computes what is marked. Waits for another run.
    """
    if to_ms(through) % QUARTER_MS:
        raise ValueError(f"{through} is not a full quarter-hour")
    with alone(conn, LOCK):
        return _close(conn, through)


def waiting(conn: Connection, sources: Sources) -> frozenset[int]:
    """Return the meters whose accounts, or whose holders, wait for the next run."""
    marks = _read_marks(conn)
    return frozenset({key.meter_id for key in _due(marks, sources)} | marks.holders.keys())


def last_quarter(now: datetime) -> datetime:
    """Return the last full quarter-hour that is at least ``GRACE`` ago, so that its last readings have arrived."""
    ms = to_ms(now - GRACE) // QUARTER_MS * QUARTER_MS
    return from_ms(ms)


def _close(conn: Connection, through: datetime) -> CloseReport:
    through_ms = _advance(conn, to_ms(through))
    marks = _read_marks(conn)
    sources = read_sources(conn)
    virtual = derived.read_virtual(conn, sources)
    sampled = sorted(_sampled(marks, sources).items())
    near = dict(sampled)
    due = sorted(
        item for item in _due(marks, sources).items() if item[0] not in near and item[0].meter_id not in virtual.terms
    )
    changed = 0
    for first in range(0, len(due), BATCH):
        with conn.transaction():
            changed += store.write(conn, list(_recompute(conn, sources, due[first : first + BATCH], through_ms)))
    for first in range(0, len(sampled), BATCH):
        with conn.transaction():
            of_power = powered.recompute(conn, sources.powers, sampled[first : first + BATCH], through_ms)
            changed += store.write(conn, list(of_power))
    held = sorted(marks.holders.items())
    for first in range(0, len(held), BATCH):
        with conn.transaction():
            changed += store.relabel(conn, dict(held[first : first + BATCH]))
    changed += derived.compute(conn, virtual, marks.meters)
    with conn.transaction():
        conn.execute(statement(SQL, "marks_done.sql"), {"energy": marks.numbers[0], "ingest": marks.numbers[1]})
        conn.execute(statement(SQL, "changed_passed.sql"))
    closed = from_ms(through_ms)
    registers = sum(key in sources.keys for key, _ in due) + len(sampled)
    return CloseReport(closed, registers, changed, (*sources.refused, *virtual.refused))


def _advance(conn: Connection, through_ms: int) -> int:
    """Move the watermark to ``through_ms`` unless it is beyond; give where it stands."""
    with conn.transaction():
        row = conn.execute(statement(SQL, "watermark_lock.sql")).fetchone()
        if row is None:
            raise LookupError("ingest.watermark has no row; a migration puts it there and nothing may take it away")
        before_ms = int(row[0])
        if before_ms >= through_ms:
            return before_ms
        conn.execute(statement(SQL, "watermark_move.sql"), {"through_ms": through_ms})
        conn.execute(statement(SQL, "dirty_closed.sql"), {"from_ms": before_ms})
    return through_ms


def _read_marks(conn: Connection) -> _Marks:
    numbers: tuple[list[int], list[int]] = ([], [])
    everything: list[int] = []
    found: tuple[dict[int, int], dict[int, int], dict[int, int]] = ({}, {}, {})
    spans: dict[int, list[Window]] = defaultdict(list)
    for whose, number, what, t_ms, until_ms in conn.execute(statement(SQL, "marks.sql")):
        numbers[whose == _INGEST].append(number)
        if what is not None:
            found[whose][what] = min(t_ms, found[whose].get(what, t_ms))
            if whose == _INGEST:
                spans[what].append(Window(t_ms, until_ms))
        elif whose == _ENERGY:
            everything.append(t_ms)
    meters, series, holders = found
    return _Marks(numbers, min(everything, default=None), meters, series, spans, holders)


def _due(marks: _Marks, sources: Sources) -> dict[RegisterKey, int]:
    """Say which registers have to be computed, and from when."""
    due: dict[RegisterKey, int] = {}

    def add(key: RegisterKey, t_ms: int) -> None:
        due[key] = min(t_ms, due.get(key, t_ms))

    if marks.all_from_ms is not None:
        for key in sources.keys:
            add(key, marks.all_from_ms)
    for meter_id, t_ms in marks.meters.items():
        # Both registers, whether anything tells them or not: rows of one that nothing tells any more are taken away.
        add(RegisterKey(meter_id, feed_in=False), t_ms)
        add(RegisterKey(meter_id, feed_in=True), t_ms)
    for series_id, t_ms in marks.series.items():
        for key in sources.of_series.get(series_id, ()):
            add(key, t_ms)
    return due


def _sampled(marks: _Marks, sources: Sources) -> dict[RegisterKey, list[Window]]:
    """Say which meters that tell their power only have to be computed, and what of their time is marked."""
    registered = {key.meter_id for key in sources.tracks}
    found: dict[RegisterKey, list[Window]] = defaultdict(list)
    for key in sources.powers:
        if key.meter_id not in registered:
            begins = (marks.all_from_ms, marks.meters.get(key.meter_id))
            found[key] += [Window(t_ms, FOREVER_MS) for t_ms in begins if t_ms is not None]
    for series_id, spans in marks.spans.items():
        for key in sources.of_series.get(series_id, ()):
            if key in found:
                found[key] += spans
    return {key: spans for key, spans in found.items() if spans}


def _recompute(
    conn: Connection, sources: Sources, due: Sequence[tuple[RegisterKey, int]], through_ms: int
) -> Iterator[Recomputed]:
    """Compute a batch of registers, each from its earliest mark on, through the closed time."""
    marked_ms = dict(due)
    tracks = [track for key, _ in due for track in sources.tracks.get(key, ())]
    last = store.resume(conn, tracks, [marked_ms[track.key] for track in tracks])
    new_ms = store.first_readings(conn, tracks, [point.at_ms if point else -FOREVER_MS for point in last])
    begins: dict[RegisterKey, list[int]] = defaultdict(list)
    for track, point, first_ms in zip(tracks, last, new_ms, strict=True):
        if point is not None:
            # What it told from its last good reading on may change; when nothing came, it only goes on being silent.
            begins[track.key].append(marked_ms[track.key] if first_ms is None else point.last_good_ms)
        elif first_ms is not None:
            begins[track.key].append(first_ms)
    powers = [track for key, _ in due for track in sources.powers.get(key, ())]
    for of_power, since_ms in powered.begins(conn, powers, marked_ms):
        begins[of_power.key].append(since_ms)
    start_ms = {key: min(quarter_ms(min(begins[key])), through_ms) for key in begins}
    starts = store.resume(
        conn, tracks, [min(start_ms.get(track.key, -FOREVER_MS), marked_ms[track.key]) for track in tracks]
    )
    from_ms = [point.last_good_ms if point else -FOREVER_MS for point in starts]
    read = dict(store.readings(conn, tracks, from_ms, through_ms + LOOKAHEAD_MS))
    walked: dict[RegisterKey, list[_Taken]] = defaultdict(list)
    for place, (track, point, first_ms) in enumerate(zip(tracks, starts, new_ms, strict=True)):
        walked[track.key].append(_Taken(track, point, read.get(place, []), active=first_ms is not None))
    for key, mark_ms in due:
        if key in start_ms:
            since = _Since(mark_ms, start_ms[key], through_ms)
            yield _register(conn, key, walked[key], sources.powers.get(key, ()), since)
        else:
            yield Recomputed(key, quarter_ms(mark_ms), (), ())


@dataclass(frozen=True, slots=True)
class _Taken:
    """A track, where it is taken up, its readings from there on, and whether any of them is new."""

    track: Track
    point: Checkpoint | None
    readings: Sequence[Reading]
    active: bool


class _Since(NamedTuple):
    """Where its earliest mark is, from which quarter-hour it is computed, and through which."""

    mark_ms: int
    start_ms: int
    through_ms: int


def _register(
    conn: Connection, key: RegisterKey, taken: Sequence[_Taken], powers: Sequence[PowerTrack], since: _Since
) -> Recomputed:
    mark_ms, start_ms, through_ms = since
    feeds = [feed for one in taken for feed in one.track.feeds] + [feed for track in powers for feed in track.feeds]
    end_ms = max(start_ms, min(through_ms, last_ms(feeds)))
    intervals: dict[int, Interval] = {}
    merge(intervals, powered.all_intervals(conn, key, powers, start_ms, end_ms))
    checkpoints: list[tuple[Track, int, Sequence[Checkpoint]]] = []
    for one in taken:
        after_ms = one.point.at_ms if one.point else -FOREVER_MS
        made = account(
            one.readings,
            one.track.register,
            one.track.multipliers,
            one.track.changes,
            start_ms=start_ms,
            end_ms=end_ms,
            marks=_marks(one.point.at_ms if one.point else start_ms - DAY_MS, through_ms),
        )
        merge(intervals, made.intervals)
        if one.active:
            points = [Checkpoint(at_ms, good_ms) for at_ms, good_ms in sorted(made.walk.last_good.items())]
            checkpoints.append((one.track, after_ms, points))
    return Recomputed(key, min(start_ms, quarter_ms(mark_ms)), tuple(intervals.values()), checkpoints)


def _marks(after_ms: int, through_ms: int) -> list[int]:
    """Return the times after ``after_ms`` that get a checkpoint: midnights of Shanghai, and a few recent ones."""
    midnight_ms = ((after_ms + SHANGHAI_MS) // DAY_MS + 1) * DAY_MS - SHANGHAI_MS
    recent = {through_ms - quarters * QUARTER_MS for quarters in _RECENT_QUARTERS}
    return sorted({*range(midnight_ms, through_ms + 1, DAY_MS), *(t_ms for t_ms in recent if t_ms > after_ms)})
