"""Reads the samples of meters that tell their power only, and integrates them piece by piece.

A late sample changes only quarter-hours within its gauge's limit, so there are no checkpoints: an account is computed
from its mark on, whatever came before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from warehouse.energy import power
from warehouse.energy.account import Interval
from warehouse.energy.sources import FOREVER_MS, SQL, PowerTrack, RegisterKey
from warehouse.postgres import Connection, statement
from warehouse.times import DAY_MS

PIECE_MS: Final = DAY_MS
"""Samples of this time are held in memory at once."""


def begins(
    conn: Connection, tracks: Sequence[PowerTrack], marked_ms: Mapping[RegisterKey, int]
) -> Iterator[tuple[PowerTrack, int]]:
    """Give each track that has any sample, and from when its account may have changed, by its mark."""
    asked = _asked(tracks, -FOREVER_MS, FOREVER_MS)
    for place, first_ms in conn.execute(statement(SQL, "sample_first.sql"), asked).fetchall():
        track = tracks[place]
        yield track, max(first_ms, marked_ms[track.key] - track.gauge.limit_ms)


def intervals(
    conn: Connection, track: PowerTrack, start_ms: int, end_ms: int, *, until_ms: int = FOREVER_MS
) -> Iterator[Interval]:
    """Give every quarter-hour within [start, end), in order, as samples before ``until_ms`` tell it."""
    limit_ms = track.gauge.limit_ms
    for from_ms in range(start_ms, end_ms, PIECE_MS):
        to_ms = min(from_ms + PIECE_MS, end_ms)
        asked = _asked([track], from_ms - limit_ms, min(to_ms + limit_ms + 1, until_ms))
        samples = power.in_order(conn.execute(statement(SQL, "samples.sql"), asked), track.gauge)
        yield from power.integrate(
            samples.kept,
            track.gauge,
            track.multipliers,
            feed_in=track.key.feed_in,
            start_ms=from_ms,
            end_ms=to_ms,
        )


def _asked(tracks: Sequence[PowerTrack], from_ms: int, to_ms: int) -> dict[str, list[int]]:
    feeds = [(place, feed) for place, track in enumerate(tracks) for feed in track.feeds]
    return {
        "places": [place for place, _ in feeds],
        "series": [feed.series_id for _, feed in feeds],
        "from_ms": [max(feed.from_ms, from_ms) for _, feed in feeds],
        "to_ms": [min(feed.to_ms, to_ms) for _, feed in feeds],
    }
