"""Computes quarter-hours of a period anew: without marks, checkpoints, or what is stored of the same meter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from warehouse.energy import derived, powered, store, virtual
from warehouse.energy.account import Interval, account, merge
from warehouse.energy.sources import FOREVER_MS, PowerTrack, RegisterKey, Sources, Track, last_ms, quarter_ms
from warehouse.energy.virtual import Term
from warehouse.postgres import Connection


@dataclass(frozen=True, slots=True)
class Bounds:
    """Quarter-hours of a period that are closed, UTC milliseconds."""

    start_ms: int
    end_ms: int
    power_start_ms: int
    """From when on samples of power are all there."""
    closed_ms: int

    def since_ms(self, key: RegisterKey, sources: Sources) -> int:
        """Return from when on all that tells ``key`` is there: what was integrated of dropped samples only stands."""
        return max(self.start_ms, self.power_start_ms) if key in sources.powers else self.start_ms


class Row(NamedTuple):
    """What stands in a quarter-hour of an account."""

    energy: Decimal | None
    quality: str
    reason: str | None

    def __str__(self) -> str:
        return " ".join([str(self.energy) if self.energy is not None else "unknown", self.reason or self.quality])


Rows = dict[int, Row]
"""By the beginning of the quarter-hour, UTC milliseconds."""


def from_readings(
    conn: Connection, sources: Sources, keys: Sequence[RegisterKey], bounds: Bounds, since_ms: int, until_ms: int
) -> dict[RegisterKey, Rows]:
    """Compute quarter-hours within ``bounds`` from the readings within [``since_ms``, ``until_ms``).

    An account begins with the first reading there is, however long before. Within a transaction.
    """
    tracks = [track for key in keys for track in sources.tracks.get(key, ())]
    powers = [track for key in keys for track in sources.powers.get(key, ())]
    first_ms = _first(conn, tracks, powers)
    made: dict[RegisterKey, dict[int, Interval]] = {key: {} for key in keys}

    def period(key: RegisterKey) -> tuple[int, int]:
        feeds = [feed for told in (sources.tracks, sources.powers) for one in told.get(key, ()) for feed in one.feeds]
        start_ms = max(bounds.since_ms(key, sources), quarter_ms(first_ms[key]))
        return start_ms, max(start_ms, min(bounds.end_ms, last_ms(feeds)))

    for of_power in powers:
        if of_power.key in first_ms:
            start_ms, end_ms = period(of_power.key)
            told = powered.intervals(conn, of_power, start_ms, end_ms, until_ms=until_ms)
            merge(made[of_power.key], told)
    read = dict(store.readings(conn, tracks, [since_ms] * len(tracks), until_ms))
    for place, track in enumerate(tracks):
        if track.key in first_ms:
            start_ms, end_ms = period(track.key)
            whole = account(
                read.get(place, []),
                track.register,
                track.multipliers,
                track.changes,
                start_ms=start_ms,
                end_ms=end_ms,
            )
            merge(made[track.key], whole.intervals)
    return {key: _rows(list(of_key.values())) for key, of_key in made.items()}


def from_terms(conn: Connection, terms: Sequence[Term], bounds: Bounds) -> Rows:
    """Sum up the quarter-hours of a virtual meter within ``bounds`` from those of its terms; within a transaction."""
    return _rows(list(virtual.sums(terms, derived.parts(conn, terms, bounds.start_ms, bounds.end_ms))))


def _rows(intervals: Sequence[Interval]) -> Rows:
    return {one.start_ms: Row(one.energy, one.quality.value, one.reason) for one in intervals}


def _first(conn: Connection, tracks: Sequence[Track], powers: Sequence[PowerTrack]) -> dict[RegisterKey, int]:
    """Return when the first reading of each register was taken, of those that have any."""
    found: dict[RegisterKey, list[int]] = defaultdict(list)
    for track, t_ms in zip(tracks, store.first_readings(conn, tracks, [-FOREVER_MS] * len(tracks)), strict=True):
        if t_ms is not None:
            found[track.key].append(t_ms)
    for of_power, t_ms in powered.begins(conn, powers, {track.key: -FOREVER_MS for track in powers}):
        found[of_power.key].append(t_ms)
    return {key: min(times) for key, times in found.items()}
