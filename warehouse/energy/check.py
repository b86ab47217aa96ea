"""Checks accounts against the readings they are made of, and sums against what they sum up.

The job computes again what marks tell it to. This does without marks, checkpoints and what was stored before: it goes
through the readings of a period and says where the tables hold something else.

A period is entered some days before its beginning, which is nearly always enough to know the register's count; where
something differs, that register is computed once more from its first reading on, and only what differs then is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import psycopg

from warehouse.energy import derived, job
from warehouse.energy.account import QUARTER_MS
from warehouse.energy.anew import Bounds, Row, Rows, from_readings, from_terms
from warehouse.energy.sources import FOREVER_MS, SQL, RegisterKey, Sources, read_sources
from warehouse.postgres import Connection, alone, statement
from warehouse.times import DAY_MS, SHANGHAI, from_ms, midnight, to_ms

LEAD_MS: Final = 3 * DAY_MS
"""How long before the period readings are looked at, at first."""
MOST_EXAMPLES: Final = 50
"""Differences that are told; all are counted."""
PIECE: Final = 20
"""Meters checked at once: so long the job waits, and so much is held in memory."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not what it should be; ``None`` where there is none."""

    level: str
    """quarter, hour, day, month, or holder: a quarter-hour that is given to somebody else."""
    meter_id: int
    feed_in: bool
    start: str
    """Its beginning in Shanghai."""
    stored: str | None
    expected: str | None


@dataclass(slots=True)
class Checked:
    """What came of checking some meters."""

    meters: int = 0
    waiting: int = 0
    """Meters whose quarter-hours were not compared, for late readings wait for the job."""
    compared: int = 0
    undecided: int = 0
    """Quarter-hours that depend on readings after the closed time."""
    differing: int = 0
    examples: list[Difference] = field(default_factory=list)

    def add(self, other: Checked) -> None:
        """Count ``other`` in."""
        self.meters += other.meters
        self.waiting += other.waiting
        self.compared += other.compared
        self.undecided += other.undecided
        self.differing += other.differing
        self.examples = [*self.examples, *other.examples][:MOST_EXAMPLES]


def check_meters(conn: Connection, meters: Sequence[int], from_day: date, to_day: date) -> Checked:
    """Check some meters on the days from ``from_day`` until before ``to_day``, as they stand at one moment.

    Writes nothing. The job waits meanwhile, and so does this for the job.
    """
    with alone(conn, job.LOCK):
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        try:
            with conn.transaction():
                return _check(conn, meters, from_day, to_day)
        finally:
            conn.isolation_level = None
            conn.read_only = None


def next_meters(conn: Connection, after: int, serials: Sequence[str] | None = None, limit: int = PIECE) -> list[int]:
    """Return the numbers of the next meters, by number; of those with these serial numbers, or of all."""
    asked = {"after": after, "serials": None if serials is None else list(serials), "limit": limit}
    return [int(row[0]) for row in conn.execute(statement(SQL, "check_meters.sql"), asked)]


def _check(conn: Connection, meters: Sequence[int], from_day: date, to_day: date) -> Checked:
    made = Checked(meters=len(meters))
    days = {"from_day": from_day, "to_day": to_day, "most": MOST_EXAMPLES}
    _compare(conn, "check_rollups.sql", {"meters": list(meters)} | days, made)
    sources = read_sources(conn)
    waiting = job.waiting(conn, sources)
    settled = [meter for meter in meters if meter not in waiting]
    made.waiting = len(meters) - len(settled)
    _compare(conn, "check_holders.sql", {"meters": settled} | days, made)
    bounds = _bounds(conn, from_day, to_day)
    if bounds.start_ms < bounds.end_ms:
        stored = _stored(conn, settled, bounds)
        _registers(conn, settled, sources, bounds, stored, made)
        for meter_id, terms in derived.read_virtual(conn, sources).terms.items():
            if meter_id in settled and not any(term.meter_id in waiting for term in terms):
                key = RegisterKey(meter_id, feed_in=False)
                expected = from_terms(conn, terms, bounds)
                made.compared += len(expected.keys() | stored[key].keys())
                for t_ms in sorted(expected.keys() | stored[key].keys()):
                    _same(made, key, t_ms, stored[key].get(t_ms), expected.get(t_ms))
    return made


def _bounds(conn: Connection, from_day: date, to_day: date) -> Bounds:
    row = conn.execute(statement(SQL, "check_bounds.sql")).fetchone()
    if row is None:
        raise LookupError("ingest.watermark has no row; a migration puts it there and nothing may take it away")
    closed_ms, registers_ms, powers_ms = row
    kept_ms, powers_kept_ms = (-(-t_ms // QUARTER_MS) * QUARTER_MS for t_ms in (registers_ms, powers_ms))
    start_ms = max(to_ms(midnight(from_day)), kept_ms)
    return Bounds(start_ms, min(to_ms(midnight(to_day)), closed_ms), powers_kept_ms, closed_ms)


def _compare(conn: Connection, file: str, asked: Mapping[str, Any], made: Checked) -> None:
    """Count and keep what a statement found to differ."""
    row = conn.execute(statement(SQL, file), asked).fetchone()
    if row is None:
        raise LookupError(f"{file} gave no row")
    compared, differing, examples = row
    made.add(Checked(compared=compared, differing=differing, examples=[Difference(**one) for one in examples or ()]))


def _registers(
    conn: Connection,
    meters: Sequence[int],
    sources: Sources,
    bounds: Bounds,
    stored: Mapping[RegisterKey, Rows],
    made: Checked,
) -> None:
    of_meters = set(meters)
    keys = sorted(key for key in sources.keys if key.meter_id in of_meters)
    near = from_readings(conn, sources, keys, bounds, bounds.start_ms - LEAD_MS, bounds.end_ms + job.LOOKAHEAD_MS)
    for key in keys:
        since_ms = bounds.since_ms(key, sources)
        kept = {t_ms: row for t_ms, row in stored[key].items() if t_ms >= since_ms}
        made.compared += len(near[key].keys() | kept.keys())
        if near[key] == kept:
            continue
        # Two answers: without and with the readings that came after the accounts were closed. Where they are not the
        # same, the next run of the job decides.
        before, after = (
            from_readings(conn, sources, [key], bounds, -FOREVER_MS, until_ms)[key]
            for until_ms in (bounds.closed_ms, bounds.closed_ms + job.LOOKAHEAD_MS)
        )
        for t_ms in sorted(before.keys() | after.keys() | kept.keys()):
            if before.get(t_ms) != after.get(t_ms):
                made.undecided += 1
            else:
                _same(made, key, t_ms, kept.get(t_ms), after.get(t_ms))


def _same(made: Checked, key: RegisterKey, t_ms: int, stored: Row | None, expected: Row | None) -> None:
    if stored == expected:
        return
    made.differing += 1
    if len(made.examples) < MOST_EXAMPLES:
        start = f"{from_ms(t_ms).astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        rows = (None if row is None else str(row) for row in (stored, expected))
        made.examples.append(Difference("quarter", *key, start, *rows))


def _stored(conn: Connection, meters: Sequence[int], bounds: Bounds) -> Mapping[RegisterKey, Rows]:
    found: dict[RegisterKey, Rows] = defaultdict(dict)
    asked = {"meters": list(meters), "from_ms": bounds.start_ms, "to_ms": bounds.end_ms}
    for meter_id, feed_in, t_ms, *row in conn.execute(statement(SQL, "check_quarters.sql"), asked):
        found[RegisterKey(meter_id, feed_in)][t_ms] = Row(*row)
    return found
