"""A made-up gateway in the tables, and what a naive count of it comes to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from warehouse.postgres import Connection

START = datetime(2026, 9, 20, 10, 0, tzinfo=UTC)
"""Six in the evening of 20 September in Shanghai."""
MINUTE = timedelta(minutes=1)
SHANGHAI = timedelta(hours=8)
GATEWAY = "gw"
NAMES = ("a", "b")


def day_of(t: datetime) -> date:
    return (t + SHANGHAI).date()


class Reading(NamedTuple):
    name: str
    t: datetime
    q: int
    value: float | None
    committed_at: datetime


class Row(NamedTuple):
    """What ``ingest.completeness`` should say."""

    expected: int | None
    received: int
    unexpected: int
    bad: int
    late: int
    rejected: int
    replaced: int


@dataclass
class Plant:
    """Writes into the tables as a sink does, and remembers all of it."""

    connection: Connection
    births: list[tuple[datetime, dict[str, int]]] = field(default_factory=list)
    """When each was said, and the intervals (ms) that it names."""
    readings: dict[tuple[str, datetime], Reading] = field(default_factory=dict)
    rejected: list[tuple[str, datetime]] = field(default_factory=list)
    replaced: list[tuple[str, datetime]] = field(default_factory=list)
    bound: list[tuple[datetime, datetime | None]] | None = None
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in NAMES:
            self.ids[name] = self._one(
                "insert into ingest.series (gateway, identity, device, quantity, unit, kind, batch)"
                " values (%s, %s, 'd', 'p', '', 'gauge', 0) returning series_id",
                [GATEWAY, name],
            )
        self.ledger_id = self._one(
            "insert into ingest.ledger (gateway, epoch) values (%s, 1) returning ledger_id", [GATEWAY]
        )
        self.connection.execute("select ingest.ensure_month('2026-09-01'), ingest.ensure_month('2026-10-01')")

    def say(self, at: datetime, intervals: dict[str, int]) -> None:
        birth = self._one(
            "insert into ingest.birth (gateway, digest, agent, body, received_at, batch)"
            " values (%s, gen_random_uuid()::text, '', '', %s, 0) returning birth_id",
            [GATEWAY, at],
        )
        for name, interval_ms in intervals.items():
            self.connection.execute(
                "insert into ingest.birth_series (birth_id, name, series_id, interval_ms) values (%s, %s, %s, %s)",
                [birth, name, self.ids[name], interval_ms],
            )
        self.connection.execute(
            "insert into ingest.birth_said (gateway, birth_id, said_at) values (%s, %s, %s)", [GATEWAY, birth, at]
        )
        self.births.append((at, intervals))

    def bind(self, times: list[tuple[datetime, datetime | None]]) -> None:
        """Let the registry bind the gateway at these times and no others."""
        self.connection.execute("insert into registry.enterprise values ('91310117MA1J00014T') on conflict do nothing")
        self.connection.execute("delete from registry.gateway_binding")
        for since, until in times:
            self.connection.execute(
                "insert into registry.gateway_binding (gateway, uscc, valid_from, valid_to, legal_basis, source)"
                " values (%s, '91310117MA1J00014T', %s, %s, 'consented', 'synthetic')",
                [GATEWAY, since, until],
            )
        self.bound = times or None

    def read(self, reading: Reading) -> None:
        """Store a reading with a message and a batch of its own; a second one of the same time replaces nothing."""
        key = (reading.name, reading.t)
        if key in self.readings:
            self.connection.execute(
                "insert into ingest.reading_replaced (series_id, t, v_float, q, message, batch)"
                " values (%s, %s, %s, %s, %s, 0)",
                [self.ids[reading.name], reading.t, reading.value, reading.q, len(self.replaced)],
            )
            self.replaced.append(key)
        else:
            self.readings[key] = reading
            seq = len(self.readings)
            batch = self._one(
                "insert into ingest.batch (batch, committed_at, sink, records, readings)"
                " values (nextval('ingest.batch_number'), %s, 'test', 1, 1) returning batch",
                [reading.committed_at],
            )
            self.connection.execute(
                "insert into ingest.commit_run (ledger_id, seqs, batch) values (%s, int8range(%s, %s), %s)",
                [self.ledger_id, seq, seq + 1, batch],
            )
            self.connection.execute(
                "insert into ingest.reading_gauge (series_id, t, v, q, message)"
                " values (%s, %s, %s, %s, ingest.message_id(%s, %s))",
                [self.ids[reading.name], reading.t, reading.value, reading.q, self.ledger_id, seq],
            )
        self.touch(reading.t)

    def reject(self, name: str, t: datetime) -> None:
        self.connection.execute(
            "insert into ingest.reading_rejected"
            " (ledger_id, seq, name, series_id, t_ms, value, q, reason, detail, batch)"
            " values (%s, %s, %s, %s, (extract(epoch from %s::timestamptz) * 1000)::int8, '1', 0, 'value_type', '', 0)",
            [self.ledger_id, len(self.rejected), name, self.ids[name], t],
        )
        self.rejected.append((name, t))
        self.touch(t)

    def touch(self, t: datetime) -> None:
        self.connection.execute(
            "update ingest.ledger set touched = touched + datemultirange(daterange(%s, %s))",
            [day_of(t), day_of(t) + timedelta(days=1)],
        )

    def counted(self) -> dict[tuple[str, date], Row]:
        names = {series_id: name for name, series_id in self.ids.items()}
        return {
            (names[series_id], day): Row(*rest)
            for series_id, day, *rest in self.connection.execute(
                "select series_id, day, expected, received, unexpected, bad, late, rejected, replaced"
                " from ingest.completeness"
            )
        }

    def naive(self, now: datetime) -> dict[tuple[str, date], Row]:
        """Count everything one by one."""
        counts: dict[tuple[str, date], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for (name, t), reading in self.readings.items():
            count = counts[name, day_of(t)]
            usable = reading.q < 100 and reading.value is not None
            count["received" if usable else "bad"] += 1
            if usable and not any(since <= t and (until is None or t < until) for since, until, _ in self._times(name)):
                count["unexpected"] += 1
            if reading.committed_at > t + 15 * MINUTE:
                count["late"] += 1
        for what, found in (("rejected", self.rejected), ("replaced", self.replaced)):
            for name, t in found:
                counts[name, day_of(t)][what] += 1
        expected: dict[tuple[str, date], int] = {}
        for name in NAMES:
            for since, until, interval_ms in self._times(name):
                end = min(until or now, now - 2 * MINUTE)
                while since < end:
                    midnight = datetime.combine(day_of(since) + timedelta(days=1), datetime.min.time(), UTC) - SHANGHAI
                    found_in, t = 0, since + timedelta(milliseconds=interval_ms)
                    while t <= min(midnight, end):
                        found_in, t = found_in + 1, t + timedelta(milliseconds=interval_ms)
                    key = (name, day_of(since))
                    expected[key] = expected.get(key, 0) + found_in
                    since = midnight
        return {
            key: Row(
                expected.get(key),
                *(counts[key][what] for what in ("received", "unexpected", "bad", "late", "rejected", "replaced")),
            )
            for key in {*counts, *expected}
        }

    def _times(self, name: str) -> list[tuple[datetime, datetime | None, int]]:
        """Times in which the series is expected, and at which interval (ms)."""
        found: list[tuple[datetime, datetime | None, int]] = []
        births = sorted(self.births, key=lambda birth: birth[0])
        for place, (since, intervals) in enumerate(births):
            until = births[place + 1][0] if place + 1 < len(births) else None
            if name not in intervals:
                continue
            if found and found[-1][1] == since and found[-1][2] == intervals[name]:
                found[-1] = (found[-1][0], until, intervals[name])
            else:
                found.append((since, until, intervals[name]))
        if self.bound is None:
            return found
        far = datetime.max.replace(tzinfo=UTC)
        return [
            (max(since, bound_since), None if end == far else end, interval_ms)
            for since, until, interval_ms in found
            for bound_since, bound_until in self.bound
            if max(since, bound_since) < (end := min(until or far, bound_until or far))
        ]

    def _one(self, query: str, parameters: list[object]) -> int:
        row = self.connection.execute(query.encode(), parameters).fetchone()
        assert row is not None
        return int(row[0])
